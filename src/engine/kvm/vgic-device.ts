/** The vGIC as a KVM device: what the devices of both models share (arch/arm64/kvm/vgic/vgic-kvm-device.c). */
import type { Affinity } from '../../pure/arch/affinity.ts'
import { PRIVATE_COUNT } from '../../pure/arch/intid.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal, VgicRules, VmFacts } from '../../pure/rules/points.ts'
import type { DeviceAttr, KvmAnswer } from '../../pure/uapi/calls.ts'
import { VGIC_ADDR, VGIC_CTRL, VGIC_GROUP, vgicGroupName } from '../../pure/uapi/vgic-attr.ts'
import type { VgicGroup } from '../../pure/uapi/vgic-attr.ts'
import type { MmioRegion } from '../bus/device.ts'
import type { GuestMemory } from '../bus/guest-memory.ts'
import type { Effort } from '../gic/effort.ts'
import type { Vgic, VgicOptions } from '../gic/vgic.ts'
import { done, withValue } from './kvm-answer.ts'
import type { Vcpu } from './vcpu.ts'
import { badPointer, DEVICE, hex, noAttr } from './vgic-group.ts'
import type { Group } from './vgic-group.ts'

const SET_ATTR = `${DEVICE}: vgic_set_common_attr()`

/** VGIC_NR_PRIVATE_IRQS + 32 to VGIC_MAX_RESERVED, by 32. */
const NR_IRQS = { min: 64, max: 1023, step: 32, unset: 256 } as const

export interface VgicDeviceOptions {
  readonly rules: VgicRules
  readonly vm: VmFacts
  /** The first guest physical address that does not exist. */
  readonly ipaEnd: number
  readonly vcpus: readonly Vcpu[]
  find(affinity: Affinity): Vcpu | undefined
  readonly memory: GuestMemory
  readonly effort: Effort
  /** A CPU has completed a level-sensitive SPI. */
  completed(intid: number): void
  /** The GIC is initialised, with so many SPIs. */
  initialised(spis: number): void
}

export type Groups = Partial<Record<VgicGroup, Group>>

export abstract class VgicDevice {
  abstract readonly model: 2 | 3
  protected readonly o: VgicDeviceOptions
  private nrIrqs: number | undefined
  private wasInitialised = false

  constructor(options: VgicDeviceOptions) {
    this.o = options
  }

  /** The groups of this model besides NR_IRQS and CTRL. */
  protected abstract readonly groups: Groups

  /** The GIC behind the device, from its initialisation on. */
  abstract readonly vgic: Vgic | undefined

  protected abstract makeVgic(options: VgicOptions): void

  /** Writes the pending LPIs into the guest's tables. */
  protected savePendingTables(): Refusal | undefined {
    return undefined
  }

  /** A vCPU is about to be created, with this index: it takes the next free frame. */
  abstract placeVcpu(index: number): Refusal | undefined

  /** What is wrong with the device when a vCPU runs for the first time. */
  abstract mapResources(): Refusal | undefined

  /** The frames a guest sees, once everything has an address. */
  abstract mmio(): readonly MmioRegion[]

  /** Whether an access or an interrupt initialises it: vgic_lazy_init(). */
  protected abstract readonly lazy: boolean

  /** Whether it is initialised, by KVM_DEV_ARM_VGIC_CTRL_INIT or on the way. */
  get initialised(): boolean {
    return this.wasInitialised
  }

  /** How many interrupts there are; before their number is settled, none are shared. */
  protected get irqCount(): number {
    return this.nrIrqs ?? PRIVATE_COUNT
  }

  has({ group, attr }: DeviceAttr): KvmAnswer {
    const has = this.group(group)?.has(attr) ?? false
    if (typeof has === 'object') return has
    return has ? done : this.unknown({ group, attr })
  }

  /** `bad`: the value's address is not one of the VMM. Reading finds that out last, when it has a value. */
  get({ group, attr }: DeviceAttr, preset: bigint, bad = false): KvmAnswer {
    const found = this.group(group)
    if (found === undefined) return this.unknown({ group, attr })
    // The region's index is read from there first.
    if (bad && group === VGIC_GROUP.ADDR && attr === VGIC_ADDR.V3_REDIST_REGION) return badPointer
    const answer = found.get(attr, preset)
    return bad && answer.ok && group !== VGIC_GROUP.CTRL ? badPointer : answer
  }

  set({ group, attr }: DeviceAttr, value: bigint, bad = false): KvmAnswer {
    const found = this.group(group)
    if (found === undefined) return this.unknown({ group, attr })
    // CTRL's attributes carry no value.
    if (bad && group !== VGIC_GROUP.CTRL) return found.owner?.(attr) ?? badPointer
    return found.set(attr, BigInt.asUintN(64, value))
  }

  /** Registers are looked at while all vCPUs stand still: kvm_trylock_all_vcpus(). */
  protected vcpuInside(): Refusal | undefined {
    const inside = this.o.vcpus.find((vcpu) => vcpu.inside)
    return inside && refuse('EBUSY', `vCPU ${inside.index} is inside KVM_RUN.`, `${DEVICE}: kvm_trylock_all_vcpus()`)
  }

  /** Initialises a GIC that may be initialised on the way. */
  initialiseOnUse(): void {
    if (this.lazy) this.initialise()
  }

  protected initialise(): void {
    if (this.wasInitialised) return
    this.wasInitialised = true
    this.nrIrqs ??= NR_IRQS.unset
    const { rules, vm, vcpus, memory, effort, completed } = this.o
    this.o.initialised(this.nrIrqs - PRIVATE_COUNT)
    this.makeVgic({
      rules,
      vm,
      nrIrqs: this.nrIrqs,
      cpus: vcpus.map((vcpu) => ({
        index: vcpu.index,
        id: vcpu.id,
        mpidr: () => vcpu.mpidr,
        irq: vcpu.port.irq,
        fiq: vcpu.port.fiq,
        wake: vcpu.port.wake,
      })),
      memory,
      effort,
      completed,
    })
  }

  private group(group: number): Group | undefined {
    const name = vgicGroupName(group)
    if (name === 'NR_IRQS') return this.nrIrqsGroup
    if (name === 'CTRL') return this.ctrlGroup
    return name === undefined ? undefined : this.groups[name]
  }

  private unknown({ group, attr }: DeviceAttr): Refusal {
    return noAttr(`attribute ${hex(attr)} in group ${vgicGroupName(group) ?? group}`)
  }

  private readonly nrIrqsGroup: Group = {
    has: () => true,
    get: () => withValue(BigInt(this.irqCount)),
    set: (_, value) => {
      const count = Number(BigInt.asUintN(32, value))
      if (count < NR_IRQS.min || count > NR_IRQS.max || count % NR_IRQS.step !== 0) {
        return refuse('EINVAL', `${count} interrupts: KVM takes 64 to 992, in steps of ${NR_IRQS.step}.`, SET_ATTR)
      }
      if (this.nrIrqs !== undefined || this.wasInitialised) {
        return refuse('EBUSY', 'The number of interrupts is settled.', SET_ATTR)
      }
      this.nrIrqs = count
      return done
    },
  }

  private readonly ctrlGroup: Group = {
    has: (attr) => attr === VGIC_CTRL.INIT || (this.model === 3 && attr === VGIC_CTRL.SAVE_PENDING_TABLES),
    get: () => noAttr('readable control'),
    set: (attr) => {
      if (attr === VGIC_CTRL.INIT) {
        this.initialise()
        return done
      }
      if (attr !== VGIC_CTRL.SAVE_PENDING_TABLES || this.model !== 3) return noAttr(`control ${hex(attr)}`)
      const inside = this.vcpuInside()
      if (inside !== undefined) return inside
      if (!this.wasInitialised) return noAttr('pending tables before its initialisation')
      return this.savePendingTables() ?? done
    },
  }
}
