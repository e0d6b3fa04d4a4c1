/** Instruction words of a row that name few registers, so that what they write is soon read. */
import type { Row } from '../pure/arch/a64/row.ts'
import type { Random } from './oracle/operands.ts'

const REGISTERS = 8
const REGISTER_LETTERS = new Set(['d', 'n', 'm', 'a', 't', 'u', 'r'])

/** A word of the row that names registers of the state only (or ZR); `undefined`: none was found. */
export function wordOf(row: Row, random: Random): number | undefined {
  for (let attempt = 0; attempt < 200; attempt++) {
    let word = (row.match | (Number(random.u64() & 0xffffffffn) & ~row.mask)) >>> 0
    word = keepRegistersLow(row, word, random)
    if (row.matches(word) && isUsable(row, word)) return word
  }
  return undefined
}

/** Replaces register fields of five (or four) bits by numbers below 8, or now and then 31. */
function keepRegistersLow(row: Row, word: number, random: Random): number {
  const text = row.bits.replaceAll(' ', '')
  for (const letter of REGISTER_LETTERS) {
    const first = text.indexOf(letter)
    const width = text.lastIndexOf(letter) - first + 1
    if (first < 0 || width < 4) continue
    const value = width === 5 && random.below(10) === 0 ? 31 : random.below(REGISTERS)
    const shift = 31 - text.lastIndexOf(letter)
    word = (word & ~((2 ** width - 1) << shift)) | (value << shift)
  }
  return word >>> 0
}

const ZERO = 32

function isUsable(row: Row, word: number): boolean {
  const operands = Object.entries(row.operandsOf(word))
  for (const [, o] of operands) {
    if (o.kind === 'v' && o.value >= REGISTERS) return false
    if (o.kind === 'x' && o.value >= REGISTERS && o.value < ZERO) return false
  }
  return true
}
