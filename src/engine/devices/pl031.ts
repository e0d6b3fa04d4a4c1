/** A PL031 real-time clock: seconds of virtual time since a given second. */
import { PL031_ID, PL031_SIZE, pl031Frame } from '../../pure/arch/devices/pl031.ts'
import type { Pl031Name } from '../../pure/arch/devices/pl031.ts'
import { primeCellWord } from '../../pure/arch/devices/primecell.ts'
import { registerAt } from '../../pure/arch/register.ts'
import type { Cancel, Clock } from '../bus/clock.ts'
import type { AccessWidth, MmioRegion } from '../bus/device.ts'
import { numberIn } from '../bus/device-state.ts'
import type { DeviceState, Saved } from '../bus/device-state.ts'
import type { IrqLine } from '../bus/irq-line.ts'

const NS_PER_SECOND = 1_000_000_000
const WORD = 2 ** 32

export interface Pl031Options {
  readonly base: number
  readonly irq: IrqLine
  readonly clock: Clock
  /** Seconds since 1970 when virtual time is 0. */
  readonly seconds: number
}

interface Row {
  readonly read?: () => number
  readonly write?: (value: number) => void
}

export class Pl031 implements MmioRegion, Saved {
  readonly name = 'PL031'
  readonly base: number
  readonly size = PL031_SIZE
  readonly registers = { frame: 'PL031' } as const
  private readonly o: Pl031Options
  private readonly rows: ReadonlyMap<string, Row>
  /** Seconds at virtual time 0, after what the guest loaded. */
  private origin: number
  private match = 0
  private load: number
  private mask = 0
  private raw = 0
  private level = false
  private cancel: Cancel | undefined
  /** Whether the alarm is yet to ring. */
  private armed = false

  constructor(o: Pl031Options) {
    this.o = o
    this.base = o.base
    this.origin = o.seconds
    this.load = o.seconds % WORD
    const rows: Record<Pl031Name, Row> = {
      RTCDR: { read: () => this.seconds() },
      RTCMR: {
        read: () => this.match,
        write: (value) => {
          this.match = value
          this.arm()
        },
      },
      RTCLR: {
        read: () => this.load,
        write: (value) => {
          this.load = value
          this.origin = value - this.elapsed()
          this.arm()
        },
      },
      // It runs from the start, and cannot be stopped.
      RTCCR: { read: () => 1 },
      RTCIMSC: {
        read: () => this.mask,
        write: (value) => {
          this.mask = value & 1
          this.drive()
        },
      },
      RTCRIS: { read: () => this.raw },
      RTCMIS: { read: () => this.raw & this.mask },
      RTCICR: {
        write: (value) => {
          this.raw &= ~value
          this.drive()
        },
      },
    }
    this.rows = new Map<string, Row>(Object.entries(rows))
  }

  saveState(): DeviceState {
    const { origin, match, load, mask, raw, level, armed } = this
    return { origin, match, load, mask, raw, level: Number(level), armed: Number(armed) }
  }

  restoreState(state: DeviceState): void {
    this.origin = numberIn(state, 'origin')
    this.match = numberIn(state, 'match')
    this.load = numberIn(state, 'load')
    this.mask = numberIn(state, 'mask')
    this.raw = numberIn(state, 'raw')
    this.level = numberIn(state, 'level') === 1
    if (numberIn(state, 'armed') === 1) this.arm()
  }

  read(offset: number, width: AccessWidth): bigint {
    const word = offset & ~3
    const value = primeCellWord(PL031_ID, word) ?? this.row(word)?.read?.() ?? 0
    return BigInt.asUintN(width * 8, BigInt(value) >> BigInt((offset & 3) * 8))
  }

  write(offset: number, _width: AccessWidth, value: bigint): void {
    if ((offset & 3) === 0) this.row(offset)?.write?.(Number(BigInt.asUintN(32, value)))
  }

  private row(offset: number): Row | undefined {
    const register = registerAt(pl031Frame, offset)
    return register === undefined ? undefined : this.rows.get(register.name)
  }

  private elapsed(): number {
    return Math.floor(this.o.clock.now() / NS_PER_SECOND)
  }

  private seconds(): number {
    return (((this.origin + this.elapsed()) % WORD) + WORD) % WORD
  }

  /** The alarm rings when the counter equals RTCMR. */
  private arm(): void {
    this.cancel?.()
    this.armed = true
    const away = (this.match - this.seconds() + WORD) % WORD
    const at = (this.elapsed() + away) * NS_PER_SECOND
    this.cancel =
      at > Number.MAX_SAFE_INTEGER
        ? undefined
        : this.o.clock.schedule(at, () => {
            this.armed = false
            this.raw |= 1
            this.drive()
          })
  }

  private drive(): void {
    const level = (this.raw & this.mask) !== 0
    if (level === this.level) return
    this.level = level
    this.o.irq.set(level)
  }
}
