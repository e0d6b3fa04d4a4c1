/** How tables of fields are written down. */
import { whether } from '../../register.ts'
import type { Field } from '../../register.ts'

export const bit = (name: string, lsb: number, set?: string, clear?: string): Field =>
  set === undefined ? { name, lsb, width: 1 } : { name, lsb, width: 1, text: whether(set, clear ?? `not: ${set}`) }

export const part = (name: string, lsb: number, width: number, text?: Field['text']): Field =>
  text === undefined ? { name, lsb, width } : { name, lsb, width, text }

/** A value that chooses from a list; what is missing in it is reserved. */
export const choice = (name: string, lsb: number, width: number, words: readonly (string | undefined)[]): Field =>
  part(name, lsb, width, (value) => words[Number(value)] ?? 'reserved')

/** An address of which the field has the upper bits. */
export const address = (name: string, lsb: number, width: number, shift = lsb): Field =>
  part(name, lsb, width, (value) => `0x${(value << BigInt(shift)).toString(16)}`)

export const count = (name: string, lsb: number, width: number, what: string, more = 1n): Field =>
  part(name, lsb, width, (value) => `${value + more} ${what}`)
