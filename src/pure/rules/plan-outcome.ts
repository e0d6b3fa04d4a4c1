/**
 * What the calls of a plan leave behind, in whatever order they come: asked of the same points that drive the engine, call
 * by call. What a call is refused for is only told where it is about an affinity; the rest KVM itself tells at the build.
 */
import { aff3Of, irouterAffinity, mpidrAffinity, resetAffinity, resetMpidr } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { GICD_IIDR, GICD_IROUTER } from '../arch/gic/gicd.ts'
import { ICC } from '../arch/sysregs/gic-cpu.ts'
import type { HostProfile } from '../blueprint/host.ts'
import type { KvmCall } from '../uapi/calls.ts'
import { ONE_REG } from '../uapi/one-reg.ts'
import {
  decodeRedistRegion,
  DEVICE_TYPE,
  registerAttrFields,
  SYSREG_INSTR_MASK,
  VGIC_ADDR,
  VGIC_CTRL,
  VGIC_GROUP,
} from '../uapi/vgic-attr.ts'
import type { RedistRegionValue } from '../uapi/vgic-attr.ts'
import { decideIccControl, decideIidr, hostBits } from './identity-writes.ts'
import type { LoweredBits } from './identity-writes.ts'
import { newVmFacts } from './points.ts'
import type { AffinityLookup, Refusal, VgicRules, VmFacts } from './points.ts'

export interface PlannedVcpu {
  /** What KVM_CREATE_VCPU was given. */
  readonly id: number
  mpidr: bigint
  /** The affinity that was asked for last; KVM's own, where none was. */
  wanted: Affinity
  /** Why KVM_SET_ONE_REG did not take it. */
  refused: Refusal | undefined
  initialised: boolean
}

export interface PlannedRoute {
  readonly intid: number
  /** What the two words say together. */
  wanted: Affinity
  stored: Affinity
  target: number | undefined
  note: string | undefined
}

export interface PlanOutcome {
  readonly vm: VmFacts
  /** In the order of their creation. */
  readonly vcpus: readonly PlannedVcpu[]
  readonly routes: readonly PlannedRoute[]
  readonly regions: readonly RedistRegionValue[]
}

/** The vCPU at an affinity as the lookup rule has it; `tabled`: the affinities when the table was made. */
export const findVcpu = (
  lookup: AffinityLookup,
  wanted: Affinity,
  now: readonly Affinity[],
  tabled: readonly Affinity[] | undefined,
): number | undefined => {
  const first = now.indexOf(wanted)
  const linear = first === -1 ? undefined : first
  // With one vCPU there is no table.
  if (!lookup.table || tabled === undefined || tabled.length < 2) return linear
  const last = tabled.lastIndexOf(wanted)
  if (last !== -1 && now[last] === wanted) return last
  return lookup.fallback ? linear : undefined
}

const IROUTER_BYTES = 8
const WORD = 32n

class Outcome implements PlanOutcome {
  readonly vm: VmFacts
  readonly vcpus: PlannedVcpu[] = []
  readonly byIntid = new Map<number, PlannedRoute>()
  readonly regions: RedistRegionValue[] = []
  private readonly rules: VgicRules
  private vgicInitialised = false
  /** By vCPU, what ICC_CTLR_EL1 was lowered to. */
  private readonly lowered = new Map<number, LoweredBits>()

  constructor(rules: VgicRules, host: HostProfile) {
    this.rules = rules
    this.vm = newVmFacts(host, rules)
  }

  get routes(): readonly PlannedRoute[] {
    return [...this.byIntid.values()]
  }

  execute(call: KvmCall): void {
    switch (call.call) {
      case 'KVM_CREATE_VCPU':
        return this.create(call.id)
      case 'KVM_ARM_VCPU_INIT':
        return this.init(this.vcpus[call.vcpu])
      case 'KVM_SET_ONE_REG': {
        const vcpu = this.vcpus[call.vcpu]
        if (call.reg === ONE_REG.MPIDR_EL1 && vcpu?.initialised === true) this.setMpidr(vcpu, call.value)
        return undefined
      }
      case 'KVM_CREATE_DEVICE':
        return this.createDevice(call.type)
      case 'KVM_SET_DEVICE_ATTR':
        if (call.its === undefined && call.vcpu === undefined) this.setAttr(call.group, call.attr, call.value)
        return undefined
      default:
        return undefined
    }
  }

  private create(id: number): void {
    if (this.vgicInitialised || this.vcpus.some((vcpu) => vcpu.id === id)) return
    const wanted = resetAffinity(id)
    // Its reset, and with it its affinity, comes with KVM_ARM_VCPU_INIT.
    this.vcpus.push({ id, mpidr: 0n, wanted, refused: undefined, initialised: false })
  }

  private init(vcpu: PlannedVcpu | undefined): void {
    if (vcpu === undefined) return
    const again = vcpu.initialised
    vcpu.initialised = true
    this.chooseA3v()
    if (again && this.rules.mpidrAtReinit.decide() !== 'reset') return
    vcpu.mpidr = resetMpidr(vcpu.id)
    this.retarget()
  }

  private setMpidr(vcpu: PlannedVcpu, value: bigint): void {
    const answer = this.rules.setMpidr.decide({ vm: this.vm, current: vcpu.mpidr, value })
    vcpu.wanted = mpidrAffinity.decode(value)
    vcpu.refused = answer.ok ? undefined : answer
    if (!answer.ok) return
    vcpu.mpidr = answer.stored
    this.retarget()
  }

  private createDevice(type: number): void {
    const { vm, rules } = this
    if (vm.gic !== 'none' || (type !== DEVICE_TYPE.V3 && type !== DEVICE_TYPE.V2)) return
    vm.gic = type === DEVICE_TYPE.V3 ? 3 : 2
    vm.revision = rules.iidrDefaultRevision.decide({ vm })
    this.chooseA3v()
  }

  /** The VM's own A3V follows what is known of it, until something pins it. */
  private chooseA3v(): void {
    if (!this.vm.pinned) this.vm.guestA3v = this.rules.guestA3vAtCreation.decide({ vm: this.vm })
  }

  private setAttr(group: number, attr: bigint, value: bigint): void {
    if (group === VGIC_GROUP.CTRL && attr === VGIC_CTRL.INIT) this.vgicInitialised = true
    if (group === VGIC_GROUP.ADDR && attr === VGIC_ADDR.V3_REDIST_REGION) this.regions.push(decodeRedistRegion(value))
    // The older attribute has no size: the region grows with the VM.
    if (group === VGIC_GROUP.ADDR && attr === VGIC_ADDR.V3_REDIST)
      this.regions.push({ index: 0, base: Number(value), count: 0, flags: 0 })
    if (this.vm.gic === 3 && this.vgicInitialised) this.setRegister(group, attr, value)
  }

  /** Of a vGICv3 that is initialised: before, KVM refuses all of them with EBUSY. */
  private setRegister(group: number, attr: bigint, value: bigint): void {
    const { affinity, offset } = registerAttrFields(attr)
    if (group === VGIC_GROUP.DIST_REGS) {
      const at = offset - GICD_IROUTER.offset
      if (offset === GICD_IIDR.offset) this.setIidr(BigInt.asUintN(32, value))
      if (at >= 0 && at < GICD_IROUTER.size)
        this.route(Math.floor(at / IROUTER_BYTES), at % IROUTER_BYTES === 0, BigInt.asUintN(32, value))
    }
    if (group === VGIC_GROUP.CPU_SYSREGS && (offset & SYSREG_INSTR_MASK) === ICC.ICC_CTLR_EL1)
      this.setIccControl(this.at(affinity), value)
  }

  private get asked() {
    const aff3InUse = this.affinities.some((affinity) => aff3Of(affinity) !== 0)
    return { rules: this.rules, vm: this.vm, aff3InUse }
  }

  private setIidr(value: bigint): void {
    const answer = decideIidr(this.asked, value)
    if (!answer.ok) return
    this.vm.revision = answer.revision
    this.retarget()
  }

  private setIccControl(cpu: number | undefined, value: bigint): void {
    if (cpu === undefined) return
    const { bits, answer } = decideIccControl(this.asked, this.lowered.get(cpu) ?? hostBits(this.vm.host), value)
    this.lowered.set(cpu, bits)
    if (!answer.ok) return
    this.vm.guestA3v = answer.guestA3v
    this.vm.pinned = answer.pinned
    this.retarget()
  }

  private route(intid: number, low: boolean, value: bigint): void {
    const before = this.byIntid.get(intid) ?? {
      intid,
      wanted: 0,
      stored: 0,
      target: this.initialTarget,
      note: undefined,
    }
    const kept = irouterAffinity.encode(before.wanted)
    const asked = low ? ((kept >> WORD) << WORD) | value : BigInt.asUintN(32, kept) | (value << WORD)
    const half = low ? 'low' : 'high'
    const { stored, resolve, note } = this.rules.irouterWrite.decide({
      vm: this.vm,
      stored: before.stored,
      width: 4,
      half,
      value,
    })
    this.byIntid.set(intid, {
      intid,
      wanted: irouterAffinity.decode(asked),
      stored,
      target: resolve ? this.resolve(stored) : before.target,
      note: note ?? before.note,
    })
  }

  /** Where an SPI goes whose GICD_IROUTER was never written. */
  private get initialTarget(): number | undefined {
    return this.rules.retargetSource.decide() === 'index-0' ? 0 : this.resolve(0)
  }

  private retarget(): void {
    if (!this.rules.retargetOnMpidrChange.decide()) return
    for (const route of this.byIntid.values()) route.target = this.resolve(route.stored)
  }

  private resolve(stored: Affinity): number | undefined {
    const shown = this.rules.irouterRead.decide({ vm: this.vm, stored, width: 8, half: 'low' })
    return this.at(irouterAffinity.decode(shown))
  }

  private get affinities(): readonly Affinity[] {
    return this.vcpus.map(({ mpidr }) => mpidrAffinity.decode(mpidr))
  }

  /** Before the first run there is no table of affinities. */
  private at(affinity: Affinity): number | undefined {
    return findVcpu(this.rules.lookupAffinity.decide(), affinity, this.affinities, undefined)
  }
}

export const planOutcome = (calls: readonly KvmCall[], rules: VgicRules, host: HostProfile): PlanOutcome => {
  const outcome = new Outcome(rules, host)
  for (const call of calls) outcome.execute(call)
  return outcome
}
