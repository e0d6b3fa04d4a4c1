/** The person's or the program's end of the console: stdin and stdout. */

const ESCAPE = 0x01
const LEAVE = [0x78, 0x58]

export interface Terminal {
  /** Someone sits there: time should pass as on the wall. */
  readonly interactive: boolean
  /** Nothing will ever be typed any more. */
  ended(): boolean
  close(): void
}

/** As in QEMU: Ctrl-A x leaves, Ctrl-A Ctrl-A is a Ctrl-A. */
export class EscapeKey {
  private escaped = false

  /** The bytes for the guest; `undefined`: leave. */
  filter(bytes: Uint8Array): Uint8Array | undefined {
    const kept: number[] = []
    for (const byte of bytes) {
      if (this.escaped && LEAVE.includes(byte)) return undefined
      if (byte === ESCAPE && !this.escaped) {
        this.escaped = true
        continue
      }
      if (this.escaped && byte !== ESCAPE) kept.push(ESCAPE)
      this.escaped = false
      kept.push(byte)
    }
    return Uint8Array.from(kept)
  }
}

export const openTerminal = (onInput: (bytes: Uint8Array) => void, onLeave: () => void): Terminal => {
  const { stdin } = process
  const interactive = stdin.isTTY
  const key = new EscapeKey()
  let ended = false
  const receive = (bytes: Uint8Array): void => {
    const kept = interactive ? key.filter(bytes) : bytes
    if (kept === undefined) onLeave()
    else if (kept.length > 0) onInput(kept)
  }
  if (interactive) stdin.setRawMode(true)
  stdin.on('data', receive)
  stdin.on('end', () => (ended = true))
  stdin.on('error', () => (ended = true))
  return {
    interactive,
    ended: () => ended,
    close: () => {
      stdin.off('data', receive)
      if (interactive) stdin.setRawMode(false)
      stdin.destroy()
    },
  }
}
