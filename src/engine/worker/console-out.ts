/**
 * What the guest said since it was last looked. Escape sequences that ask a terminal something are answered by the terminal,
 * as if somebody typed: while a run is repeated those answers are repeated with it, and the terminal shall not be asked.
 */

/** A control sequence (ECMA-48, 5.4): ESC [, parameters and intermediates, a final byte. */
const [ESC, CSI, PARAMETERS, FINAL, LAST] = [0x1b, 0x5b, 0x20, 0x40, 0x7e] as const
/** DA and DSR (ECMA-48, 8.3.24 and 8.3.35): `ESC [ c`, `ESC [ 6 n`. They show nothing. */
const QUERIES: readonly number[] = ['c', 'n'].map((letter) => letter.charCodeAt(0))
/** A sequence that is longer is none. */
const LONGEST = 32

/** DA, DSR and CPR (8.3.14) as a terminal answers them: `ESC [ 24 ; 80 R`. */
export const isTerminalAnswer = (bytes: Uint8Array): boolean =>
  // oxlint-disable-next-line no-control-regex
  /^\u001b\[[>?]?[\d;]*[Rcn]$/.test(String.fromCharCode(...bytes.subarray(0, LONGEST)))

export class ConsoleOut {
  private parts: Uint8Array[] = []
  /** The beginning of a sequence, whose end is still to come. */
  private held: number[] = []

  readonly add = (bytes: Uint8Array): void => {
    this.parts.push(bytes.slice())
  }

  /** `undefined`: nothing. `asks`: whether queries are among it. */
  take(asks: boolean): Uint8Array | undefined {
    const parts = this.parts.splice(0)
    if (asks && this.held.length > 0) parts.unshift(Uint8Array.from(this.held.splice(0)))
    if (parts.length === 0) return undefined
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    return asks ? bytes : this.withoutQueries(bytes)
  }

  private withoutQueries(bytes: Uint8Array): Uint8Array {
    const { held } = this
    const left: number[] = []
    for (const byte of bytes) {
      if (held.length === 0 && byte !== ESC) {
        left.push(byte)
        continue
      }
      held.push(byte)
      const goesOn = held.length === 1 || (held.length === 2 ? byte === CSI : byte >= PARAMETERS && byte < FINAL)
      if (goesOn && held.length < LONGEST) continue
      const isQuery = held.length > 2 && byte >= FINAL && byte <= LAST && QUERIES.includes(byte)
      if (!isQuery) left.push(...held)
      held.length = 0
    }
    return Uint8Array.from(left)
  }
}
