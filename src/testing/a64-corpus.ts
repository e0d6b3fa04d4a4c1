/** Lines of A64 with boundary operands, all mnemonics: `{a|b}` stands for either, every combination is a line. */

const X = '{x0|x7|x30|xzr}'
const W = '{w0|w7|w30|wzr}'
const XS = '{x0|x30|sp}'
const WS = '{w0|w30|wsp}'
const B64 =
  '{#1|#0xff|#0xff00ff00ff00ff00|#0x8000000000000001|#0x5555555555555555|#0xfffffffffffffffe|#0x00ffffff00000000|#0x7fffffffffffffff}'
const B32 = '{#1|#0xff|#0xff00ff00|#0x80000001|#0x55555555|#0xfffffffe|#0x00ffff00|#0x7fffffff|#-2}'
const SH64 = '{|, lsl #0|, lsl #63|, lsr #1|, asr #31}'
const SH32 = '{|, lsl #0|, lsl #31|, lsr #1|, asr #31}'
const COND = '{eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le}'

const TEMPLATES: readonly string[] = [
  // Arithmetic
  `{add|sub} ${XS}, ${XS}, {#0|#1|#4095|#4096|#0xfff000|#1, lsl #12|#-1|#-4095}`,
  `{add|sub} ${WS}, ${WS}, {#0|#4095|#4096|#-7}`,
  `{adds|subs} ${X}, ${XS}, {#0|#1|#4095|#0xfff000|#-1}`,
  `{adds|subs} ${W}, ${WS}, {#0|#1|#4095|#5, lsl #12}`,
  `{cmp|cmn} ${XS}, {#0|#1|#4095|#4096|#-1}`,
  `{cmp|cmn} ${WS}, {#0|#4095|#-1}`,
  `{add|sub|adds|subs} ${X}, ${X}, ${X}${SH64}`,
  `{add|sub|adds|subs} ${W}, ${W}, ${W}${SH32}`,
  `{add|sub} ${XS}, {x3|sp}, w5, {uxtb|uxth|uxtw|sxtb|sxth|sxtw #4|uxtw #1}`,
  `{add|sub|adds|subs} x1, {x3|sp}, x5{, uxtx|, sxtx #4|, uxtx #0}`,
  `{add|sub} sp, {x3|sp}, x5{|, lsl #0|, lsl #4}`,
  `{add|sub|adds|subs} w1, {w3|wsp}, w5, {uxtb|uxth|uxtw|sxtb #2|sxtw #4}`,
  `{cmp|cmn} {sp|x2}, {w1, uxtw|w1, sxtb #2|x3|x30, sxtx #1}`,
  `{cmp|cmn|neg|negs} ${X}, ${X}${SH64}`,
  `{cmp|cmn|neg|negs} ${W}, ${W}${SH32}`,
  `{adc|adcs|sbc|sbcs} {${X}, x1, x2|${W}, w1, w2}`,
  `{ngc|ngcs} {${X}, x1|${W}, w1}`,
  // Logical
  `{and|orr|eor} ${XS}, x3, ${B64}`,
  `{and|orr|eor} ${WS}, w3, ${B32}`,
  `{ands} ${X}, x3, ${B64}`,
  `{ands} ${W}, w3, ${B32}`,
  `bic x4, ${X}, ${B64}`,
  `{tst} {${X}, ${B64}|${W}, ${B32}}`,
  `{and|orr|eor|ands|bic|orn|eon|bics} ${X}, x1, x2{|, lsl #63|, lsr #1|, asr #31|, ror #5}`,
  `{and|orr|eor|ands|bic|orn|eon|bics} ${W}, w1, w2{|, lsl #31|, ror #31}`,
  `{tst|mvn} {${X}, x2|${W}, w3}{|, ror #3|, lsl #7}`,
  // Moves
  `mov ${XS}, {x0|x29|sp}`,
  `mov ${WS}, {w0|w29|wsp}`,
  `mov {x0, xzr|w0, wzr|xzr, x3|wzr, w2}`,
  `mov x9, {#0|#1|#0xffff|#0x10000|#0xffff000000000000|#-1|#-0x10000|#0xffffffffffff1234|${B64}|#0xffff0000ffffffff|#-65537}`,
  `mov w9, {#0|#1|#0xffff|#0x10000|#-1|#0xffff0000|#0xffff1234|${B32}}`,
  `{movz|movn|movk} x3, {#0|#0xffff|#1, lsl #0|#1, lsl #16|#1, lsl #32|#0xffff, lsl #48}`,
  `{movz|movn|movk} w3, {#0|#0xffff|#1, lsl #16}`,
  // Bitfields, shifts
  `{ubfm|sbfm|bfm} {x1, x2, #{0|5|63}, #{0|31|63}|w1, w2, #{0|5|31}, #{0|31}}`,
  `{ubfx|sbfx|bfxil|ubfiz|sbfiz|bfi} {x1, x2, #{0|3|32}, #{1|8|32}|w1, w2, #{0|3|24}, #{1|8}}`,
  '{ubfx|bfi} {x1, x2, #63, #1|w1, wzr, #31, #1|x1, xzr, #0, #64}',
  '{uxtb|uxth|sxtb|sxth} w3, w4',
  '{sxtb|sxth|sxtw} x3, w30',
  `{lsl|lsr|asr|ror} ${X}, x1, {#0|#1|#31|#63|x9}`,
  `{lsl|lsr|asr|ror} ${W}, w1, {#0|#1|#31|w9}`,
  '{lslv|lsrv|asrv|rorv} {x1, x2, x3|w1, w2, w3}',
  'extr {x1, x2, x3, #{0|1|63}|w1, w2, w3, #{0|31}}',
  // Conditional
  `{ccmp|ccmn} {x1, x2|x1, #0|x1, #31|w1, w2|w1, #17}, #{0|5|15}, ${COND}`,
  `{csel|csinc|csinv|csneg} {x1, x2, xzr|w1, wzr, w2}, {al|nv|${COND}}`,
  `{cset|csetm} {x1|w30}, ${COND}`,
  `{cinc|cinv|cneg} {x1, x30|w1, w2}, ${COND}`,
  // One source, multiply, divide, CRC
  '{rbit|rev16|rev|clz|cls} {x1, x30|w1, w30}',
  '{rev32|rev64} x1, x2',
  '{udiv|sdiv|mul|mneg} {x1, x2, x3|w1, w30, wzr}',
  '{madd|msub} {x1, x2, x3, x4|w1, w2, w30, wzr}',
  '{smaddl|smsubl|umaddl|umsubl} x1, w2, w3, x4',
  '{smull|smnegl|umull|umnegl} x1, w2, w3',
  '{smulh|umulh} x1, x2, x30',
  '{crc32b|crc32h|crc32w|crc32cb|crc32ch|crc32cw} w1, w2, w3',
  '{crc32x|crc32cx} w1, w2, x3',
  // Branches
  '{b|bl} . {+ 0|- 4|+ 4|+ 0x7fffffc|- 0x8000000}',
  `b.${COND} . {+ 8|- 0x100000|+ 0xffffc}`,
  `b{eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le} . - 4`,
  '{b.al|b.nv} . + 4',
  '{cbz|cbnz} {x1|w30|xzr}, . {+ 0|+ 0xffffc|- 0x100000}',
  '{tbz|tbnz} {x1, #0|x1, #31|x1, #32|xzr, #63|w30, #31}, . {+ 0|+ 0x7ffc|- 0x8000}',
  '{br|blr|ret} {x0|x30}',
  'ret',
  'adr {x0|xzr}, . {+ 0|+ 1|+ 0xfffff|- 0x100000}',
  // Loads and stores
  `{ldr|str} {x1|xzr}, [{x2|sp}{|, #0|, #8|, #32760|, #-1|, #-256|, #255|, #3}]`,
  `{ldr|str} {w1|wzr}, [{x2|sp}{|, #4|, #16380|, #-256|, #255}]`,
  `{ldrb|strb|ldrsb} w1, [{x2|sp}{|, #1|, #4095|, #-1}]`,
  `{ldrh|strh|ldrsh} w1, [{x2|sp}{|, #2|, #8190|, #-1|, #1}]`,
  `{ldrsb|ldrsh|ldrsw} x1, [{x2|sp}{|, #4|, #-1|, #255}]`,
  `{ldr|str|ldrsw|ldrsb|ldrsh} x1, [{x2|sp}, #{0|8|-256|255}]!`,
  `{ldr|str|ldrb|strb|ldrh|strh|ldrsb|ldrsh} w1, [{x2|sp}, #{0|8|-256|255}]!`,
  `{ldr|str|ldrsw|ldrsb|ldrsh} x1, [{x2|sp}], #{0|8|-256|255}`,
  `{ldr|str|ldrb|strb|ldrh|strh|ldrsb|ldrsh} w1, [{x2|sp}], #{0|8|-256|255}`,
  '{ldr|str} x1, [x2, {x3|xzr|x3, lsl #0|x3, lsl #3|w3, uxtw|w3, sxtw #3|w30, uxtw #3|x3, sxtx|x3, sxtx #3}]',
  '{ldr|str} w1, [sp, {x3|x3, lsl #2|w3, uxtw|w3, sxtw #2|x3, sxtx #2}]',
  '{ldrb|strb|ldrsb} w1, [x2, {x3|x3, lsl #0|w3, uxtw|w3, sxtw #0|x3, sxtx}]',
  '{ldrh|strh|ldrsh} w1, [x2, {x3|x3, lsl #1|w3, uxtw|w3, sxtw #1}]',
  '{ldrsb|ldrsh} x1, [x2, x3]',
  'ldrsw x1, [x2, {x3, lsl #2|w3, sxtw #2}]',
  '{ldur|stur|ldtr|sttr} {x1|w1}, [{x2|sp}{|, #0|, #8|, #-256|, #255}]',
  '{ldurb|sturb|ldurh|sturh|ldursb|ldursh|ldtrb|sttrb|ldtrh|sttrh|ldtrsb|ldtrsh} w1, [x2, #{-256|255}]',
  '{ldursb|ldursh|ldursw|ldtrsb|ldtrsh|ldtrsw} x1, [x2, #{-256|255}]',
  '{ldr x1|ldr w1|ldrsw x1|prfm pldl1keep}, . {+ 0|+ 0xffffc|- 0x100000}',
  'prfm {pldl1keep|pldl1strm|pldl2keep|pldl3strm|plil1keep|plil2strm|pstl1keep|pstl3strm|#31|#7}, [x2{|, #8|, #32760|, x3|, x3, lsl #3|, w3, uxtw|, #-8}]',
  'prfum pldl1keep, [sp, #-256]',
  '{ldp|stp} {x1, x2|xzr, x30}, [{x3|sp}{|, #0|, #8|, #504|, #-512}]',
  '{ldp|stp} {w1, w2|wzr, w30}, [{x3|sp}{|, #4|, #252|, #-256}]',
  '{ldp|stp} {x1, x2, [sp, #{504|-512}]!|w1, w2, [sp, #{252|-256}]!|x1, x2, [sp], #{504|-512}|w1, w2, [sp], #{252|-256}}',
  'ldpsw x1, x2, {[x3]|[sp, #252]|[sp, #-256]!|[x4], #8}',
  '{ldnp|stnp} {x1, x2, [sp, #{504|-512}]|w1, w2, [x3, #252]|x1, x2, [x3]}',
  '{ldxr|ldaxr|ldar|stlr} {x1|w30}, [{x2|sp}]',
  '{ldxrb|ldaxrb|ldarb|stlrb|ldxrh|ldaxrh|ldarh|stlrh} w1, [{x2|sp}]',
  '{stxr|stlxr} w3, {x1|w30|xzr}, [{x2|sp|x2, #0}]',
  '{stxrb|stlxrb|stxrh|stlxrh} w3, w1, [x2]',
  '{ldxp|ldaxp} {x1, x2|w1, wzr}, [{x4|sp}]',
  '{stxp|stlxp} w3, {x1, x2|w1, wzr}, [{x4|sp}]',
  // Atomics, acquire and release, pointer authentication, flags
  'st{add|clr|eor|set|smax|smin|umax|umin}{|l}{b|h} {w1, [x2]|wzr, [sp]}',
  'st{add|clr|eor|set|smax|smin|umax|umin}{|l} {x1, [x2]|w30, [sp]|xzr, [x0]}',
  'ld{add|clr|eor|set|smax|smin|umax|umin}{|a|l|al}{b|h} {w1, w2, [x3]|wzr, w30, [sp]}',
  'ld{add|clr|eor|set|smax|smin|umax|umin}{|a|l|al} {x1, x2, [x3]|w1, w30, [sp]|xzr, x4, [x0]}',
  '{swp|cas}{|a|l|al}{b|h} {w1, w2, [x3]|wzr, w30, [sp]}',
  '{swp|cas}{|a|l|al} {x1, x2, [x3]|w1, w30, [sp]|xzr, xzr, [x0]}',
  'casp{|a|l|al} {x0, x1, x2, x3, [x4]|w30, wzr, w2, w3, [sp]}',
  '{ldlar|stllr|ldapr} {x1|w30}, [{x2|sp}]',
  '{ldlarb|stllrb|ldlarh|stllrh|ldaprb|ldaprh} w1, [{x2|sp}]',
  '{ldapur|stlur} {x1|w1}, [{x2|sp}{|, #0|, #8|, #-256|, #255}]',
  '{ldapurb|stlurb|ldapurh|stlurh|ldapursb|ldapursh} w1, [x2, #{-256|255}]',
  '{ldapursb|ldapursh|ldapursw} x1, [sp, #{-256|255}]',
  '{pac|aut}{ia|ib|da|db} {x1|x30}, {x2|sp}',
  '{pac|aut}{iza|izb|dza|dzb} {x1|x30|xzr}',
  '{pac|aut}{ia|ib}{1716|z|sp}',
  '{xpaci|xpacd} x1',
  '{xpaclri|retaa|retab|eretaa|eretab|sb|cfinv|xaflag|axflag}',
  'pacga x1, {x2|xzr}, {x3|sp}',
  '{braa|brab|blraa|blrab} x1, {x2|sp}',
  '{braaz|brabz|blraaz|blrabz} x30',
  '{ldraa|ldrab} {x1|xzr}, [{x2|sp}{|, #0|, #8|, #4088|, #-4096}]',
  '{ldraa|ldrab} x1, [{x2|sp}, #{8|-4096}]!',
  'bti{| c| j| jc}',
  'rmif {x1|xzr}, #{0|63}, #{0|15}',
  '{setf8|setf16} {w1|wzr}',
  '{cfp|dvp|cpp} rctx, x1',
  'msr {pan|uao|dit|ssbs}, #{0|1}',
  'mrs x1, {pan|uao|dit|ssbs|rndr|rndrrs|lorc_el1|lorid_el1|apiakeylo_el1|apgakeyhi_el1|pmccfiltr_el0|pmevcntr5_el0|pmevtyper0_el0|pmintenset_el1|pmovsset_el0|dbgbvr5_el1|dbgwcr3_el1}',
  'dc {cvap|cvadp}, x3',
  'at {s1e1rp|s1e1wp}, x3',
  'tlbi {vmalle1os|vae1os, x1|rvae1, x2|rvaale1is, x2|rvale1os, x3}',
  // System
  '{svc|hvc|smc|brk} #{0|1|0xffff}',
  '{eret|wfe|wfi|yield|sev|sevl|nop|csdb|esb}',
  'hint #{0|1|6|20|34|127}',
  'clrex{| #0| #7| #15}',
  '{dsb|dmb} {sy|st|ld|ish|ishst|ishld|nsh|nshst|nshld|osh|oshst|oshld|#0|#7}',
  'isb{| sy| #15| #3}',
  'msr {daifset|daifclr}, #{0|2|15}',
  'msr spsel, #{0|1}',
  'mrs x{0|30}, {mpidr_el1|MIDR_EL1|currentel|esr_el1|far_el1|elr_el1|spsr_el1|sctlr_el1|tcr_el1|ttbr0_el1|ttbr1_el1|mair_el1|vbar_el1|daif|nzcv|sp_el0|spsel|cpacr_el1|isr_el1|par_el1|ctr_el0|dczid_el0|clidr_el1|ccsidr_el1|csselr_el1|revidr_el1|aidr_el1|tpidr_el0|tpidr_el1|tpidrro_el0|contextidr_el1|fpcr|fpsr|rvbar_el1|actlr_el1|afsr0_el1|afsr1_el1|amair_el1|mdscr_el1|oslsr_el1|osdlr_el1|pmcr_el0|pmuserenr_el0|pmccntr_el0}',
  'mrs x1, {id_aa64pfr0_el1|id_aa64pfr1_el1|id_aa64dfr0_el1|id_aa64isar0_el1|id_aa64isar1_el1|id_aa64mmfr0_el1|id_aa64mmfr1_el1|id_aa64mmfr2_el1}',
  'mrs x1, {cntfrq_el0|cntpct_el0|cntvct_el0|cntkctl_el1|cntp_tval_el0|cntp_ctl_el0|cntp_cval_el0|cntv_tval_el0|cntv_ctl_el0|cntv_cval_el0}',
  'mrs x1, {hcr_el2|vbar_el2|vmpidr_el2|vpidr_el2|spsr_el2|elr_el2|sp_el1|esr_el2|far_el2|sctlr_el2|cnthctl_el2|cntvoff_el2|icc_sre_el2|ich_hcr_el2|ich_vtr_el2}',
  'mrs x1, {icc_pmr_el1|icc_iar0_el1|icc_hppir0_el1|icc_bpr0_el1|icc_ap0r0_el1|icc_ap0r1_el1|icc_ap0r2_el1|icc_ap0r3_el1|icc_ap1r0_el1|icc_ap1r1_el1|icc_ap1r2_el1|icc_ap1r3_el1|icc_rpr_el1|icc_iar1_el1|icc_hppir1_el1|icc_bpr1_el1|icc_ctlr_el1|icc_sre_el1|icc_igrpen0_el1|icc_igrpen1_el1}',
  'msr {icc_sgi1r_el1|icc_asgi1r_el1|icc_sgi0r_el1|icc_eoir0_el1|icc_eoir1_el1|icc_dir_el1|icc_pmr_el1|vbar_el1|daif|oslar_el1|s3_0_c12_c12_5|S2_0_C0_C2_2|s3_7_c15_c15_7}, {x1|xzr}',
  'mrs x1, s3_{0|7}_c{0|12|15}_c{0|15}_{0|7}',
  'ic {ialluis|iallu|ivau, x1}',
  'dc {zva|ivac|isw|cvac|csw|cvau|civac|cisw}, x{1|30}',
  'at {s1e1r|s1e1w|s1e0r|s1e0w}, x3',
  'tlbi {vmalle1is|vmalle1|vae1is, x1|aside1is, x1|vaae1is, x1|vale1is, x1|vaale1is, x1|vae1, x1|aside1, x1|vaae1, x1|vale1, x1|vaale1, x1}',
  'sys #{0|7}, C{7|15}, C{0|10}, #{1|7}{|, x3}',
]

/** Expands the innermost braces until none is left. */
function expanded(template: string): string[] {
  const m = /\{([^{}]*)\}/.exec(template)
  if (m === null) return [template]
  const [whole, inside = ''] = m
  return inside
    .split('|')
    .flatMap((choice) => expanded(template.slice(0, m.index) + choice + template.slice(m.index + whole.length)))
}

export const corpus = (): string[] => [...new Set(TEMPLATES.flatMap(expanded))]
