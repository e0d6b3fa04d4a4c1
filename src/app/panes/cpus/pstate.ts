/** PSTATE as SPSR_EL1 lays it out (Arm ARM C5.2.18), in a word. */

const FLAGS = ['N', 'Z', 'C', 'V'] as const
const MASKS = ['D', 'A', 'I', 'F'] as const
const FLAGS_LSB = 28
const MASKS_LSB = 6

const letters = (names: readonly string[], value: number): string =>
  names.map((name, i) => (((value >> (names.length - 1 - i)) & 1) === 1 ? name : name.toLowerCase())).join('')

/** `EL1h` for EL1 with its own stack pointer, `EL1t` for EL1 with SP_EL0. */
export const modeText = (pstate: bigint): string => {
  const value = Number(pstate)
  const el = (value >> 2) & 3
  return el === 0 ? 'EL0t' : `EL${el}${(value & 1) === 1 ? 'h' : 't'}`
}

/** Set flags and masks are capital. */
export const pstateText = (pstate: bigint): string => {
  const value = Number(BigInt.asUintN(32, pstate))
  return `${letters(FLAGS, (value >>> FLAGS_LSB) & 15)} ${letters(MASKS, (value >> MASKS_LSB) & 15)} ${modeText(pstate)}`
}

/** An address a person typed: hexadecimal digits, or the name of a symbol. */
export const addressOf = (text: string): bigint | undefined =>
  /^(0x)?[0-9a-f]{4,16}$/i.test(text.trim()) && /\d/.test(text)
    ? BigInt(`0x${text.trim().replace(/^0x/i, '')}`)
    : undefined

/** V0 to V31 in the shape that is easiest to compare: 64 bits, and 64 bits. */
export const vectorText = (value: bigint): string => {
  const half = (part: bigint): string => BigInt.asUintN(64, part).toString(16).padStart(16, '0')
  return `${half(value >> 64n)}_${half(value)}`
}

export const wordText = (value: bigint): string => value.toString(16).padStart(16, '0')
