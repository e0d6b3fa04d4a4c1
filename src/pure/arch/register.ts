/** A small vocabulary for register tables: what behaviour is dispatched by and what pages explain. */

export interface Field {
  readonly name: string
  readonly lsb: number
  readonly width: number
  /** What a value means, which may depend on the rest of the register; without it the number speaks for itself. */
  readonly text?: (value: bigint, register: bigint) => string
}

/** What one bit means. */
export const whether =
  (set: string, clear: string) =>
  (value: bigint): string =>
    value === 1n ? set : clear

/** A bank in which interrupt n has `bits` bits: word n * bits / 32 and so on (IHI 0069, 12.9). */
export interface PerIrq {
  /** Bits of one interrupt. */
  readonly bits: 1 | 2 | 8 | 64
  /** What they mean. */
  readonly text?: Field['text']
}

export interface Register {
  readonly name: string
  readonly offset: number
  /** In bytes: of the register, or of the whole bank. */
  readonly size: number
  /** The access widths, in bytes, that reach it. */
  readonly access: readonly (1 | 2 | 4 | 8)[]
  readonly perIrq?: PerIrq
  /** A row of registers of so many bytes each, counted from 0. */
  readonly each?: 4 | 8
  readonly fields?: readonly Field[]
}

export interface Explained {
  readonly field: string
  /** `63:32`, or `4` for one bit. */
  readonly bits: string
  readonly value: bigint
  readonly text: string
}

export const WORD = [4] as const
/** A 64-bit register that may be accessed by halves. */
export const DOUBLEWORD = [4, 8] as const
export const BYTE_OR_WORD = [1, 4] as const

export const fieldMask = ({ lsb, width }: Field): bigint => ((1n << BigInt(width)) - 1n) << BigInt(lsb)

/** By name; guests poll registers that are put together at each read. */
const fieldsByName = new WeakMap<Register, ReadonlyMap<string, Field>>()

const fieldOf = (register: Register, name: string): Field => {
  let fields = fieldsByName.get(register)
  if (fields === undefined) {
    fields = new Map((register.fields ?? []).map((field) => [field.name, field]))
    fieldsByName.set(register, fields)
  }
  const field = fields.get(name)
  if (field === undefined) throw new Error(`${register.name} has no field ${name}`)
  return field
}

export const bitsText = ({ lsb, width }: Field): string => (width === 1 ? `${lsb}` : `${lsb + width - 1}:${lsb}`)

/** Puts field values together; what is not named is 0. A value too wide for its field is a mistake. */
export const encodeRegister = (
  register: Register,
  values: Readonly<Record<string, bigint | number | boolean>>,
): bigint => {
  let all = 0n
  for (const [name, given] of Object.entries(values)) {
    const field = fieldOf(register, name)
    const value = BigInt(given)
    if (value < 0n || value >> BigInt(field.width) !== 0n) {
      throw new Error(`${register.name}.${name} = ${value} does not fit ${field.width} bits`)
    }
    all |= value << BigInt(field.lsb)
  }
  return all
}

export const decodeField = (register: Register, name: string, value: bigint): bigint => {
  const field = fieldOf(register, name)
  return (value & fieldMask(field)) >> BigInt(field.lsb)
}

/** Every field of a value, highest bits first. */
export const explainRegister = (register: Register, value: bigint): readonly Explained[] =>
  (register.fields ?? [])
    .toSorted((a, b) => b.lsb - a.lsb)
    .map((field) => {
      const part = (value & fieldMask(field)) >> BigInt(field.lsb)
      return {
        field: field.name,
        bits: bitsText(field),
        value: part,
        text: field.text?.(part, value) ?? (field.width === 1 ? `${part}` : `0x${part.toString(16)}`),
      }
    })

/** The interrupts of a bank that an access of `width` bytes at `offset` (from the frame's start) covers. */
export const firstIrqAt = (register: Register, offset: number): number =>
  Math.floor(((offset - register.offset) * 8) / (register.perIrq?.bits ?? 8))

/** By offset; ready for a binary search. Two registers that overlap are a mistake. */
export const registerFrame = (registers: readonly Register[]): readonly Register[] => {
  const sorted = registers.toSorted((a, b) => a.offset - b.offset)
  for (const [i, register] of sorted.entries()) {
    const next = sorted[i + 1]
    if (next !== undefined && register.offset + register.size > next.offset) {
      throw new Error(`${register.name} overlaps ${next.name}`)
    }
  }
  return sorted
}

/** The register at this offset of a frame, or `undefined`. */
export const registerAt = (frame: readonly Register[], offset: number): Register | undefined => {
  let low = 0
  let high = frame.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((frame[middle]?.offset ?? Infinity) <= offset) low = middle + 1
    else high = middle
  }
  const register = frame[low - 1]
  return register !== undefined && offset < register.offset + register.size ? register : undefined
}
