/**
 * A small model of the rules, written from their descriptions (ARCHITECTURE.md, "The rule sets"; Linux's
 * Documentation/virt/kvm and the review of the patch) and not from the engine: one plain function for each thing that can
 * happen. It knows 3 CPUs, some SPIs and SGIs, and answers in the same words as the machine it stands beside.
 */
import type { Env } from '../kvm-cases/kvm-case.ts'
import { Affinities, joined, NOBODY, packed, third, without3 } from './model-affinities.ts'
import { Interfaces } from './model-interfaces.ts'
import { Interrupts } from './model-irqs.ts'
import type { Irq } from './model-irqs.ts'
import { CPUS, IDS, isPrivate, record } from './operations.ts'
import type { Half, Operation } from './operations.ts'

const hex = (value: bigint | number): string => value.toString(16)

export class Model {
  private readonly env: Env
  private readonly rules: 'M' | 'P' | 'F'
  private readonly cpus: Affinities
  private readonly irqs = new Interrupts()
  private readonly interfaces = new Interfaces(this.irqs)
  private revision: number
  private a3v: boolean
  private pinned = false
  private ran = false
  private readonly priBits = IDS.map(() => 5)

  constructor(env: Env) {
    this.env = env
    this.rules = env.ruleSet === 'mainline' ? 'M' : env.ruleSet === 'patch-v1' ? 'P' : 'F'
    this.revision = this.rules === 'F' ? 4 : 3
    this.a3v = this.rules === 'F' ? true : env.host.a3v
    this.cpus = new Affinities(env)
    for (const spi of this.irqs.spis) spi.target = this.rules === 'F' ? this.cpus.find(0) : 0
  }

  get hasRun(): boolean {
    return this.ran
  }

  private get aff3Valid(): boolean {
    return this.env.host.a3v
  }

  private get routesAff3(): boolean {
    return this.rules === 'F' && this.revision >= 4 && this.a3v
  }

  // ---- what happens

  perform(op: Operation): string {
    const answer = this.happen(op)
    if (this.ran) this.irqs.settle()
    return answer
  }

  /** A vCPU enters the guest, and leaves it for what it does there. */
  private enter(cpu: number): void {
    if (this.ran) return
    this.cpus.freeze()
    this.ran = true
    this.irqs.leave(cpu)
  }

  private happen(op: Operation): string {
    switch (op.do) {
      case 'set MPIDR':
        return this.setMpidr(op.cpu, op.affinity, op.odd)
      case 'init again':
        if (this.rules !== 'F' && this.env.base !== '6.12') this.cpus.reset(op.cpu)
        return '0'
      case 'set IIDR':
        return this.setRevision(op.revision)
      case 'set CTLR':
        return this.setControl(op.cpu, op.value)
      case 'run':
        this.enter(op.cpu)
        return '0'
      case 'GICD_CTLR':
        if (op.by === 'guest') this.enter(0)
        this.irqs.forwarding = op.on
        return op.by === 'guest' ? 'done' : '0'
      case 'line':
        return this.lineTo(op.cpu, op.intid, op.level)
      case 'levels':
        if (this.cpus.find(this.cpus.of(0)) === NOBODY) return 'EINVAL'
        for (const spi of this.irqs.spis) {
          spi.line = op.level && spi.intid === op.intid
          if (spi.line) this.irqs.queue(spi)
        }
        return '0'
      case 'attribute': {
        const cpu = this.cpus.find(op.affinity)
        return cpu === NOBODY ? 'EINVAL' : `0 (${hex(this.typer(cpu) & 0xffff_ffffn)})`
      }
      case 'route':
        if (op.by === 'guest') this.enter(0)
        this.route(op.intid, op.half, op.value)
        return op.by === 'guest' ? 'done' : '0'
      case 'bits':
      case 'group':
        return this.bank(op)
      case 'complete':
        if (!this.interfaces.complete(op.cpu)) return 'nothing'
        this.enter(op.cpu)
        return '0'
      default:
        this.enter('cpu' in op ? op.cpu : 0)
        return this.guest(op)
    }
  }

  private setMpidr(cpu: number, affinity: number, odd: boolean): string {
    const bits = odd ? 0xffff_ff00_6000_0000n : 0n
    const value = (BigInt(third(affinity)) << 32n) | BigInt(without3(affinity)) | 0x8000_0000n | bits
    if (this.rules === 'F') {
      if (this.ran && affinity !== this.cpus.of(cpu)) return 'EBUSY'
      if (third(affinity) !== 0 && this.revision >= 4 && !this.a3v) return 'EINVAL'
    }
    if (this.rules === 'P' && !this.aff3Valid) this.cpus.setWithoutAff3(cpu, value)
    else this.cpus.set(cpu, value)
    if (this.rules === 'F') this.retarget()
    return '0'
  }

  /** full-aff3: where what shows of each route leads. */
  private retarget(): void {
    for (const spi of this.irqs.spis) this.follow(spi)
  }

  private follow(spi: Irq): void {
    spi.target = this.cpus.find(this.routesAff3 ? spi.affinity : without3(spi.affinity))
    this.irqs.queue(spi)
  }

  private setRevision(revision: number): string {
    // Before its fix of 2026 KVM looked at the old value.
    if (this.rules !== 'F' && this.env.base === '6.8') return '0'
    if (revision !== 2 && revision !== 3 && (revision !== 4 || this.rules !== 'F')) return 'EINVAL'
    if (this.rules === 'F') {
      if (this.ran && revision !== this.revision) return 'EINVAL'
      if (revision === 4 && !this.a3v && this.cpus.aff3InUse) return 'EINVAL'
    }
    this.revision = revision
    if (this.rules === 'F') this.retarget()
    return '0'
  }

  private setControl(cpu: number, value: number): string {
    if (this.cpus.find(this.cpus.of(cpu)) === NOBODY) return 'EINVAL'
    const who = this.cpus.find(this.cpus.of(cpu))
    const wanted = ((value >> 8) & 7) + 1
    const a3v = ((value >> 15) & 1) === 1
    if (wanted > (this.priBits[who] ?? 0)) return 'EINVAL'
    const partly = this.rules !== 'F'
    if (partly) this.priBits[who] = wanted
    if (((value >> 14) & 1) === 1) return 'EINVAL'
    const split = ((value >> 1) & 1) === 1
    if (this.rules !== 'F') {
      if (a3v !== this.env.host.a3v) return 'EINVAL'
      this.interfaces.setSplit(who, split)
      return '0'
    }
    if ((this.pinned || this.ran) && a3v !== this.a3v) return 'EINVAL'
    if (!a3v && this.cpus.aff3InUse && this.revision >= 4) return 'EINVAL'
    this.priBits[who] = wanted
    this.a3v = a3v
    this.pinned = true
    this.interfaces.setSplit(who, split)
    this.retarget()
    return '0'
  }

  private lineTo(cpu: number, intid: number, level: boolean): string {
    // Once the number was an index, and so was the id of the vCPU that was found there.
    const old = this.rules !== 'F' && this.env.base === '6.1' && isPrivate(intid)
    const owner = old ? IDS.at(IDS[cpu] ?? CPUS) : cpu
    const irq = owner === undefined ? undefined : this.irqs.find(owner, intid)
    if (irq === undefined) return 'EINVAL'
    if (irq.edge) {
      if (level) {
        irq.latch = true
        this.irqs.queue(irq)
      }
    } else if (irq.line !== level) {
      irq.line = level
      this.irqs.queue(irq)
    }
    return '0'
  }

  private bank(op: Extract<Operation, { do: 'bits' | 'group' }>): string {
    const { intid, by } = op
    if (by === 'guest') this.enter(op.cpu)
    let { cpu } = op
    if (by === 'user' && isPrivate(intid)) {
      // Userspace names a CPU by its affinity, and may find another.
      cpu = this.cpus.find(this.cpus.of(op.cpu))
      if (cpu === NOBODY) return 'EINVAL'
    }
    const done = by === 'guest' ? 'done' : '0'
    const word = this.irqs.wordOf(cpu, intid)
    if (op.do === 'group') {
      for (const irq of word) {
        irq.group = op.group === 0 && irq.intid === intid ? 0 : 1
        this.irqs.queue(irq)
      }
      return done
    }
    const irq = this.irqs.find(cpu, intid)
    if (irq === undefined) return done
    switch (op.bank) {
      case 'ISENABLER':
        irq.enabled = true
        this.irqs.queue(irq)
        break
      case 'ICENABLER':
        irq.enabled = false
        break
      case 'ISPENDR':
        // Userspace assigns all 32.
        if (by === 'user') for (const other of word) other.latch = other === irq
        irq.latch = true
        this.irqs.queue(irq)
        break
      case 'ICPENDR':
        if (by === 'guest') irq.latch = false
        break
      case 'ISACTIVER':
        irq.active = true
        this.irqs.queue(irq)
        break
      case 'ICACTIVER':
        irq.active = false
        break
    }
    return done
  }

  private route(intid: number, half: Half, value: bigint): void {
    const spi = this.irqs.find(0, intid)
    if (spi === undefined) return
    const low = Number(value & 0xff_ffffn)
    const high = Number((half === 'all' ? value >> 32n : value) & 0xffn)
    let resolve = true
    if (this.rules === 'M') {
      if (half === 'high') resolve = false
      else spi.affinity = low
    } else if (this.rules === 'P') {
      if (half === 'high' && !this.aff3Valid) resolve = false
      else spi.affinity = half === 'all' ? joined(high, low) : low
    } else if (half === 'low') spi.affinity = joined(third(spi.affinity), low)
    else if (half === 'high') {
      if (this.routesAff3) spi.affinity = joined(high, without3(spi.affinity))
    } else spi.affinity = joined(this.routesAff3 ? high : 0, low)
    if (this.rules === 'F') this.follow(spi)
    else if (resolve) spi.target = this.cpus.find(spi.affinity)
  }

  private guest(op: Operation): string {
    switch (op.do) {
      case 'priority': {
        const irq = this.irqs.find(op.cpu, op.intid)
        if (irq !== undefined) irq.priority = op.priority
        return 'done'
      }
      case 'config':
        // The other SPIs become edges.
        for (const spi of this.irqs.spis) spi.edge = spi.intid !== op.intid || op.edge
        return 'done'
      case 'SGI':
        this.sendSgi(op.cpu, op.register, op.value)
        return '0'
      case 'acknowledge':
        return hex(this.interfaces.acknowledge(op.cpu, op.group))
      case 'deactivate':
        this.interfaces.deactivate(op.cpu, op.intid)
        return '0'
      case 'PMR':
        this.interfaces.setMask(op.cpu, op.value)
        return '0'
      case 'IGRPEN':
        this.interfaces.enable(op.cpu, op.group, op.on)
        return '0'
      case 'EOImode':
        this.interfaces.setSplit(op.cpu, op.split)
        return '0'
      case 'CPU_ON': {
        const target = op.wide ? op.target : BigInt.asUintN(32, op.target)
        if ((target & ~0xff_00ff_ffffn) !== 0n || this.cpus.find(packed(target)) === NOBODY) return 'INVALID_PARAMS'
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
        const cpu = old ? this.cpus.first(cluster + bit) : this.cpus.find(cluster + bit)
        if (cpu !== NOBODY) targets.push(cpu)
      }
    }
    for (const cpu of targets) {
      const sgi = this.irqs.find(cpu, intid)
      if (sgi === undefined || (register === 0 && sgi.group === 1)) continue
      sgi.latch = true
      this.irqs.queue(sgi)
    }
  }

  // ---- what shows

  private shownAffinity(cpu: number): number {
    const affinity = this.cpus.of(cpu)
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

  /** In one number, as the machine's has to be. */
  record(cpu: number, intid: number): number {
    const irq = this.irqs.find(cpu, intid)
    return irq === undefined ? NaN : record(irq, irq.on)
  }

  /** In the words of `observe`. */
  observe(): readonly string[] {
    const irq = ({ intid, latch, line, active, enabled, edge, group, priority, target }: Irq): string => {
      const flags = [latch, line && !edge, active, enabled, !edge, group === 1].map(Number).join('')
      return `${intid} ${flags} ${hex(priority)} → ${target}`
    }
    const guestA3v = this.rules === 'F' ? this.a3v : this.env.host.a3v
    return [
      ...this.cpus.mpidrs.map((value, cpu) => `MPIDR of ${cpu}: ${hex(value)}`),
      `IIDR ${hex(0x4b00_043b + this.revision * 0x1000)} TYPER ${hex(0x48_0001 + (this.routesAff3 ? 0x100_0000 : 0))} CTLR ${this.irqs.forwarding ? '52' : '50'}`,
      ...(this.ran
        ? [
            ...IDS.map((_, cpu) => `TYPER of ${cpu}: ${hex(this.typer(cpu))}`),
            ...IDS.map(
              (_, cpu) =>
                `ICC_CTLR of ${cpu}: ${hex((guestA3v ? 0x8400 : 0x400) + (this.interfaces.isSplit(cpu) ? 2 : 0))}`,
            ),
          ]
        : []),
      ...this.irqs.spis.map((spi) => `IROUTER ${spi.intid}: ${this.shownRoute(spi)}`),
      ...this.irqs.spis.map(irq),
      ...this.irqs.privates.flatMap((own, cpu) => own.map((one) => `${cpu}: ${irq(one)}`)),
    ]
  }
}
