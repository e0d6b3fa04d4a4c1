/** Where our encodings and GNU binutils differ on purpose, each with its reason. */

/** Texts of which both are right. They are brought to one before they are compared. */
export const PREFERENCES: readonly {
  readonly from: RegExp
  readonly to: string
  readonly why: string
  /** False where GNU as does not take our text. */
  readonly reassembles?: false
}[] = [
  { from: /^dsb #0x0$/, to: 'ssbb', why: 'an alias of a later version, for barriers that are there anyway' },
  { from: /^dsb #0x4$/, to: 'pssbb', why: 'the same' },
  { from: /^bfi (\w+), ([wx])zr, /, to: 'bfc $1, ', why: 'an alias of Armv8.2' },
  {
    from: /^(hint #0x[0-9a-f]+|bti.*|(pac|aut)i\w+|xpaclri|psb csync|tsb csync|dgh|esb|clearbhb|chkfeat \w+|gcsb \w+)$/,
    to: 'hint',
    why: 'names of later versions, for hints that do nothing without the feature',
  },
  {
    from: /^msr (s0_[03]_c4_c\d+_[1-5], xzr|(spsel|pan|uao|ssbs|dit), #0x[2-9a-f])$/,
    to: 'msr flag',
    why: 'only the lowest bit of the immediate counts; GNU as takes no other',
    reassembles: false,
  },
]

/** Ours where theirs may be any name: registers and operations that we do not name. The bits are compared all the same. */
export const UNNAMED = /\bs[23]_[0-7]_c\d+_c\d+_[0-7]\b|^sys /

/** What objdump knows and we do not: by bits or by its text. */
export const ONLY_THEIRS: readonly {
  readonly bits?: readonly [mask: number, match: number]
  readonly text?: RegExp
  readonly why: string
}[] = [
  { bits: [0x1e000000, 0x04000000], why: 'SVE and SVE2, which no model has' },
  { bits: [0x9e000000, 0x80000000], why: 'SME, which no model has' },
  { text: /^(stz?2?g|stz?gm|stz?gp|ldgm?|irg|gmi|subps?|addg|subg|cmpp)\b/, why: 'FEAT_MTE, which no model has' },
  {
    bits: [0xbf60fc00, 0x0e60ec00],
    why: 'FMLAL and FMLSL with size<0> set, which is unallocated and objdump does not look at',
  },
  { bits: [0xbf60fc00, 0x2e60cc00], why: 'FMLAL2 and FMLSL2, the same' },
  { text: /^(cpy|set)\w+ \[/, why: 'FEAT_MOPS, which no model has' },
  { text: /^bc\./, why: 'FEAT_HBC, which no model has' },
  { text: /^(ld64b|st64bv?0?)\b/, why: 'FEAT_LS64, which no model has' },
  { text: /^(wfet|wfit)\b/, why: 'FEAT_WFxT, which no model has' },
  { text: /^(tstart|tcommit|tcancel|ttest)\b/, why: 'FEAT_TME, which no model has' },
  { text: /^(bf\w+|fcvtn\w* .*bf)/, why: 'FEAT_BF16, which no model has' },
  { text: /^(smmla|ummla|usmmla|usdot|sudot)\b/, why: 'FEAT_I8MM, which no model has' },
  { text: /^(abs|cnt|ctz|smax|smin|umax|umin) [wx]/, why: 'FEAT_CSSC, which no model has' },
  { text: /^sysl\b/, why: 'no operation of SYSL is there: it is UNDEFINED' },
  { text: /^[su]mulh\b/, why: 'a field that should be ones is not: CONSTRAINED UNPREDICTABLE, here UNDEFINED' },
  { text: /\bs0_[0-7]_c\d+_c\d+_[0-7]\b/, why: 'unallocated: objdump takes op0 = 0 for a register all the same' },
  { text: /^udf\b/, why: 'permanently undefined' },
  { text: /^(dcps[123]|drps|hlt|smc)\b/, why: 'external debug and what is UNDEFINED without EL3' },
]

/** What both know, but we write as a number, by the row's name. */
export const NO_TEXT: readonly { readonly row: RegExp; readonly why: string }[] = [
  {
    row: /^(LDXR|STXR|LDXP|STLR|LDAR|LDLAR|STLLR|FCMP\/FCMPE \(zero)/,
    why: 'a field that should be ones or zeros is not, which no assembler writes',
  },
  {
    row: /^(DUP \(general|INS \(element|AND\/ORR\/EOR\/ANDS \(immediate\))/,
    why: 'bits of the immediate that nothing depends on are set, which no assembler writes',
  },
  {
    row: /^MSR \(immediate\)/,
    why: 'there is no such field of PSTATE: the instruction is UNDEFINED when it runs',
  },
]

/** What we decode and objdump does not, by the row's name. */
export const ONLY_OURS: readonly { readonly row: RegExp; readonly why: string }[] = [
  { row: /^(LDAR|STLR)/, why: 'fields that should be ones are not: CONSTRAINED UNPREDICTABLE, here as if they were' },
  {
    row: /^(LDP\/STP|LDR\/STR \(immediate, p)/,
    why: 'a register is loaded twice, or the base too: CONSTRAINED UNPREDICTABLE, here the last that was loaded stays',
  },
]
