/**
 * What may be written, and which row encodes it: mnemonic, row, pattern of operands, fixed fields.
 * A pattern's `kind:letters` names a kind of operand (`kinds.ts`) and the fields of the row that it fills;
 * `?` marks an operand that may be absent. Forms of one mnemonic are tried from top to bottom.
 * Aliases are those of the Arm ARM C6.2, each by the conditions it gives there.
 */
import { rows } from '../rows/index.ts'
import type { Row } from '../row.ts'
import { conditions } from './system-names.ts'
import { extensionForms } from './forms-extensions.ts'
import { simdForms } from './forms-simd.ts'
import { kinds } from './kinds.ts'
import type { Kind } from './kind.ts'

type FixedFields = Readonly<Record<string, number>>

export interface PatternOperand {
  readonly name: string
  readonly kind: Kind
  readonly letters: string
  readonly optional: boolean
}

export interface Form {
  readonly mnemonic: string
  readonly row: Row
  readonly operands: readonly PatternOperand[]
  readonly fixed: FixedFields
}

const byName = new Map(rows.map((row) => [row.name, row]))
const forms = new Map<string, Form[]>()

function form(mnemonic: string, rowName: string, pattern: string, fixed: FixedFields = {}): void {
  const row = byName.get(rowName)
  if (row === undefined) throw new Error(`${mnemonic}: no row '${rowName}'`)
  const operands = pattern.split(' ').flatMap((text) => {
    if (text === '') return []
    const [name = '', letters = ''] = text.replace('?', '').split(':')
    const kind = kinds[name]
    if (kind === undefined) throw new Error(`${mnemonic}: no kind '${name}'`)
    return [{ name, kind, letters, optional: text.startsWith('?') }]
  })
  const list = forms.get(mnemonic)
  if (list === undefined) forms.set(mnemonic, [{ mnemonic, row, operands, fixed }])
  else list.push({ mnemonic, row, operands, fixed })
}

/** For both widths: `R` stands for `x` or `w`, `%` for 64 or 32; `z` is the row's width bit, `N` the bitfields' second. */
function both(mnemonic: string, rowName: string, pattern: string, fixed: FixedFields = {}, bitfield = false): void {
  for (const z of [1, 0]) {
    const text = pattern.replaceAll('R', z === 1 ? 'x' : 'w').replaceAll('%', z === 1 ? '64' : '32')
    form(mnemonic, rowName, text, bitfield ? { ...fixed, z, N: z } : { ...fixed, z })
  }
}

const ZR = 31
/** The condition AL; NV after it holds as well. */
const ALWAYS = 14
/** What LSL means as an extension. */
const UXTX = 3
const UXTW = 2

// ADD, SUB and what is made of them. `s` sets the flags.
for (const [mnemonic, o, s] of [
  ['add', 0, 0],
  ['adds', 0, 1],
  ['sub', 1, 0],
  ['subs', 1, 1],
] as const) {
  const immediate = s === 1 ? 'ADDS/SUBS (immediate)' : 'ADD/SUB (immediate)'
  const d = s === 1 ? 'R' : 'Rs'
  both(mnemonic, immediate, `${d}:d Rs:n add:ih ?addshift:h`, { o })
  both(mnemonic, immediate, `${d}:d Rs:n sub:ih ?addshift:h`, { o: 1 - o })
  both(mnemonic, 'ADD/SUB (shifted register)', 'R:d R:n R:m ?shift%:ti', { o, s })
  extendedForms(mnemonic, `${d}:d Rs:n`, { o, s })
}
for (const [mnemonic, o] of [
  ['cmn', 0],
  ['cmp', 1],
] as const) {
  both(mnemonic, 'ADDS/SUBS (immediate)', 'Rs:n add:ih ?addshift:h', { o, d: ZR })
  both(mnemonic, 'ADDS/SUBS (immediate)', 'Rs:n sub:ih ?addshift:h', { o: 1 - o, d: ZR })
  both(mnemonic, 'ADD/SUB (shifted register)', 'R:n R:m ?shift%:ti', { o, s: 1, d: ZR })
  extendedForms(mnemonic, 'Rs:n', { o, s: 1, d: ZR })
}
both('neg', 'ADD/SUB (shifted register)', 'R:d R:m ?shift%:ti', { o: 1, s: 0, n: ZR })
both('negs', 'ADD/SUB (shifted register)', 'R:d R:m ?shift%:ti', { o: 1, s: 1, n: ZR })

function extendedForms(mnemonic: string, first: string, fixed: FixedFields): void {
  form(mnemonic, 'ADD/SUB (extended register)', `${first.replaceAll('R', 'x')} x:m ?extend64x:ei`, {
    ...fixed,
    z: 1,
    e: UXTX,
  })
  form(mnemonic, 'ADD/SUB (extended register)', `${first.replaceAll('R', 'x')} w:m extend64w:ei`, { ...fixed, z: 1 })
  form(mnemonic, 'ADD/SUB (extended register)', `${first.replaceAll('R', 'w')} w:m ?extend32w:ei`, {
    ...fixed,
    z: 0,
    e: UXTW,
  })
}

for (const [mnemonic, o, s] of [
  ['adc', 0, 0],
  ['adcs', 0, 1],
  ['sbc', 1, 0],
  ['sbcs', 1, 1],
] as const) {
  both(mnemonic, 'ADC/SBC', 'R:d R:n R:m', { o, s })
}
both('ngc', 'ADC/SBC', 'R:d R:m', { o: 1, s: 0, n: ZR })
both('ngcs', 'ADC/SBC', 'R:d R:m', { o: 1, s: 1, n: ZR })

// Logical.
const LOGICAL = [
  ['and', 'bic', 0],
  ['orr', 'orn', 1],
  ['eor', 'eon', 2],
  ['ands', 'bics', 3],
] as const
for (const [plain, inverted, o] of LOGICAL) {
  const d = o === 3 ? 'R' : 'Rs'
  both(plain, 'AND/ORR/EOR/ANDS (immediate)', `${d}:d R:n bitmask%:Nrs`, { o })
  if (inverted === 'bic') both(inverted, 'AND/ORR/EOR/ANDS (immediate)', `${d}:d R:n notmask%:Nrs`, { o })
  both(plain, 'AND/ORR/EOR/ANDS (shifted register)', 'R:d R:n R:m ?rotate%:ti', { o, N: 0 })
  both(inverted, 'AND/ORR/EOR/ANDS (shifted register)', 'R:d R:n R:m ?rotate%:ti', { o, N: 1 })
}
both('tst', 'AND/ORR/EOR/ANDS (immediate)', 'R:n bitmask%:Nrs', { o: 3, d: ZR })
both('tst', 'AND/ORR/EOR/ANDS (shifted register)', 'R:n R:m ?rotate%:ti', { o: 3, d: ZR })
both('mvn', 'AND/ORR/EOR/ANDS (shifted register)', 'R:d R:m ?rotate%:ti', { o: 1, N: 1, n: ZR })

// Moves.
both('mov', 'AND/ORR/EOR/ANDS (shifted register)', 'R:d R:m', { o: 1, n: ZR })
both('mov', 'ADD/SUB (immediate)', 'Rsp:d Rs:n', { o: 0 })
both('mov', 'ADD/SUB (immediate)', 'Rs:d Rsp:n', { o: 0 })
both('mov', 'MOVN/MOVZ', 'R:d movz%:ih', { o: 1 })
both('mov', 'MOVN/MOVZ', 'R:d movn%:ih', { o: 0 })
both('mov', 'AND/ORR/EOR/ANDS (immediate)', 'Rs:d bitmask%:Nrs', { o: 1, n: ZR })
both('movz', 'MOVN/MOVZ', 'R:d imm16:i ?wideshift%:h', { o: 1 })
both('movn', 'MOVN/MOVZ', 'R:d imm16:i ?wideshift%:h', { o: 0 })
both('movk', 'MOVK', 'R:d imm16:i ?wideshift%:h')

// Bitfields and shifts.
for (const [prefix, row] of [
  ['u', 'UBFM'],
  ['s', 'SBFM'],
  ['', 'BFM'],
] as const) {
  both(`${prefix}bfm`, row, 'R:d R:n amount%:r amount%:s', {}, true)
  both(prefix === '' ? 'bfxil' : `${prefix}bfx`, row, 'R:d R:n amount%:r extract%:rs', {}, true)
  both(prefix === '' ? 'bfi' : `${prefix}bfiz`, row, 'R:d R:n amount%:r insert%:rs', {}, true)
}
for (const [mnemonic, row, s] of [
  ['uxtb', 'UBFM', 7],
  ['uxth', 'UBFM', 15],
] as const)
  form(mnemonic, row, 'w:d w:n', { z: 0, N: 0, r: 0, s })
for (const [mnemonic, s] of [
  ['sxtb', 7],
  ['sxth', 15],
  ['sxtw', 31],
] as const) {
  form(mnemonic, 'SBFM', 'x:d w:n', { z: 1, N: 1, r: 0, s })
  form(mnemonic, 'SBFM', 'x:d x:n', { z: 1, N: 1, r: 0, s })
  if (s < 31) form(mnemonic, 'SBFM', 'w:d w:n', { z: 0, N: 0, r: 0, s })
}
for (const [o, mnemonic] of ['lsl', 'lsr', 'asr', 'ror'].entries()) {
  both(`${mnemonic}v`, 'LSLV/LSRV/ASRV/RORV', 'R:d R:n R:m', { o })
  both(mnemonic, 'LSLV/LSRV/ASRV/RORV', 'R:d R:n R:m', { o })
}
both('lsl', 'UBFM', 'R:d R:n lsl%:rs', {}, true)
for (const [mnemonic, row] of [
  ['lsr', 'UBFM'],
  ['asr', 'SBFM'],
] as const) {
  form(mnemonic, row, 'x:d x:n amount64:r', { z: 1, N: 1, s: 63 })
  form(mnemonic, row, 'w:d w:n amount32:r', { z: 0, N: 0, s: 31 })
}
both('extr', 'EXTR', 'R:d R:n R:m amount%:i', {}, true)
both('ror', 'EXTR', 'R:d R:nm amount%:i', {}, true)

// Conditional.
for (const [o, mnemonic] of ['ccmn', 'ccmp'].entries()) {
  both(mnemonic, 'CCMN/CCMP (register)', 'R:n R:m imm4:f cond:c', { o })
  both(mnemonic, 'CCMN/CCMP (immediate)', 'R:n imm5:i imm4:f cond:c', { o })
}
const SELECT = 'CSEL/CSINC/CSINV/CSNEG'
for (const [mnemonic, o, p] of [
  ['csel', 0, 0],
  ['csinc', 0, 1],
  ['csinv', 1, 0],
  ['csneg', 1, 1],
] as const) {
  both(mnemonic, SELECT, 'R:d R:n R:m cond:c', { o, p })
}
both('cset', SELECT, 'R:d notcond:c', { o: 0, p: 1, n: ZR, m: ZR })
both('csetm', SELECT, 'R:d notcond:c', { o: 1, p: 0, n: ZR, m: ZR })
both('cinc', SELECT, 'R:d R:nm notcond:c', { o: 0, p: 1 })
both('cinv', SELECT, 'R:d R:nm notcond:c', { o: 1, p: 0 })
both('cneg', SELECT, 'R:d R:nm notcond:c', { o: 1, p: 1 })

// One source; multiply and divide; CRC.
for (const [mnemonic, o] of [
  ['rbit', 0],
  ['rev16', 1],
  ['clz', 4],
] as const)
  both(mnemonic, 'RBIT/REV16/REV32/REV/CLZ', 'R:d R:n', { o })
form('rev', 'RBIT/REV16/REV32/REV/CLZ', 'x:d x:n', { z: 1, o: 3 })
form('rev64', 'RBIT/REV16/REV32/REV/CLZ', 'x:d x:n', { z: 1, o: 3 })
form('rev', 'RBIT/REV16/REV32/REV/CLZ', 'w:d w:n', { z: 0, o: 2 })
form('rev32', 'RBIT/REV16/REV32/REV/CLZ', 'x:d x:n', { z: 1, o: 2 })
both('cls', 'CLS', 'R:d R:n')
both('udiv', 'UDIV/SDIV', 'R:d R:n R:m', { o: 0 })
both('sdiv', 'UDIV/SDIV', 'R:d R:n R:m', { o: 1 })
for (const [o, [full, short]] of (
  [
    ['madd', 'mul'],
    ['msub', 'mneg'],
  ] as const
).entries()) {
  both(full, 'MADD/MSUB', 'R:d R:n R:m R:a', { o })
  both(short, 'MADD/MSUB', 'R:d R:n R:m', { o, a: ZR })
}
for (const [u, sign] of ['s', 'u'].entries()) {
  for (const [o, [full, short]] of (
    [
      ['maddl', 'mull'],
      ['msubl', 'mnegl'],
    ] as const
  ).entries()) {
    form(sign + full, 'SMADDL/SMSUBL/UMADDL/UMSUBL', 'x:d w:n w:m x:a', { u, o })
    form(sign + short, 'SMADDL/SMSUBL/UMADDL/UMSUBL', 'x:d w:n w:m', { u, o, a: ZR })
  }
  form(`${sign}mulh`, 'SMULH/UMULH', 'x:d x:n x:m', { u })
}
for (const [c, name] of ['crc32', 'crc32c'].entries()) {
  for (const [s, size] of ['b', 'h', 'w'].entries()) form(name + size, 'CRC32', 'w:d w:n w:m', { z: 0, c, s })
  form(`${name}x`, 'CRC32', 'w:d w:n x:m', { z: 1, c, s: 3 })
}

// Addresses and branches.
form('adr', 'ADR', 'x:d adr:ij')
form('adrp', 'ADRP', 'x:d adrp:ij')
form('b', 'B', 'label26:i')
form('bl', 'BL', 'label26:i')
for (const [name, c] of conditions) {
  form(`b.${name}`, 'B.cond', 'label19:i', { c })
  if (c < ALWAYS) form(`b${name}`, 'B.cond', 'label19:i', { c })
}
for (const [o, suffix] of ['z', 'nz'].entries()) {
  both(`cb${suffix}`, 'CBZ/CBNZ', 'R:t label19:i', { o })
  form(`tb${suffix}`, 'TBZ/TBNZ', 'w:t bit32:bc label14:i', { o })
  form(`tb${suffix}`, 'TBZ/TBNZ', 'x:t bit64:bc label14:i', { o })
}
form('br', 'BR', 'x:n')
form('blr', 'BLR', 'x:n')
form('ret', 'RET', '', { n: 30 })
form('ret', 'RET', 'x:n')

// Loads and stores of one register.
const UNSIGNED = 'LDR/STR (immediate, unsigned offset)'
function single(suffix: string, load: string, r: string, s: number, o: number): void {
  const bytes = 1 << s
  form(load + suffix, UNSIGNED, `${r}:t scaled${bytes}:ni`, { s, o })
  form(load + suffix, 'LDUR/STUR', `${r}:t unscaled:ni`, { s, o })
  form(load + suffix, 'LDR/STR (immediate, pre-indexed)', `${r}:t pre:ni`, { s, o })
  form(load + suffix, 'LDR/STR (immediate, post-indexed)', `${r}:t base:n post:i`, { s, o })
  form(load + suffix, 'LDR/STR (register)', `${r}:t index${bytes}:nmS`, { s, o })
  form(load + suffix, 'LDR/STR (extended register)', `${r}:t extindex${bytes}:nmeS`, { s, o })
  form(load.slice(0, 2) + 'u' + load.slice(2) + suffix, 'LDUR/STUR', `${r}:t unscaled:ni`, { s, o })
  form(load.slice(0, 2) + 't' + load.slice(2) + suffix, 'LDTR/STTR', `${r}:t unscaled:ni`, { s, o })
}
for (const [o, load] of ['str', 'ldr'].entries()) {
  single('', load, 'x', 3, o)
  single('', load, 'w', 2, o)
  single('b', load, 'w', 0, o)
  single('h', load, 'w', 1, o)
}
single('sb', 'ldr', 'x', 0, 2)
single('sb', 'ldr', 'w', 0, 3)
single('sh', 'ldr', 'x', 1, 2)
single('sh', 'ldr', 'w', 1, 3)
single('sw', 'ldr', 'x', 2, 2)
form('ldr', 'LDR (literal)', 'x:t label19:i', { o: 1 })
form('ldr', 'LDR (literal)', 'w:t label19:i', { o: 0 })
form('ldrsw', 'LDR (literal)', 'x:t label19:i', { o: 2 })

form('prfm', 'PRFM (immediate)', 'prefetch:t scaled8:ni')
form('prfm', 'PRFUM', 'prefetch:t unscaled:ni')
form('prfm', 'PRFM (register)', 'prefetch:t index8:nmS', { e: 1 })
form('prfm', 'PRFM (register)', 'prefetch:t extindex8:nmeS')
form('prfm', 'PRFM (literal)', 'prefetch:t label19:i')
form('prfum', 'PRFUM', 'prefetch:t unscaled:ni')

// Pairs.
function pair(mnemonic: string, r: string, bytes: number, o: number, L: number): void {
  form(mnemonic, 'LDP/STP (signed offset)', `${r}:t ${r}:u pair${bytes}:ni`, { o, L })
  form(mnemonic, 'LDP/STP (pre-indexed)', `${r}:t ${r}:u pairpre${bytes}:ni`, { o, L })
  form(mnemonic, 'LDP/STP (post-indexed)', `${r}:t ${r}:u base:n pairpost${bytes}:i`, { o, L })
}
for (const [L, [mnemonic, nonTemporal]] of (
  [
    ['stp', 'stnp'],
    ['ldp', 'ldnp'],
  ] as const
).entries()) {
  pair(mnemonic, 'x', 8, 2, L)
  pair(mnemonic, 'w', 4, 0, L)
  form(nonTemporal, 'LDNP/STNP', 'x:t x:u pair8:ni', { o: 2, L })
  form(nonTemporal, 'LDNP/STNP', 'w:t w:u pair4:ni', { o: 0, L })
}
pair('ldpsw', 'x', 4, 1, 1)

// Exclusive and ordered.
for (const [suffix, r, s] of [
  ['', 'x', 3],
  ['', 'w', 2],
  ['b', 'w', 0],
  ['h', 'w', 1],
] as const) {
  for (const [a, [load, store]] of (
    [
      ['ldxr', 'stxr'],
      ['ldaxr', 'stlxr'],
    ] as const
  ).entries()) {
    form(load + suffix, 'LDXR/LDAXR', `${r}:t base:n`, { s, a, r: ZR, u: ZR })
    form(store + suffix, 'STXR/STLXR', `w:r ${r}:t base:n`, { s, a, u: ZR })
  }
  form(`ldar${suffix}`, 'LDAR', `${r}:t base:n`, { s, r: ZR, u: ZR })
  form(`stlr${suffix}`, 'STLR', `${r}:t base:n`, { s, r: ZR, u: ZR })
}
for (const [s, r] of ['w', 'x'].entries()) {
  for (const [a, [load, store]] of (
    [
      ['ldxp', 'stxp'],
      ['ldaxp', 'stlxp'],
    ] as const
  ).entries()) {
    form(load, 'LDXP/LDAXP', `${r}:t ${r}:u base:n`, { s, a, r: ZR })
    form(store, 'STXP/STLXP', `w:r ${r}:t ${r}:u base:n`, { s, a })
  }
}

// System.
for (const name of ['svc', 'hvc', 'smc', 'brk']) form(name, name.toUpperCase(), 'imm16:i')
for (const name of ['eret', 'wfe', 'wfi', 'yield']) form(name, name.toUpperCase(), '')
form('sev', 'SEV/SEVL', '', { l: 0 })
form('sevl', 'SEV/SEVL', '', { l: 1 })
for (const [name, number] of [
  ['nop', 0],
  ['esb', 16],
  ['csdb', 20],
] as const)
  form(name, 'HINT', '', { m: number >>> 3, o: number & 7 })
form('hint', 'HINT', 'hint:mo')
form('clrex', 'CLREX', '?imm4:m', { m: 15 })
form('dsb', 'DSB/DMB', 'barrier:m', { o: 0 })
form('dmb', 'DSB/DMB', 'barrier:m', { o: 1 })
form('isb', 'ISB', '?isb:m', { m: 15 })
form('msr', 'MSR (immediate)', 'pstate:pq imm4:m')
form('msr', 'MSR (register)', 'sysreg:opnmq x:t')
form('mrs', 'MRS', 'x:t sysreg:opnmq')
for (const name of ['ic', 'dc', 'at', 'tlbi']) {
  form(name, 'SYS', 'sysopreg:pnmq x:t')
  form(name, 'SYS', 'sysop:pnmq', { t: ZR })
}
form('sys', 'SYS', 'imm3:p control:n control:m imm3:q ?x:t', { t: ZR })

extensionForms(form)

// Floating point and AdvSIMD, whose rows say it themselves.
for (const row of rows) if (row.fp) simdForms(row, form)

export const formsOf = (mnemonic: string): readonly Form[] | undefined => forms.get(mnemonic)
/** All forms, in the order of the table. */
export const allForms = (): Form[] => [...forms.values()].flat()
