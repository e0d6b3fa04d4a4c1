/** A vGIC on its own, with CPUs that only remember their inputs. */
import { VgicV3 } from '../engine/gic/vgic-v3.ts'
import { mpidrOf, resetMpidr } from '../pure/arch/affinity.ts'
import type { Affinity } from '../pure/arch/affinity.ts'
import { ICC } from '../pure/arch/sysregs/gic-cpu.ts'
import type { IccName } from '../pure/arch/sysregs/gic-cpu.ts'
import { HOST_PRESETS } from '../pure/blueprint/host.ts'
import type { HostProfile, KernelBase, RuleSetId } from '../pure/blueprint/host.ts'
import { newVmFacts } from '../pure/rules/points.ts'
import { rulesFor } from '../pure/rules/rule-sets.ts'
import type { AccessWidth } from '../engine/bus/device.ts'

export interface TestVgicOptions {
  readonly ruleSet?: RuleSetId
  readonly base?: KernelBase
  readonly host?: HostProfile
  /** Ids in creation order; four CPUs, if not given. */
  readonly ids?: readonly number[]
  readonly affinities?: Readonly<Record<number, Affinity>>
  readonly nrIrqs?: number
  /** Base, frames in use, frames there is room for. One that grows and holds all, if not given. */
  readonly regions?: readonly (readonly [base: number, count: number, slots: number])[]
}

const GICD = 0x0800_0000
const GICR = 0x080a_0000

export class TestVgic {
  readonly vgic: VgicV3
  readonly irq: boolean[]
  readonly fiq: boolean[]
  private readonly mpidrs: bigint[]
  private readonly distributor
  private readonly redistributors

  constructor(o: TestVgicOptions = {}) {
    const ids = o.ids ?? [0, 1, 2, 3]
    // The base each rule set stands on.
    const rules = rulesFor(o.ruleSet ?? 'mainline', o.base ?? (o.ruleSet === 'patch-v1' ? '6.8' : '6.12'))
    const vm = newVmFacts(o.host ?? HOST_PRESETS.H1, rules)
    vm.gic = 3
    this.mpidrs = ids.map((id, i) => {
      const affinity = o.affinities?.[i]
      const value = affinity === undefined ? resetMpidr(id) : mpidrOf(affinity)
      const answer = rules.setMpidr.decide({ vm, current: resetMpidr(id), value })
      return answer.ok ? answer.stored : resetMpidr(id)
    })
    this.irq = ids.map(() => false)
    this.fiq = ids.map(() => false)
    this.vgic = new VgicV3({
      rules,
      vm,
      nrIrqs: o.nrIrqs ?? 256,
      cpus: ids.map((id, index) => ({
        index,
        id,
        mpidr: () => this.mpidrs[index] ?? 0n,
        irq: { set: (level) => (this.irq[index] = level) },
        fiq: { set: (level) => (this.fiq[index] = level) },
      })),
    })
    this.distributor = this.vgic.distributor(GICD)
    let first = 0
    this.redistributors = (o.regions ?? [[GICR, ids.length, 0] as const]).map(([base, count, slots]) => {
      this.vgic.addRedistributors({ base, first, count, slots })
      const region = this.vgic.redistributors({ base, first, count })
      const found = { region, first, count }
      first += count
      return found
    })
  }

  setMpidr(cpu: number, affinity: Affinity): void {
    this.mpidrs[cpu] = mpidrOf(affinity)
    this.vgic.mpidrChanged(cpu)
  }

  dist(offset: number, width: AccessWidth = 4): bigint {
    return this.distributor.read(offset, width, 0)
  }

  setDist(offset: number, value: bigint | number, width: AccessWidth = 4): void {
    this.distributor.write(offset, width, BigInt(value), 0)
  }

  redist(cpu: number, offset: number, width: AccessWidth = 4): bigint {
    const { region, at } = this.frame(cpu)
    return region.read(at + offset, width, cpu)
  }

  setRedist(cpu: number, offset: number, value: bigint | number, width: AccessWidth = 4): void {
    const { region, at } = this.frame(cpu)
    region.write(at + offset, width, BigInt(value), cpu)
  }

  mrs(cpu: number, name: IccName): bigint | undefined {
    return this.vgic.sysregs.read(cpu, ICC[name], 1)
  }

  msr(cpu: number, name: IccName, value: bigint | number): boolean {
    return this.vgic.sysregs.write(cpu, ICC[name], BigInt(value), 1)
  }

  /** Everything on: the distributor, and every CPU's Group 1 with all priorities let through. */
  start(): this {
    this.setDist(0, 2)
    for (const cpu of this.irq.keys()) {
      this.msr(cpu, 'ICC_PMR_EL1', 0xff)
      this.msr(cpu, 'ICC_IGRPEN1_EL1', 1)
    }
    return this
  }

  private frame(cpu: number) {
    const found = this.redistributors.find(({ first, count }) => cpu >= first && cpu < first + count)
    if (found === undefined) throw new Error(`CPU ${cpu} has no redistributor`)
    return { region: found.region, at: (cpu - found.first) * 0x20000 }
  }
}
