/**
 * An instruction is described once, by a row: the manual's name, its bits, its syntax, and its body
 * over the vocabulary of `ops.ts`. Decoder, interpreter, translator, assembler and fuzzer read the rows.
 */
import type { Feature } from '../cpu/features.ts'
import type { Operand, Ops } from './ops.ts'

/** The letters of a bit string are fields; `0` and `1` are fixed; spaces are for the eye. */
type Letters<S extends string> = S extends `${infer C}${infer Rest}`
  ? (C extends '0' | '1' | ' ' ? never : C) | Letters<Rest>
  : never
export type Fields<Bits extends string> = Readonly<Record<Letters<Bits>, number>>
type Letterset<S extends string> = S extends `${infer C}${infer Rest}` ? C | Letterset<Rest> : never

/**
 * `jump` goes to a known target, `branch` to it or on; `call` to a target, known or a register's value, that is meant to
 * come back; `indirect` to a register's value, `leave` to wherever an exception, a return from one or a wait leads.
 */
export type Flow = 'jump' | 'call' | 'branch' | 'indirect' | 'leave'

export interface RowSpec<Bits extends string, Variants extends string, P extends Record<string, Operand>> {
  /**
   * The letters that are variants: every combination has a handler of its own, and a body may ask for
   * them with an `if`. All other fields reach the body as operands only.
   */
  variants?: Variants
  /** Values of letters that are constant in this row: tables of rows share one bit string. */
  fixed?: Readonly<Partial<Fields<Bits>>>
  /** False for encodings that this row does not allocate (another row, or UNDEFINED). Sees all fields. */
  when?: (f: Fields<Bits>) => boolean
  /** Fields of an encoding that the row allocates, where `when` leaves few. */
  example?: Partial<Fields<Bits>>
  /** The operands, as plain values, once, when the word is decoded. Their kinds depend on variants only. */
  operands: (f: Fields<Bits>) => P
  body: <V>(o: Ops<V>, v: Readonly<Record<Letterset<Variants>, number>>, p: P) => void
  /** `frequent` rows are inlined into the interpreter's loop; the others are functions of their own. */
  frequent?: boolean
  /** Its code is long: the translator calls the function that the interpreter has for it. It neither faults nor branches. */
  long?: boolean
  /** Ends a basic block, and how: control does not simply go on to the next instruction. */
  flow?: Flow
  /** Uses the floating-point and vector registers, to which CPACR_EL1.FPEN controls access. */
  fp?: boolean
  /** Only CPUs with this feature have the row. */
  feature?: Feature
  /** The operand that is the offset of a direct branch, so that its target is known when it is decoded. */
  target?: keyof P & string
}

export interface Row {
  readonly name: string
  readonly bits: string
  readonly syntax: string
  /** `word & mask === match` selects the row (before `when`). */
  readonly mask: number
  readonly match: number
  readonly frequent: boolean
  /** Calling its function is better than to have its code in many places. */
  readonly long: boolean
  readonly flow: Flow | undefined
  /** Subject to CPACR_EL1.FPEN. */
  readonly fp: boolean
  /** Only CPUs with this feature have the row. */
  readonly feature: Feature | undefined
  readonly target: string | undefined
  /** Number of variants: the product of the sizes of the variant fields. */
  readonly variantCount: number
  matches(word: number): boolean
  /** 0..variantCount-1 */
  variantOf(word: number): number
  /** A word of this variant that the row allocates; `undefined` where there is none. */
  sample(variant: number): number | undefined
  operandsOf(word: number): Record<string, Operand>
  emit<V>(o: Ops<V>, word: number, operands: Record<string, Operand>): void
  fieldsOf(word: number): Readonly<Record<string, number>>
  /** The word with these fields, letters that are not named being 0; `undefined` if the row does not allocate it. */
  encode(fields: Readonly<Record<string, number>>): number | undefined
}

interface FieldBits {
  readonly letter: string
  /** Runs of adjacent bits, most significant first. */
  readonly runs: { lsb: number; width: number }[]
  width: number
  /** Of the only run, as most fields have one: its least significant bit, and as many ones as it is wide. */
  lsb: number
  mask: number
}

function parseBits(name: string, bits: string): { mask: number; match: number; fields: FieldBits[] } {
  const text = bits.replaceAll(' ', '')
  if (text.length !== 32) throw new Error(`${name}: ${text.length} bits instead of 32`)
  let mask = 0
  let match = 0
  const fields = new Map<string, FieldBits>()
  for (let i = 0; i < 32; i++) {
    const bit = 31 - i
    const c = text.charAt(i)
    if (c === '0' || c === '1') {
      mask |= 1 << bit
      if (c === '1') match |= 1 << bit
      continue
    }
    let field = fields.get(c)
    if (field === undefined) fields.set(c, (field = { letter: c, runs: [], width: 0, lsb: 0, mask: 0 }))
    const last = field.runs.at(-1)
    if (last !== undefined && last.lsb === bit + 1) {
      last.lsb = bit
      last.width++
    } else field.runs.push({ lsb: bit, width: 1 })
    field.width++
    field.lsb = bit
    field.mask = field.mask * 2 + 1
  }
  return { mask: mask >>> 0, match: match >>> 0, fields: [...fields.values()] }
}

/** The bit string with the letters of `constants` replaced by their values' bits. */
function substitute(bits: string, constants: Readonly<Record<string, number>>): string {
  const left = new Map(
    Object.entries(constants).map(([letter, value]) => [letter, { value, bits: bits.split(letter).length - 1 }]),
  )
  let out = ''
  for (const c of bits) {
    const constant = left.get(c)
    out += constant === undefined ? c : (constant.value >>> --constant.bits) & 1
  }
  return out
}

/** A record whose keys are, by construction from the bit string, those that `T` names. */
const typed = <T>(record: Record<string, unknown>): T => record as T

const extract = (word: number, { lsb, mask, runs }: FieldBits): number => {
  if (runs.length === 1) return (word >>> lsb) & mask
  let value = 0
  for (const run of runs) value = (value << run.width) | ((word >>> run.lsb) & (2 ** run.width - 1))
  return value >>> 0
}

const insert = (word: number, field: FieldBits, value: number): number => {
  let left = field.width
  for (const run of field.runs) {
    left -= run.width
    word |= ((value >>> left) & (2 ** run.width - 1)) << run.lsb
  }
  return word >>> 0
}

/** Values for fields of these widths: all zero, all ones, one at a time set, then a fixed arbitrary sequence. */
function fillings(widths: readonly number[]): number[][] {
  const all = [widths.map(() => 0), widths.map((w) => 2 ** w - 1)]
  for (let i = 0; i < widths.length; i++) {
    all.push(widths.map((w, j) => (i === j ? 2 ** w - 1 : 0)))
    all.push(widths.map((_, j) => (i === j ? 1 : 0)))
  }
  let state = 1
  for (let i = 0; i < 64; i++)
    all.push(
      widths.map((w) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return Math.floor((state / 2 ** 32) * 2 ** w)
      }),
    )
  return all
}

/**
 * A row. The bit string is written as in the manual, most significant bit first; one letter a field.
 * Rows are tried in the order of their table among those whose fixed bits match, most fixed bits first.
 */
export function a64<
  const Bits extends string,
  const P extends Record<string, Operand>,
  const Variants extends Letters<Bits> | '' | string = '',
>(name: string, bits: Bits, syntax: string, spec: RowSpec<Bits, Variants, P>): Row {
  const constants: Record<string, number> = { ...spec.fixed }
  const shown = substitute(bits, constants)
  const { mask, match, fields } = parseBits(name, shown)
  const byLetter = new Map(fields.map((f) => [f.letter, f]))
  const variants = [...(spec.variants ?? '')].map((letter) => {
    const field = byLetter.get(letter)
    if (field === undefined) throw new Error(`${name}: no field '${letter}'`)
    return field
  })
  // Matching, operands and emission ask for the fields of one word in a row: one object for all words, which nobody keeps.
  const last: Record<string, number> = { ...constants, ...Object.fromEntries(fields.map((f) => [f.letter, 0])) }
  let lastWord = -1
  const fieldsOf = (word: number): Readonly<Record<string, number>> => {
    if (word === lastWord) return last
    for (const f of fields) last[f.letter] = extract(word, f)
    lastWord = word
    return last
  }
  const variantCount = variants.reduce((n, f) => n * 2 ** f.width, 1)
  return {
    name,
    bits: shown,
    syntax,
    mask,
    match,
    frequent: spec.frequent ?? false,
    long: spec.long ?? false,
    flow: spec.flow,
    fp: spec.fp ?? false,
    feature: spec.feature,
    target: spec.target,
    variantCount,
    matches: (word) => (word & mask) >>> 0 === match && (spec.when?.(typed(fieldsOf(word))) ?? true),
    variantOf: (word) => variants.reduce((n, f) => n * 2 ** f.width + extract(word, f), 0),
    sample: (variant) => {
      let word = match
      for (const f of variants.toReversed()) {
        word = insert(word, f, variant % 2 ** f.width)
        variant = Math.floor(variant / 2 ** f.width)
      }
      const others = fields.filter((f) => !variants.includes(f))
      const example: Readonly<Record<string, number | undefined>> = spec.example ?? {}
      const allocated = (values: readonly number[]): number | undefined => {
        const filled = others.reduce((partly, f, i) => insert(partly, f, values[i] ?? 0), word)
        return (spec.when?.(typed(fieldsOf(filled))) ?? true) ? filled : undefined
      }
      const first = allocated(others.map((f) => example[f.letter] ?? 0))
      if (first !== undefined) return first
      for (const values of fillings(others.map((f) => f.width))) {
        const filled = allocated(values)
        if (filled !== undefined) return filled
      }
      return undefined
    },
    operandsOf: (word) => spec.operands(typed(fieldsOf(word))),
    emit: (o, word, operands) => spec.body(o, typed(fieldsOf(word)), typed(operands)),
    fieldsOf: (word) => ({ ...fieldsOf(word) }),
    encode: (values) => {
      let word = match
      for (const [letter, value] of Object.entries(values)) {
        const field = byLetter.get(letter)
        if (field === undefined) throw new Error(`${name}: no field '${letter}'`)
        if (value < 0 || value >= 2 ** field.width) throw new Error(`${name}: ${value} does not fit field '${letter}'`)
        word = insert(word, field, value)
      }
      return spec.when?.(typed(fieldsOf(word))) === false ? undefined : word
    },
  }
}
