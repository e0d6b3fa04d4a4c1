/** A PL011 UART whose wire is endlessly fast: what the guest writes has left, what the host sends waits its turn. */
import {
  CR,
  FR,
  INT,
  LCR_H,
  PL011_FIFO,
  PL011_ID,
  PL011_SIZE,
  PL011_STORED,
  pl011Frame,
  RX_LEVELS,
  RXIFLSEL,
} from '../../pure/arch/devices/pl011.ts'
import type { Pl011Name } from '../../pure/arch/devices/pl011.ts'
import { primeCellWord } from '../../pure/arch/devices/primecell.ts'
import { registerAt } from '../../pure/arch/register.ts'
import type { AccessWidth, MmioRegion } from '../bus/device.ts'
import { numberIn, numbersIn } from '../bus/device-state.ts'
import type { DeviceState, Saved } from '../bus/device-state.ts'
import type { IrqLine } from '../bus/irq-line.ts'

export interface Pl011Options {
  readonly base: number
  /** UARTINTR, all interrupts combined. */
  readonly irq: IrqLine
  readonly transmit: (bytes: Uint8Array) => void
}

interface Row {
  readonly read?: () => number
  readonly write?: (value: number) => void
}

const STORED_NAMES = [
  'UARTILPR',
  'UARTIBRD',
  'UARTFBRD',
  'UARTLCR_H',
  'UARTCR',
  'UARTIFLS',
  'UARTIMSC',
  'UARTDMACR',
] as const satisfies readonly (keyof typeof PL011_STORED)[]

export class Pl011 implements MmioRegion, Saved {
  readonly name = 'PL011'
  readonly base: number
  readonly size = PL011_SIZE
  readonly registers = { frame: 'PL011' } as const
  private readonly o: Pl011Options
  private readonly rows: ReadonlyMap<string, Row>
  private readonly stored: Record<keyof typeof PL011_STORED, number>
  /** What the host sent and the FIFO has not taken yet; so nothing is ever overrun. */
  private readonly waiting: number[] = []
  private taken = 0
  private readonly fifo: number[] = []
  private raw = 0
  private level = false

  constructor(o: Pl011Options) {
    this.o = o
    this.base = o.base
    this.stored = {
      UARTILPR: PL011_STORED.UARTILPR.reset,
      UARTIBRD: PL011_STORED.UARTIBRD.reset,
      UARTFBRD: PL011_STORED.UARTFBRD.reset,
      UARTLCR_H: PL011_STORED.UARTLCR_H.reset,
      UARTCR: PL011_STORED.UARTCR.reset,
      UARTIFLS: PL011_STORED.UARTIFLS.reset,
      UARTIMSC: PL011_STORED.UARTIMSC.reset,
      UARTDMACR: PL011_STORED.UARTDMACR.reset,
    }
    this.rows = new Map<string, Row>(Object.entries(this.handlers()))
  }

  /** Bytes from the host's side of the wire. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.waiting.push(byte)
    this.feed()
  }

  saveState(): DeviceState {
    const { stored, fifo, raw, level } = this
    return { ...stored, fifo: [...fifo], waiting: this.waiting.slice(this.taken), raw, level: Number(level) }
  }

  restoreState(state: DeviceState): void {
    for (const name of STORED_NAMES) this.stored[name] = numberIn(state, name) & PL011_STORED[name].mask
    this.fifo.push(...numbersIn(state, 'fifo').slice(0, PL011_FIFO))
    this.waiting.push(...numbersIn(state, 'waiting'))
    this.raw = numberIn(state, 'raw')
    // The GIC has the line's level already.
    this.level = numberIn(state, 'level') === 1
  }

  read(offset: number, width: AccessWidth): bigint {
    const word = offset & ~3
    const value = primeCellWord(PL011_ID, word) ?? this.row(word)?.read?.() ?? 0
    return BigInt.asUintN(width * 8, BigInt(value >>> ((offset & 3) * 8)))
  }

  write(offset: number, _width: AccessWidth, value: bigint): void {
    if ((offset & 3) === 0) this.row(offset)?.write?.(Number(BigInt.asUintN(32, value)))
  }

  private row(offset: number): Row | undefined {
    const register = registerAt(pl011Frame, offset)
    return register === undefined ? undefined : this.rows.get(register.name)
  }

  private handlers(): Record<Pl011Name, Row> {
    const store = (name: keyof typeof PL011_STORED, after: () => void = () => {}): Row => ({
      read: () => this.stored[name],
      write: (value) => {
        this.stored[name] = value & PL011_STORED[name].mask
        after()
      },
    })
    return {
      UARTDR: { read: () => this.take(), write: (value) => this.send(value & 0xff) },
      UARTRSR: {},
      UARTFR: { read: () => this.flags() },
      UARTILPR: store('UARTILPR'),
      UARTIBRD: store('UARTIBRD'),
      UARTFBRD: store('UARTFBRD'),
      UARTLCR_H: store('UARTLCR_H', () => this.feed()),
      UARTCR: store('UARTCR', () => this.feed()),
      UARTIFLS: store('UARTIFLS', () => this.feed()),
      UARTIMSC: store('UARTIMSC', () => this.drive()),
      UARTRIS: { read: () => this.raw },
      UARTMIS: { read: () => this.raw & this.stored.UARTIMSC },
      UARTICR: {
        write: (value) => {
          this.raw &= ~value
          this.drive()
        },
      },
      UARTDMACR: store('UARTDMACR'),
    }
  }

  private depth(): number {
    return (this.stored.UARTLCR_H & LCR_H.FEN) === 0 ? 1 : PL011_FIFO
  }

  private trigger(): number {
    if (this.depth() === 1) return 1
    return RX_LEVELS[(this.stored.UARTIFLS >>> RXIFLSEL.lsb) & RXIFLSEL.mask] ?? PL011_FIFO
  }

  private flags(): number {
    const { length } = this.fifo
    return FR.TXFE | (length === 0 ? FR.RXFE : 0) | (length >= this.depth() ? FR.RXFF : 0)
  }

  /** The FIFO takes what is waiting. Its interrupts: the trigger level reached, or something left and no more coming. */
  private feed(): void {
    if ((this.stored.UARTCR & CR.RXE) === 0) return
    const before = this.fifo.length
    const room = this.depth()
    while (this.fifo.length < room && this.taken < this.waiting.length) this.fifo.push(this.waiting[this.taken++] ?? 0)
    if (this.taken === this.waiting.length) {
      this.waiting.length = 0
      this.taken = 0
    }
    const { length } = this.fifo
    if (length > before) {
      if (length >= this.trigger()) this.raw |= INT.RX
      if (this.waiting.length === 0) this.raw |= INT.RT
    }
    this.drive()
  }

  private take(): number {
    const byte = this.fifo.shift() ?? 0
    if (this.fifo.length < this.trigger()) this.raw &= ~INT.RX
    if (this.fifo.length === 0) this.raw &= ~INT.RT
    this.feed()
    return byte
  }

  private send(byte: number): void {
    if ((this.stored.UARTCR & CR.LBE) === 0) this.o.transmit(Uint8Array.of(byte))
    else this.receive(Uint8Array.of(byte))
    // The transmit FIFO has passed its trigger level, downwards, as soon as it is written.
    this.raw |= INT.TX
    this.drive()
  }

  /** Only changes reach the line: an interrupt that is still configured as an edge would see each as a new one. */
  private drive(): void {
    const level = (this.raw & this.stored.UARTIMSC) !== 0
    if (level === this.level) return
    this.level = level
    this.o.irq.set(level)
  }
}
