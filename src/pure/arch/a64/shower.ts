/** How the disassembler writes an operand. */

export interface Context {
  readonly f: Readonly<Record<string, number>>
  readonly letters: string
  readonly address: bigint
  readonly mnemonic: string
  /** The field of the nth letter. */
  at(n: number): number
}

/** The text of an operand; `''` for one that need not be written, `undefined` where the form does not fit. */
export type Shower = (c: Context) => string | undefined

export const hex = (value: bigint | number): string =>
  value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`
