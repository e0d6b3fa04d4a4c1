/** Kinds of operands that are vector registers: whole ones, scalars, elements, lists, and the immediates beside them. */
import { expandFloat, expandImmediate } from '../simd-immediate.ts'
import { amountOf, expected, set, why } from './kind.ts'
import type { Kind, Match } from './kind.ts'
import type { Operand } from './operand.ts'

export const ARRANGEMENTS = ['8b', '16b', '4h', '8h', '2s', '4s', '1d', '2d', '1q', '4b', '2h'] as const
export const SCALARS = ['b', 'h', 's', 'd', 'q'] as const
export const MAX_LIST = 4

const scalar =
  (letter: string): Kind =>
  (m, operand, field) =>
    operand?.kind === 'scalar' && operand.letter === letter
      ? set(m, field, operand.number)
      : expected(`a ${letter.toUpperCase()} register`)

type Vector = Extract<Operand, { kind: 'vector' }>

function vectors(operand: Operand | undefined, arrangement: string, count: number | undefined): Vector | undefined {
  if (operand?.kind !== 'vector' || operand.arrangement !== arrangement) return undefined
  if (operand.list !== (count !== undefined) || operand.registers.length !== (count ?? 1)) return undefined
  return operand.registers.every((r, i) => r === ((operand.registers[0] ?? 0) + i) % 32) ? operand : undefined
}

const whole =
  (arrangement: string): Kind =>
  (m, operand, letters) => {
    const vector = vectors(operand, arrangement, undefined)
    if (vector === undefined || vector.index !== undefined) return expected(`a vector of the form vn.${arrangement}`)
    for (const letter of letters) set(m, letter, vector.registers[0] ?? 0)
    return undefined
  }

const list =
  (count: number, arrangement: string): Kind =>
  (m, operand, field) => {
    const vector = vectors(operand, arrangement, count)
    if (vector === undefined || vector.index !== undefined)
      return expected(`a list of ${count} vectors in a row, as {vn.${arrangement}, …}`)
    return set(m, field, vector.registers[0] ?? 0)
  }

/** The index of an element, which has to be below `limit`. */
function indexOf(m: Match, vector: Vector, limit: number): number | ReturnType<typeof why> {
  const index = vector.index === undefined ? undefined : m.value(vector.index)
  if (index === undefined) return expected('the index of an element')
  if (index < 0n || index >= BigInt(limit)) return why(`The element ${index} is out of range: 0 to ${limit - 1}.`)
  return Number(index)
}

/** One element: letters of the register and of the index, which is stored shifted left by `shift`. */
const element =
  (letter: string, limit: number, shift: number, spread?: (m: Match, letters: string, index: number) => void): Kind =>
  (m, operand, letters) => {
    const vector = vectors(operand, letter, undefined)
    if (vector === undefined) return expected(`an element of the form vn.${letter}[index]`)
    const index = indexOf(m, vector, limit)
    if (typeof index !== 'number') return index
    const number = vector.registers[0] ?? 0
    set(m, letters[0], number)
    if (spread === undefined) return set(m, letters[1], index << shift)
    spread(m, letters, index)
    return undefined
  }

/** Letters m, L, M, H of the instructions by element: which bits are the register's depends on the element's size. */
const byElement = (size: number, letter = 'bhsd'.charAt(size), limit = 16 >> size): Kind => {
  const plain = element(letter, limit, 0, (m, _letters, index) => {
    set(m, 'H', size === 3 ? index : index >> (size === 1 ? 2 : 1))
    if (size < 3) set(m, 'L', (index >> (size === 1 ? 1 : 0)) & 1)
    if (size === 1) set(m, 'M', index & 1)
  })
  return (m, operand, letters) => {
    const bad = plain(m, operand, letters)
    if (bad !== undefined) return bad
    const number = m.fields['m'] ?? 0
    if (size === 1) return number < 16 ? undefined : why('An element of 16 bits is taken from V0 to V15 only.')
    set(m, 'm', number & 15)
    return set(m, 'M', number >> 4)
  }
}

const complexElement = (size: 1 | 2): Kind =>
  element('bhsd'.charAt(size), 8 >> size, 0, (m, _letters, index) => {
    const number = m.fields['m'] ?? 0
    set(m, 'm', number & 15)
    set(m, 'M', number >> 4)
    set(m, 'H', size === 1 ? index >> 1 : index)
    if (size === 1) set(m, 'L', index & 1)
  })

/** A list whose elements with one index are meant: letters t, Q, i, s, the last three of which hold the index. */
const lane =
  (count: number, size: number): Kind =>
  (m, operand, letters) => {
    const letter = SCALARS[size] ?? 'b'
    const vector = vectors(operand, letter, count)
    if (vector === undefined) return expected(`elements of ${count} vectors in a row, as {vn.${letter}, …}[index]`)
    const index = indexOf(m, vector, 16 >> size)
    if (typeof index !== 'number') return index
    const bits = index << size
    set(m, letters[0], vector.registers[0] ?? 0)
    set(m, letters[1], bits >> 3)
    set(m, letters[2], (bits >> 2) & 1)
    return set(m, letters[3], (bits & 3) | (size === 3 ? 1 : 0))
  }

const immediate = (m: Match, operand: Operand | undefined): bigint | undefined =>
  operand?.kind === 'value' ? m.value(operand.expression) : undefined

/** An immediate from `low` to `high`, of which `stored` is kept. */
const computed =
  (low: number, high: number, stored: (value: number) => number): Kind =>
  (m, operand, letter) => {
    const value = immediate(m, operand)
    if (value === undefined) return expected('an immediate')
    if (value < BigInt(low) || value > BigInt(high))
      return why(`The immediate ${value} is out of range: ${low} to ${high}.`)
    return set(m, letter, stored(Number(value)))
  }

const exact =
  (wanted: number): Kind =>
  (m, operand) =>
    immediate(m, operand) === BigInt(wanted) ? undefined : expected(`#${wanted}`)

const floatZero: Kind = (_m, operand) =>
  operand?.kind === 'float' && Object.is(operand.value, 0) ? undefined : expected('#0.0')

/** What an 8-bit immediate stands for. */
export function floatOf(imm8: number): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, expandFloat(imm8, 64))
  return view.getFloat64(0)
}
const imm8ByFloat = new Map(Array.from({ length: 256 }, (_, imm8) => [floatOf(imm8), imm8]))

/** Letters of the whole immediate, or of its upper three and lower five bits. */
function setImm8(m: Match, letters: string, imm8: number): undefined {
  if (letters.length < 2) return set(m, letters, imm8)
  set(m, letters[0], imm8 >> 5)
  return set(m, letters[1], imm8 & 31)
}

const float: Kind = (m, operand, letters) => {
  const integer = immediate(m, operand)
  const value = operand?.kind === 'float' ? operand.value : integer === undefined ? undefined : Number(integer)
  if (value === undefined) return expected('a floating-point number')
  const imm8 = imm8ByFloat.get(value)
  if (imm8 === undefined) return why(`${value} is not a floating-point immediate (n/16 · 2^r, n from 16 to 31).`)
  return setImm8(m, letters, imm8)
}

const byte: Kind = (m, operand, letters) => {
  const value = immediate(m, operand)
  if (value === undefined) return expected('an immediate')
  if (value < 0n || value > 255n) return why(`The immediate ${value} is out of range: 0 to 255.`)
  return setImm8(m, letters, Number(value))
}

/** 64 bits of which each byte is zeros or ones. */
const mask: Kind = (m, operand, letters) => {
  const value = immediate(m, operand)
  if (value === undefined) return expected('an immediate')
  let imm8 = 0
  for (let i = 0; i < 8; i++) if (((value >> BigInt(8 * i)) & 0xffn) === 0xffn) imm8 |= 1 << i
  if (BigInt.asUintN(64, value) !== expandImmediate(1, 14, imm8)) return why('Each byte of the immediate is 0 or 0xff.')
  return setImm8(m, letters, imm8)
}

const shifter =
  (name: string, amount: number): Kind =>
  (m, operand) =>
    amountOf(m, operand, name) === BigInt(amount) ? undefined : expected(`${name} #${amount}`)

const rotation =
  (first: number, step: number): Kind =>
  (m, operand, letter) => {
    const value = immediate(m, operand)
    if (value === undefined || (value - BigInt(first)) % BigInt(step) !== 0n || value < 0n || value > 270n)
      return expected(`a rotation: ${step === 90 ? '0, 90, 180 or 270' : '90 or 270'}`)
    return set(m, letter, (Number(value) - first) / step)
  }

const all: Record<string, Kind> = {
  /** The upper half of a register, which is written as its element 1. */
  upper: (m, operand, letter) => {
    const vector = vectors(operand, 'd', undefined)
    const index = vector?.index === undefined ? undefined : m.value(vector.index)
    return index === 1n ? set(m, letter, vector?.registers[0] ?? 0) : expected('the element vn.d[1]')
  },
  fzero: floatZero,
  float,
  byte,
  mask,
  fbits: computed(1, 64, (value) => 64 - value),
  fbits32: computed(1, 32, (value) => 64 - value),
  elj0: element('b', 16, 0),
  elj1: element('h', 8, 1),
  elj2: element('s', 4, 2),
  elj3: element('d', 2, 3),
  // Of four bytes each: the products of DOT.
  ix4b: byElement(2, '4b', 4),
  // A pair of elements, a complex number: of halfwords H:L, of words H is its index.
  complex1: complexElement(1),
  complex2: complexElement(2),
  rot90: rotation(0, 90),
  rot180: rotation(90, 180),
}
for (const letter of SCALARS) all[`f${letter}`] = scalar(letter)
for (const arrangement of ARRANGEMENTS) {
  all[`v${arrangement}`] = whole(arrangement)
  for (let count = 1; count <= MAX_LIST; count++) all[`list${count}${arrangement}`] = list(count, arrangement)
}
for (const [size, letter] of [...'bhsd'].entries()) {
  const bits = 8 << size
  all[`el${letter}`] = element(letter, 16 >> size, 0)
  all[`ix${size}`] = byElement(size)
  all[`left${bits}`] = computed(0, bits - 1, (value) => value)
  all[`right${bits}`] = computed(1, bits, (value) => bits - value)
  for (let count = 1; count <= MAX_LIST; count++) all[`lane${count}${letter}`] = lane(count, size)
}
for (let amount = 0; amount <= 64; amount++) all[`exact${amount}`] = exact(amount)
for (const amount of [0, 8, 16, 24]) {
  all[`lsl${amount}`] = shifter('lsl', amount)
  all[`msl${amount}`] = shifter('msl', amount)
}

export const simdKinds: Readonly<Record<string, Kind>> = all
