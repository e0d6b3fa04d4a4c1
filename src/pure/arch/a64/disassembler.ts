/**
 * Words back to text, by the assembler's own table. A form is right when what it writes assembles to the same word;
 * where several are, the one that the Arm ARM prefers (C6.2, "Aliases") is tried first.
 */
import { encode } from './assembler/encode.ts'
import { isProblem } from './assembler/expression.ts'
import { lex } from './assembler/lexer.ts'
import { allForms } from './assembler/mnemonics.ts'
import type { Form } from './assembler/mnemonics.ts'
import { modifiers, parseOperands } from './assembler/operand.ts'
import { conditions, nameOfSystemOperation, nameOfSystemRegister } from './assembler/system-names.ts'
import { barrierOptions, prefetchOperations, pstateFields } from './assembler/system-names.ts'
import { decodeBitmask, signExtend } from './bitmask.ts'
import { createDecoder } from './decoder.ts'
import { rows } from './rows/index.ts'
import { hex } from './shower.ts'
import type { Context, Shower } from './shower.ts'
import { simdShowers } from './simd-showers.ts'

type Fields = Readonly<Record<string, number>>

const immediate: Shower = (c) => `#${hex(c.at(0))}`
const decimal: Shower = (c) => `#${c.at(0)}`

const register =
  (letter: 'x' | 'w', sp: boolean): Shower =>
  (c) => {
    const n = c.at(0)
    if ([...c.letters].some((other) => c.f[other] !== n)) return undefined
    return name(letter, n, sp)
  }

function name(letter: 'x' | 'w', n: number, sp = false): string {
  if (n < 31) return `${letter}${n}`
  return sp ? (letter === 'x' ? 'sp' : 'wsp') : `${letter}zr`
}

const shift: Shower = (c) => (c.at(0) === 0 && c.at(1) === 0 ? '' : `${modifiers.shifts[c.at(0)]} #${c.at(1)}`)

/** Next to SP, the extension that changes nothing is written as LSL. */
const extension =
  (unchanged: number, x: boolean): Shower =>
  (c) => {
    const [option, amount] = [c.at(0), c.at(1)]
    if (unchanged === 3 && x !== ((option & 3) === 3)) return undefined
    const sp = c.f['n'] === 31 || (c.f['d'] === 31 && c.f['s'] === 0)
    if (option === unchanged && sp) return amount === 0 ? '' : `lsl #${amount}`
    return `${modifiers.extends[option]}${amount === 0 ? '' : ` #${amount}`}`
  }

const bitmask =
  (width: 32 | 64): Shower =>
  (c) => {
    const value = decodeBitmask(c.at(0), c.at(2), c.at(1), width)
    return value === undefined ? undefined : `#${hex(value)}`
  }

const wide =
  (width: 32 | 64, inverted: boolean): Shower =>
  (c) => {
    const value = BigInt(c.at(0)) << BigInt(16 * c.at(1))
    return `#${hex(BigInt.asUintN(width, inverted ? ~value : value))}`
  }

const conditionNames = new Map([...conditions].map(([text, code]) => [code, text]))
const condition =
  (flip: 0 | 1): Shower =>
  (c) =>
    conditionNames.get(c.at(0) ^ flip)

const branch =
  (bits: number): Shower =>
  (c) =>
    hex(BigInt.asUintN(64, c.address + 4n * BigInt(signExtend(c.at(0), bits))))

const pcRelative =
  (pages: boolean): Shower =>
  (c) => {
    const offset = BigInt(signExtend((c.at(0) << 2) | c.at(1), 21))
    return hex(BigInt.asUintN(64, pages ? ((c.address >> 12n) + offset) << 12n : c.address + offset))
  }

const offsetMemory =
  (bits: number, scale: number, signed: boolean, end = ']'): Shower =>
  (c) => {
    const offset = (signed ? signExtend(c.at(1), bits) : c.at(1)) * scale
    return `[${name('x', c.at(0), true)}${offset === 0 && end === ']' ? '' : `, #${offset}`}${end}`
  }

const indexed =
  (scale: number): Shower =>
  (c) =>
    `[${name('x', c.at(0), true)}, ${name('x', c.at(1))}${c.at(2) === 1 ? `, lsl #${scale}` : ''}]`

const extendedIndex =
  (scale: number): Shower =>
  (c) => {
    const x = (c.at(2) & 1) === 1
    const kind = (c.at(2) & 2) !== 0 ? (x ? 'sxtx' : 'sxtw') : x ? undefined : 'uxtw'
    if (kind === undefined) return undefined
    return `[${name('x', c.at(0), true)}, ${name(x ? 'x' : 'w', c.at(1))}, ${kind}${c.at(3) === 1 ? ` #${scale}` : ''}]`
  }

const named = (names: ReadonlyMap<string, number>): Shower => {
  const texts = new Map([...names].map(([text, value]) => [value, text]))
  return (c) => texts.get(c.at(0)) ?? immediate(c)
}

const pstate: Shower = (c) => [...pstateFields].find(([, { op1, op2 }]) => op1 === c.at(0) && op2 === c.at(1))?.[0]

const systemOp: Shower = (c) => nameOfSystemOperation(c.mnemonic, c.at(0), c.at(1), c.at(2), c.at(3))

const splitOffset = (c: Context, end: string): string => {
  const offset = signExtend((c.at(1) << 9) | c.at(2), 10) * 8
  return `[${name('x', c.at(0), true)}${offset === 0 && end === ']' ? '' : `, #${offset}`}${end}`
}

const showers: Record<string, Shower> = {
  ...simdShowers,
  add: immediate,
  addshift: (c) => (c.at(0) === 0 ? '' : 'lsl #12'),
  cond: condition(0),
  notcond: condition(1),
  label26: branch(26),
  label19: branch(19),
  label14: branch(14),
  adr: pcRelative(false),
  adrp: pcRelative(true),
  base: (c) => `[${name('x', c.at(0), true)}]`,
  unscaled: offsetMemory(9, 1, true),
  pre: offsetMemory(9, 1, true, ']!'),
  post: (c) => `#${signExtend(c.at(0), 9)}`,
  split10: (c) => splitOffset(c, ']'),
  split10pre: (c) => splitOffset(c, ']!'),
  landing: (c) => ['', 'c', 'j', 'jc'][c.at(0)],
  sysreg: (c) => nameOfSystemRegister(2 + c.at(0), c.at(1), c.at(2), c.at(3), c.at(4)),
  pstate,
  sysop: systemOp,
  sysopreg: systemOp,
  control: (c) => `C${c.at(0)}`,
  hint: (c) => `#${hex((c.at(0) << 3) | c.at(1))}`,
  barrier: named(barrierOptions),
  isb: immediate,
  prefetch: named(prefetchOperations),
  imm3: decimal,
  imm4: immediate,
  imm5: immediate,
  imm16: immediate,
}
for (const width of [32, 64] as const) {
  const letter = width === 64 ? 'x' : 'w'
  Object.assign(showers, {
    [letter]: register(letter, false),
    [`${letter}s`]: register(letter, true),
    [`${letter}sp`]: (c: Context) => (c.at(0) === 31 ? name(letter, 31, true) : undefined),
    [`${letter}even`]: (c: Context) => name(letter, 2 * c.at(0)),
    [`${letter}odd`]: (c: Context) => name(letter, 2 * c.at(0) + 1),
    [`shift${width}`]: shift,
    [`rotate${width}`]: shift,
    [`extend${width}w`]: extension(width === 64 ? 3 : 2, false),
    [`extend${width}x`]: extension(width === 64 ? 3 : 2, true),
    [`bitmask${width}`]: bitmask(width),
    [`movz${width}`]: wide(width, false),
    [`movn${width}`]: wide(width, true),
    [`wideshift${width}`]: (c: Context) => (c.at(0) === 0 ? '' : `lsl #${16 * c.at(0)}`),
    [`bit${width}`]: (c: Context) => `#${(c.at(0) << 5) | c.at(1)}`,
    [`lsl${width}`]: (c: Context) => `#${(width - c.at(0)) % width}`,
    [`amount${width}`]: decimal,
    // The width of a field; its place, before it, is that of `amount`, or for an insertion the rotation turned round.
    [`extract${width}`]: (c: Context) => (c.at(1) < c.at(0) ? undefined : `#${c.at(1) - c.at(0) + 1}`),
    [`insert${width}`]: (c: Context) => `#${c.at(1) + 1}`,
    [`place${width}`]: (c: Context) => `#${(width - c.at(0)) % width}`,
  })
}
for (const scale of [0, 1, 2, 3, 4]) {
  const bytes = 1 << scale
  Object.assign(showers, {
    [`scaled${bytes}`]: offsetMemory(12, bytes, false),
    [`index${bytes}`]: indexed(scale),
    [`extindex${bytes}`]: extendedIndex(scale),
    [`pair${bytes}`]: offsetMemory(7, bytes, true),
    [`pairpre${bytes}`]: offsetMemory(7, bytes, true, ']!'),
    [`pairpost${bytes}`]: (c: Context) => `#${signExtend(c.at(0), 7) * bytes}`,
  })
}

/** Aliases that are preferred to what they stand for, the narrower before the wider. */
const PREFERRED =
  'nop esb csdb mov cmp cmn tst mvn neg negs ngc ngcs lsr asr lsl uxtb uxth sxtb sxth sxtw sxtl sxtl2 uxtl uxtl2 ubfx sbfx bfxil ubfiz sbfiz bfi ror cset csetm cinc cinv cneg mul mneg smull smnegl umull umnegl ic dc at tlbi cfp dvp cpp'.split(
    ' ',
  )

/** Spellings that the assembler takes and a disassembler does not use. */
const isSecond = ({ mnemonic, row }: Form): boolean =>
  // A hint by its number; CS and CC are written for HS and LO; the dot belongs to B.cond; an unscaled offset has mnemonics of its own.
  /^b\.(hs|lo)$/.test(mnemonic) ||
  mnemonic === 'hint' ||
  (row.name === 'B.cond' && !mnemonic.includes('.')) ||
  (/^(LDUR|PRFUM)/.test(row.name) && !/^(ldu|stu|prfu)/.test(mnemonic))

const rank = (form: Form): number => {
  // An atomic operation that keeps nothing is a store.
  if (form.mnemonic.startsWith('st') && form.row.name.startsWith('LDADD')) return 0
  const at = PREFERRED.indexOf(form.mnemonic)
  return at >= 0 ? at : PREFERRED.length + (isSecond(form) ? 1 : 0)
}
const ranked = allForms().toSorted((a, b) => rank(a) - rank(b))

/** Bits 31:21, as in the decoder: the forms that a word with these may have. */
const INDEX_SHIFT = 21
const buckets = new Map<number, readonly Form[]>()

/** Forms by their own rows: a word may be of a row and, at the same time, of one that is a special case of it. */
function formsOf(word: number): readonly Form[] {
  const index = word >>> INDEX_SHIFT
  let bucket = buckets.get(index)
  if (bucket === undefined) {
    const fixed = -1 << INDEX_SHIFT
    bucket = ranked.filter(({ row }) => ((word ^ row.match) & row.mask & fixed) === 0)
    buckets.set(index, bucket)
  }
  return bucket.filter(({ row }) => row.matches(word))
}

/** Kinds that are not written where they may be absent and say nothing new. */
const OMITTED = new Set(['imm4', 'isb', 'x'])

function textOf(form: Form, f: Fields, address: bigint): string | undefined {
  if (Object.entries(form.fixed).some(([letter, value]) => f[letter] !== value && !filled(form, letter)))
    return undefined
  const operands: string[] = []
  const inserts = form.operands.some((operand) => operand.name.startsWith('insert'))
  for (const { name: kind, letters, optional } of form.operands) {
    if (optional && OMITTED.has(kind) && [...letters].every((letter) => f[letter] === (form.fixed[letter] ?? 0)))
      continue
    const shower = showers[inserts ? kind.replace('amount', 'place') : kind]
    const at = (n: number): number => f[letters[n] ?? ''] ?? 0
    const text = shower?.({ f, letters, address, mnemonic: form.mnemonic, at })
    if (text === undefined) return undefined
    if (text !== '') operands.push(text)
  }
  return operands.join(', ')
}

/** Whether an operand fills this field, so that the fixed value is only what it is without the operand. */
const filled = (form: Form, letter: string): boolean =>
  form.operands.some((operand) => operand.letters.includes(letter))

const decoder = createDecoder(rows)
const nothing = { lookup: () => undefined }
const unnamed = (reference: string): string => reference

/** One instruction as text. What the table does not have is written as `.inst`, with its name where it has one. */
export function disassemble(word: number, address: number | bigint): string {
  const row = decoder.decode(word >>> 0)
  const raw = `.inst ${hex(word >>> 0)}`
  if (row === undefined) return raw
  const here = BigInt(address)
  for (const form of formsOf(word)) {
    const text = textOf(form, form.row.fieldsOf(word), here)
    if (text === undefined) continue
    const operands = parseOperands({ tokens: lex(text, 1), at: 0, local: unnamed })
    if (isProblem(operands)) continue
    const instruction = { mnemonic: form.mnemonic, operands, address: here, column: 1 }
    if (encode(instruction, nothing) === word >>> 0) return text === '' ? form.mnemonic : `${form.mnemonic} ${text}`
  }
  return `${raw} // ${row.name}`
}
