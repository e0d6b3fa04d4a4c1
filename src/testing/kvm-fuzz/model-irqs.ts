/** A model's interrupts, and on whose list each of them is. */
import { NOBODY } from './model-affinities.ts'
import { IDS, isPrivate, PRIVATES, SPIS } from './operations.ts'

export interface Irq {
  readonly intid: number
  readonly owner: number
  enabled: boolean
  latch: boolean
  line: boolean
  active: boolean
  edge: boolean
  group: 0 | 1
  priority: number
  /** Packed, all four levels. */
  affinity: number
  target: number
  /** On whose list. */
  on: number
}

const newIrq = (intid: number, owner: number): Irq => ({
  intid,
  owner,
  enabled: intid < 16,
  latch: false,
  line: false,
  active: false,
  edge: intid < 16 || !isPrivate(intid),
  group: 1,
  priority: 0,
  affinity: 0,
  target: owner,
  on: NOBODY,
})

export const isPending = ({ latch, line, edge }: Irq): boolean => latch || (line && !edge)

export class Interrupts {
  readonly spis = SPIS.map((intid) => newIrq(intid, NOBODY))
  readonly privates = IDS.map((_, cpu) => PRIVATES.map((intid) => newIrq(intid, cpu)))
  readonly lists: Irq[][] = IDS.map(() => [])
  /** GICD_CTLR. */
  forwarding = false

  find(cpu: number, intid: number): Irq | undefined {
    return this.wordOf(cpu, intid).find((irq) => irq.intid === intid)
  }

  /** Those that share a word of a register. */
  wordOf(cpu: number, intid: number): readonly Irq[] {
    return isPrivate(intid) ? (this.privates[cpu] ?? []) : this.spis
  }

  private home(irq: Irq): number {
    if (irq.active) return irq.on === NOBODY ? irq.target : irq.on
    return irq.enabled && this.forwarding && isPending(irq) ? irq.target : NOBODY
  }

  private put(irq: Irq, cpu: number): void {
    if (irq.on === cpu) return
    const list = this.lists[irq.on]
    list?.splice(list.indexOf(irq), 1)
    irq.on = cpu
    this.lists[cpu]?.push(irq)
  }

  /** What is on a list stays there until its vCPU leaves the guest, wherever it belongs by then. */
  queue(irq: Irq): void {
    if (irq.on === NOBODY) this.put(irq, this.home(irq))
  }

  /** A vCPU leaves the guest: what is on its list and belongs elsewhere moves; nothing that is not queued is. */
  leave(cpu: number): void {
    const before = this.lists[cpu]?.slice() ?? []
    for (const irq of before) this.put(irq, this.home(irq))
  }

  /** All of them do. */
  settle(): void {
    for (const cpu of IDS.keys()) this.leave(cpu)
  }
}
