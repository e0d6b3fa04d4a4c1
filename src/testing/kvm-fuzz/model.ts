/**
 * A small model of the rules, written from their descriptions (ARCHITECTURE.md, "The rule sets"; Linux's
 * Documentation/virt/kvm and the review of the patch) and not from the engine: one plain function for each thing that can
 * happen. It knows 3 CPUs, some SPIs and SGIs, and answers in the same words as the machine it stands beside.
 */
import type { Env } from '../kvm-cases/case-vm.ts'
import { CPUS, IDS, SGIS, SPIS } from './operations.ts'
import type { Half, Operation } from './operations.ts'

interface Irq {
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

const NOBODY = -1
const hex = (value: bigint | number): string => value.toString(16)
const packed = (mpidr: bigint): number => Number(((mpidr >> 8n) & 0xff00_0000n) | (mpidr & 0xff_ffffn))
const without3 = (affinity: number): number => affinity & 0xff_ffff
const third = (affinity: number): number => affinity >>> 24
const AFF3 = 0xffn << 32n
const reset = (id: number): bigint => 0x8000_0000n | BigInt(id)

export class Model {
  private readonly env: Env
  private readonly rules: 'M' | 'P' | 'F'
  private readonly mpidr = IDS.map((id) => reset(id))
  private revision: number
  private a3v: boolean
  private pinned = false
  private ran = false
  private forwarding = false
  /** The lookup table: which bits differ, and who is where. */
  private table: { readonly bits: readonly number[]; readonly cpus: number[] } | undefined
  private readonly spis: Irq[]
  private readonly sgis: Irq[][]
  private readonly priBits = IDS.map(() => 5)
  private readonly pmr = IDS.map(() => 0)
  private readonly group1 = IDS.map(() => false)
  /** Interrupts acknowledged and not completed, with the priorities they had. */
  private readonly stack: { irq: Irq; priority: number; intid: number }[][] = IDS.map(() => [])
  private readonly lists: Irq[][] = IDS.map(() => [])

  constructor(env: Env) {
    this.env = env
    this.rules = env.ruleSet === 'mainline' ? 'M' : env.ruleSet === 'patch-v1' ? 'P' : 'F'
    this.revision = this.rules === 'F' ? 4 : 3
    this.a3v = this.rules === 'F' ? true : env.host.a3v
    const irq = (intid: number, owner: number): Irq => ({
      intid,
      owner,
      enabled: intid < 16,
      latch: false,
      line: false,
      active: false,
      edge: true,
      group: 1,
      priority: 0,
      affinity: 0,
      target: owner,
      on: NOBODY,
    })
    this.spis = SPIS.map((intid) => irq(intid, NOBODY))
    this.sgis = IDS.map((_, cpu) => SGIS.map((intid) => irq(intid, cpu)))
    for (const spi of this.spis) spi.target = this.rules === 'F' ? this.find(0) : 0
  }

  get hasRun(): boolean {
    return this.ran
  }

  // ---- who is who

  private affinityOf(cpu: number): number {
    return packed(this.mpidr[cpu] ?? 0n)
  }

  private first(affinity: number): number {
    return IDS.findIndex((_, cpu) => this.affinityOf(cpu) === affinity)
  }

  /** Base before v6.7 and full-aff3: the first. Later a table, made at the first run; v6.7 to v6.9 knows nothing else. */
  private find(affinity: number): number {
    if (this.table === undefined) return this.first(affinity)
    const { bits, cpus } = this.table
    const at = bits.reduce((all, bit, i) => all | (((affinity >>> bit) & 1) << i), 0)
    const cpu = cpus[at] ?? 0
    if (this.affinityOf(cpu) === affinity) return cpu
    return this.env.base === '6.8' ? NOBODY : this.first(affinity)
  }

  private makeTable(): void {
    if (this.rules === 'F' || this.env.base === '6.1') return
    const all = IDS.map((_, cpu) => this.affinityOf(cpu))
    const bits = Array.from({ length: 32 }, (_, bit) => bit).filter(
      (bit) => all.some((one) => ((one >>> bit) & 1) === 1) && all.some((one) => ((one >>> bit) & 1) === 0),
    )
    const cpus = Array.from({ length: 2 ** bits.length }, () => 0)
    for (const [cpu, affinity] of all.entries()) {
      cpus[bits.reduce((index, bit, i) => index | (((affinity >>> bit) & 1) << i), 0)] = cpu
    }
    this.table = { bits, cpus }
  }

  private get aff3Valid(): boolean {
    return this.env.host.a3v
  }

  private get routesAff3(): boolean {
    return this.rules === 'F' && this.revision >= 4 && this.a3v
  }

  // ---- the lists

  private pending({ latch, line, edge }: Irq): boolean {
    return latch || (line && !edge)
  }

  private home(irq: Irq): number {
    if (irq.active) return irq.on === NOBODY ? irq.target : irq.on
    return irq.enabled && this.forwarding && this.pending(irq) ? irq.target : NOBODY
  }

  private put(irq: Irq, cpu: number): void {
    if (irq.on === cpu) return
    for (const list of this.lists) {
      const at = list.indexOf(irq)
      if (at >= 0) list.splice(at, 1)
    }
    irq.on = cpu
    this.lists[cpu]?.push(irq)
  }

  private queue(irq: Irq): void {
    this.put(irq, this.home(irq))
  }

  /** All vCPUs leave and enter again: what belongs elsewhere moves; nothing that is not queued is. */
  private settle(): void {
    for (const irq of this.lists.flat()) this.put(irq, this.home(irq))
  }

  private irq(cpu: number, intid: number): Irq | undefined {
    return intid < 16 ? this.sgis[cpu]?.[intid] : this.spis.find((spi) => spi.intid === intid)
  }

  // ---- what happens

  perform(op: Operation): string {
    const answer = this.happen(op)
    if (this.ran) this.settle()
    return answer
  }

  /** A vCPU enters the guest. */
  private enter(): void {
    if (this.ran) return
    this.makeTable()
    this.ran = true
  }

  private happen(op: Operation): string {
    switch (op.do) {
      case 'set MPIDR':
        return this.setMpidr(op.cpu, op.affinity, op.odd)
      case 'init again':
        if (this.rules !== 'F' && this.env.base !== '6.12') this.mpidr[op.cpu] = reset(IDS[op.cpu] ?? 0)
        return '0'
      case 'set IIDR':
        return this.setRevision(op.revision)
      case 'set CTLR':
        return this.setControl(op.cpu, op.value)
      case 'run':
        this.enter()
        return '0'
      case 'GICD_CTLR':
        if (op.by === 'guest') this.enter()
        this.forwarding = op.on
        return op.by === 'guest' ? 'done' : '0'
      case 'line':
        return this.lineTo(op.intid, op.level)
      case 'levels':
        if (this.find(this.affinityOf(0)) === NOBODY) return 'EINVAL'
        for (const spi of this.spis) {
          spi.line = op.level && spi.intid === op.intid
          if (spi.line) this.queue(spi)
        }
        return '0'
      case 'attribute': {
        const cpu = this.find(op.affinity)
        return cpu === NOBODY ? 'EINVAL' : `0 (${hex(this.typer(cpu) & 0xffff_ffffn)})`
      }
      case 'route':
        if (op.by === 'guest') this.enter()
        this.route(op.intid, op.half, op.value)
        return op.by === 'guest' ? 'done' : '0'
      case 'bits':
      case 'group':
        return this.bank(op)
      case 'complete': {
        const last = this.stack[op.cpu]?.pop()
        if (last === undefined) return 'nothing'
        this.enter()
        this.deactivate(op.cpu, last)
        return '0'
      }
      default:
        this.enter()
        return this.guest(op)
    }
  }

  private setMpidr(cpu: number, affinity: number, odd: boolean): string {
    const bits = odd ? 0xffff_ff00_6000_0000n : 0n
    const value = (BigInt(third(affinity)) << 32n) | BigInt(without3(affinity)) | 0x8000_0000n | bits
    if (this.rules === 'F') {
      if (this.ran && packed(value) !== this.affinityOf(cpu)) return 'EBUSY'
      if (third(affinity) !== 0 && this.revision >= 4 && !this.a3v) return 'EINVAL'
    }
    this.mpidr[cpu] = this.rules === 'P' && !this.aff3Valid ? value & ~AFF3 : value
    if (this.rules === 'F') this.retarget()
    return '0'
  }

  /** full-aff3: where what shows of each route leads. */
  private retarget(): void {
    for (const spi of this.spis) {
      spi.target = this.find(this.routesAff3 ? spi.affinity : without3(spi.affinity))
      this.queue(spi)
    }
  }

  private get aff3InUse(): boolean {
    return IDS.some((_, cpu) => third(this.affinityOf(cpu)) !== 0)
  }

  private setRevision(revision: number): string {
    // Before its fix of 2026 KVM looked at the old value.
    if (this.rules !== 'F' && this.env.base === '6.8') return '0'
    if (revision !== 2 && revision !== 3 && (revision !== 4 || this.rules !== 'F')) return 'EINVAL'
    if (this.rules === 'F') {
      if (this.ran && revision !== this.revision) return 'EINVAL'
      if (revision === 4 && !this.a3v && this.aff3InUse) return 'EINVAL'
    }
    this.revision = revision
    if (this.rules === 'F') this.retarget()
    return '0'
  }

  private setControl(cpu: number, value: number): string {
    if (this.find(this.affinityOf(cpu)) === NOBODY) return 'EINVAL'
    const who = this.find(this.affinityOf(cpu))
    const wanted = ((value >> 8) & 7) + 1
    const a3v = ((value >> 15) & 1) === 1
    if (wanted > (this.priBits[who] ?? 0)) return 'EINVAL'
    const partly = this.rules !== 'F'
    if (partly) this.priBits[who] = wanted
    if (((value >> 14) & 1) === 1) return 'EINVAL'
    if (this.rules !== 'F') return a3v === this.env.host.a3v ? '0' : 'EINVAL'
    if ((this.pinned || this.ran) && a3v !== this.a3v) return 'EINVAL'
    if (!a3v && this.aff3InUse && this.revision >= 4) return 'EINVAL'
    this.priBits[who] = wanted
    this.a3v = a3v
    this.pinned = true
    this.retarget()
    return '0'
  }

  private lineTo(intid: number, level: boolean): string {
    const spi = this.irq(0, intid)
    if (spi === undefined) return 'EINVAL'
    if (spi.edge) {
      if (level) {
        spi.latch = true
        this.queue(spi)
      }
    } else if (spi.line !== level) {
      spi.line = level
      this.queue(spi)
    }
    return '0'
  }

  private bank(op: Extract<Operation, { do: 'bits' | 'group' }>): string {
    const { intid, by } = op
    if (by === 'guest') this.enter()
    let { cpu } = op
    if (by === 'user' && intid < 16) {
      // Userspace names a CPU by its affinity, and may find another.
      cpu = this.find(this.affinityOf(op.cpu))
      if (cpu === NOBODY) return 'EINVAL'
    }
    const done = by === 'guest' ? 'done' : '0'
    const word = intid < 16 ? (this.sgis[cpu] ?? []) : this.spis
    if (op.do === 'group') {
      for (const irq of word) {
        irq.group = op.group === 0 && irq.intid === intid ? 0 : 1
        this.queue(irq)
      }
      return done
    }
    const irq = this.irq(cpu, intid)
    if (irq === undefined) return done
    switch (op.bank) {
      case 'ISENABLER':
        irq.enabled = true
        this.queue(irq)
        break
      case 'ICENABLER':
        irq.enabled = false
        break
      case 'ISPENDR':
        // Userspace assigns all 32.
        if (by === 'user') for (const other of word) other.latch = other === irq
        irq.latch = true
        this.queue(irq)
        break
      case 'ICPENDR':
        if (by === 'guest') irq.latch = false
        break
      case 'ISACTIVER':
        irq.active = true
        this.queue(irq)
        break
      case 'ICACTIVER':
        irq.active = false
        break
    }
    return done
  }

  private route(intid: number, half: Half, value: bigint): void {
    const spi = this.irq(0, intid)
    if (spi === undefined) return
    const low = Number(value & 0xff_ffffn)
    const high = Number((half === 'all' ? value >> 32n : value) & 0xffn)
    const three = (aff3: number, rest: number): number => ((aff3 << 24) | rest) >>> 0
    let resolve = true
    if (this.rules === 'M') {
      if (half === 'high') resolve = false
      else spi.affinity = low
    } else if (this.rules === 'P') {
      if (half === 'high' && !this.aff3Valid) resolve = false
      else spi.affinity = half === 'all' ? three(high, low) : low
    } else if (half === 'low') spi.affinity = three(third(spi.affinity), low)
    else if (half === 'high') {
      if (this.routesAff3) spi.affinity = three(high, without3(spi.affinity))
    } else spi.affinity = three(this.routesAff3 ? high : 0, low)
    if (this.rules === 'F') this.retarget()
    else if (resolve) spi.target = this.find(spi.affinity)
  }

  private guest(op: Operation): string {
    switch (op.do) {
      case 'priority': {
        const irq = this.irq(op.cpu, op.intid)
        if (irq !== undefined) irq.priority = op.priority
        return 'done'
      }
      case 'config':
        // The other SPIs become edges.
        for (const spi of this.spis) spi.edge = spi.intid !== op.intid || op.edge
        return 'done'
      case 'SGI':
        this.sendSgi(op.cpu, op.register, op.value)
        return '0'
      case 'acknowledge':
        return hex(this.acknowledge(op.cpu))
      case 'PMR':
        this.pmr[op.cpu] = op.value & 0xf8
        return '0'
      case 'IGRPEN1':
        this.group1[op.cpu] = op.on
        return '0'
      case 'CPU_ON': {
        const target = op.wide ? op.target : BigInt.asUintN(32, op.target)
        if ((target & ~0xff_00ff_ffffn) !== 0n || this.find(packed(target)) === NOBODY) return 'INVALID_PARAMS'
        return 'ALREADY_ON'
      }
      default:
        return 'done'
    }
  }

  private sendSgi(writer: number, register: 1 | 0, value: bigint): void {
    const intid = Number((value >> 24n) & 0xfn)
    const targets: number[] = []
    const old = this.rules !== 'F' && this.env.base === '6.1'
    if (((value >> 40n) & 1n) === 1n) {
      // Once it was the CPU whose index is the writer's id that was left out.
      const skipped = old ? (IDS[writer] ?? 0) : writer
      for (let cpu = 0; cpu < CPUS; cpu++) if (cpu !== skipped) targets.push(cpu)
    } else {
      const cluster =
        Number((value >> 48n) & 0xffn) * 2 ** 24 +
        Number((value >> 32n) & 0xffn) * 2 ** 16 +
        Number((value >> 16n) & 0xffn) * 2 ** 8
      for (let bit = 0; bit < 16; bit++) {
        if (((value >> BigInt(bit)) & 1n) === 0n) continue
        const cpu = old ? this.first(cluster + bit) : this.find(cluster + bit)
        if (cpu !== NOBODY) targets.push(cpu)
      }
    }
    for (const cpu of targets) {
      const sgi = this.irq(cpu, intid)
      if (sgi === undefined || (register === 0 && sgi.group === 1)) continue
      sgi.latch = true
      this.queue(sgi)
    }
  }

  private running(cpu: number): number {
    return Math.min(0xff, ...(this.stack[cpu] ?? []).map(({ priority }) => priority))
  }

  private acknowledge(cpu: number): number {
    this.settle()
    let best: Irq | undefined
    for (const irq of this.lists[cpu] ?? []) {
      const candidate = irq.enabled && !irq.active && this.pending(irq) && irq.group === 1 && this.group1[cpu] === true
      if (candidate && (best === undefined || irq.priority < best.priority)) best = irq
    }
    if (best === undefined || best.priority >= (this.pmr[cpu] ?? 0) || best.priority >= this.running(cpu)) return 1023
    best.active = true
    if (best.edge) best.latch = false
    this.stack[cpu]?.push({ irq: best, priority: best.priority, intid: best.intid })
    return best.intid
  }

  private deactivate(cpu: number, { irq, priority }: { irq: Irq; priority: number }): void {
    if (!irq.active || irq.on !== cpu || irq.group !== 1 || irq.priority !== priority) return
    irq.active = false
    if (!irq.edge) irq.latch = false
  }

  // ---- what shows

  private shownAffinity(cpu: number): number {
    const affinity = this.affinityOf(cpu)
    return this.rules === 'P' || (this.rules === 'F' && this.revision >= 4) ? affinity : without3(affinity)
  }

  private typer(cpu: number): bigint {
    const last = cpu === CPUS - 1 ? 0x10n : 0n
    return (BigInt(this.shownAffinity(cpu)) << 32n) | (BigInt(IDS[cpu] ?? 0) << 8n) | last
  }

  private shownRoute({ affinity }: Irq): string {
    const low = BigInt(without3(affinity))
    const high = BigInt(third(affinity))
    // Before the first run there is only userspace to look, by halves.
    if (!this.ran)
      return `${hex(low)} ${this.rules === 'M' || (this.rules === 'P' ? !this.aff3Valid : !this.routesAff3) ? '0' : hex(high)}`
    if (this.rules === 'M') return `${hex(low)} 0`
    if (this.rules === 'P') return `${hex((high << 32n) | low)} ${this.aff3Valid ? hex(high) : '0'}`
    return this.routesAff3 ? `${hex((high << 32n) | low)} ${hex(high)}` : `${hex(low)} 0`
  }

  /** In the words of `observe`. */
  observe(): readonly string[] {
    const irq = ({ intid, latch, line, active, enabled, edge, group, priority, target }: Irq): string => {
      const flags = [latch, line && !edge, active, enabled, !edge, group === 1].map(Number).join('')
      return `${intid} ${flags} ${hex(priority)} → ${target}`
    }
    const guestA3v = this.rules === 'F' ? this.a3v : this.env.host.a3v
    return [
      ...this.mpidr.map((value, cpu) => `MPIDR of ${cpu}: ${hex(value)}`),
      `IIDR ${hex(0x4b00_043b + this.revision * 0x1000)} TYPER ${hex(0x48_0001 + (this.routesAff3 ? 0x100_0000 : 0))} CTLR ${this.forwarding ? '52' : '50'}`,
      ...(this.ran
        ? [
            ...IDS.map((_, cpu) => `TYPER of ${cpu}: ${hex(this.typer(cpu))}`),
            ...IDS.map((_, cpu) => `ICC_CTLR of ${cpu}: ${guestA3v ? '8400' : '400'}`),
          ]
        : []),
      ...this.spis.map((spi) => `IROUTER ${spi.intid}: ${this.shownRoute(spi)}`),
      ...this.spis.map(irq),
      ...this.sgis.flatMap((own, cpu) => own.map((sgi) => `${cpu}: ${irq(sgi)}`)),
    ]
  }
}
