/** The CPU interfaces of a model: what a guest acknowledges, drops and deactivates. All bits of a priority preempt. */
import { isPending } from './model-irqs.ts'
import type { Interrupts, Irq } from './model-irqs.ts'
import { IDS } from './operations.ts'
import type { Group } from './operations.ts'

const SPURIOUS = 1023

interface Acknowledged {
  readonly irq: Irq
  /** That it had. */
  readonly priority: number
  /** Of the register. */
  readonly group: Group
}

interface Interface {
  pmr: number
  readonly enabled: [boolean, boolean]
  /** EOImode: an end only drops the priority. */
  split: boolean
  /** Whose priority was not dropped yet, last one last. */
  readonly stack: Acknowledged[]
}

export class Interfaces {
  private readonly irqs: Interrupts
  private readonly all = IDS.map((): Interface => ({ pmr: 0, enabled: [false, false], split: false, stack: [] }))

  constructor(irqs: Interrupts) {
    this.irqs = irqs
  }

  private at(cpu: number): Interface {
    const found = this.all[cpu]
    if (found === undefined) throw new Error(`there is no CPU ${cpu}`)
    return found
  }

  setMask(cpu: number, value: number): void {
    this.at(cpu).pmr = value & 0xf8
  }

  enable(cpu: number, group: Group, on: boolean): void {
    this.at(cpu).enabled[group] = on
  }

  isSplit(cpu: number): boolean {
    return this.at(cpu).split
  }

  setSplit(cpu: number, split: boolean): void {
    this.at(cpu).split = split
  }

  acknowledge(cpu: number, group: Group): number {
    this.irqs.settle()
    const { pmr, enabled, stack } = this.at(cpu)
    let best: Irq | undefined
    for (const irq of this.irqs.lists[cpu] ?? []) {
      const candidate = irq.enabled && !irq.active && isPending(irq) && enabled[irq.group]
      if (candidate && (best === undefined || irq.priority < best.priority)) best = irq
    }
    const running = Math.min(0xff, ...stack.map(({ priority }) => priority))
    if (best === undefined || best.group !== group || best.priority >= pmr || best.priority >= running) return SPURIOUS
    best.active = true
    if (best.edge) best.latch = false
    stack.push({ irq: best, priority: best.priority, group })
    return best.intid
  }

  /** The end of what was acknowledged last; `false`: nothing was. */
  complete(cpu: number): boolean {
    const { stack, split } = this.at(cpu)
    const last = stack.pop()
    if (last === undefined) return false
    const { irq, priority, group } = last
    if (!split && irq.group === group && irq.priority === priority) this.end(cpu, irq)
    return true
  }

  deactivate(cpu: number, intid: number): void {
    const irq = this.irqs.find(cpu, intid)
    if (irq !== undefined && this.at(cpu).split) this.end(cpu, irq)
  }

  private end(cpu: number, irq: Irq): void {
    if (!irq.active || irq.on !== cpu) return
    irq.active = false
    if (!irq.edge) irq.latch = false
  }
}
