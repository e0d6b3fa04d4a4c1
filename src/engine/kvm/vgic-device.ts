/** The vGIC as a KVM device: attributes and their legality (arch/arm64/kvm/vgic/vgic-kvm-device.c). */
import { affinityText } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import { GICD_SIZE, gicdFrame } from '../../pure/arch/gic/gicd.ts'
import { gicrFrame } from '../../pure/arch/gic/gicr.ts'
import { PRIVATE_COUNT } from '../../pure/arch/intid.ts'
import { firstIrqAt, registerAt } from '../../pure/arch/register.ts'
import type { Register } from '../../pure/arch/register.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal, VgicRules } from '../../pure/rules/points.ts'
import type { DeviceAttr, KvmAnswer } from '../../pure/uapi/calls.ts'
import {
  SYSREG_INSTR_MASK,
  VGIC_ADDR,
  VGIC_CTRL,
  VGIC_GROUP,
  decodeRedistRegion,
  encodeRedistRegion,
  levelInfoFields,
  registerAttrFields,
  vgicGroupName,
} from '../../pure/uapi/vgic-attr.ts'
import type { VgicGroup } from '../../pure/uapi/vgic-attr.ts'
import type { MmioRegion } from '../bus/device.ts'
import type { Vgic } from '../gic/vgic.ts'
import { done, withValue } from './kvm-answer.ts'
import { RedistributorRegions } from './redistributor-regions.ts'
import type { Limits, RedistRegion } from './redistributor-regions.ts'
import type { Vcpu } from './vcpu.ts'

const DEVICE = 'arch/arm64/kvm/vgic/vgic-kvm-device.c'
const SET_ATTR = `${DEVICE}: vgic_set_common_attr()`
const PARSE_ATTR = `${DEVICE}: vgic_v3_parse_attr()`
const REGS_ACCESS = `${DEVICE}: vgic_v3_attr_regs_access()`

/** VGIC_NR_PRIVATE_IRQS + 32 to VGIC_MAX_RESERVED, by 32. */
const NR_IRQS = { min: 64, max: 1023, step: 32, unset: 256 } as const
const UNSET_BASE = 0xffff_ffff_ffff_ffffn

export interface VgicDeviceOptions {
  readonly rules: VgicRules
  /** 2 or 3: GICv2 is here only as far as its existence shows. */
  readonly model: 2 | 3
  readonly ipaEnd: number
  readonly vcpus: readonly Vcpu[]
  find(affinity: Affinity): Vcpu | undefined
  makeVgic(nrIrqs: number): Vgic
}

/** One attribute group. */
interface Group {
  /** Of a group of registers: why there is no CPU whose register it could be. KVM looks at that first. */
  owner?(attr: bigint): Refusal | undefined
  has(attr: bigint): boolean
  get(attr: bigint, preset: bigint): KvmAnswer
  set(attr: bigint, value: bigint): KvmAnswer
}

const badPointer = refuse('EFAULT', 'The address of the value is not one of the VMM.', DEVICE)

const noAttr = (text: string, source = DEVICE): Refusal => refuse('ENXIO', `The device has no ${text}.`, source)

const noOwner = (affinity: Affinity): Refusal =>
  refuse('EINVAL', `No vCPU has the affinity ${affinityText(affinity)}.`, PARSE_ATTR)

const hex = (value: number | bigint): string => `0x${value.toString(16)}`

export class VgicDevice {
  readonly regions = new RedistributorRegions()
  readonly model: 2 | 3
  private readonly o: VgicDeviceOptions
  private readonly groups: Partial<Record<VgicGroup, Group>>
  private distributor: number | undefined
  /** GICv2: what ADDR was given. */
  private readonly v2Bases = new Map<bigint, bigint>()
  private nrIrqs: number | undefined
  private wasInitialised = false
  private made: Vgic | undefined
  private readonly frames: MmioRegion[] = []

  constructor(options: VgicDeviceOptions) {
    this.o = options
    this.model = options.model
    const common = { NR_IRQS: this.nrIrqsGroup(), CTRL: this.ctrlGroup() }
    this.groups =
      options.model === 2
        ? { ...common, ADDR: this.addrV2Group() }
        : {
            ...common,
            ADDR: this.addrV3Group(),
            DIST_REGS: this.distGroup(),
            REDIST_REGS: this.redistGroup(),
            CPU_SYSREGS: this.sysregGroup(),
            LEVEL_INFO: this.levelInfoGroup(),
          }
  }

  /** Whether KVM_DEV_ARM_VGIC_CTRL_INIT was called. */
  get initialised(): boolean {
    return this.wasInitialised
  }

  /** The GIC behind the device, from its initialisation on. */
  get vgic(): Vgic | undefined {
    return this.made
  }

  get distributorBase(): number | undefined {
    return this.distributor
  }

  limits(): Limits {
    return { distributor: this.distributor, vcpus: this.o.vcpus.length, ipaEnd: this.o.ipaEnd }
  }

  /** A vCPU was created: it takes the next free frame. */
  vcpuCreated(vcpu: Vcpu): Refusal | undefined {
    return this.regions.place(vcpu.index, this.limits())
  }

  has({ group, attr }: DeviceAttr): KvmAnswer {
    return this.group(group)?.has(attr) === true ? done : this.unknown({ group, attr })
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

  private group(group: number): Group | undefined {
    const name = vgicGroupName(group)
    return name === undefined ? undefined : this.groups[name]
  }

  private unknown({ group, attr }: DeviceAttr): Refusal {
    return noAttr(`attribute ${hex(attr)} in group ${vgicGroupName(group) ?? group}`)
  }

  // ADDR

  private addrV3Group(): Group {
    const known = [VGIC_ADDR.V3_DIST, VGIC_ADDR.V3_REDIST, VGIC_ADDR.V3_REDIST_REGION]
    return {
      has: (attr) => known.some((one) => one === attr),
      get: (attr, preset) => this.getAddr(attr, preset),
      set: (attr, value) => this.setAddr(attr, value),
    }
  }

  private getAddr(attr: bigint, preset: bigint): KvmAnswer {
    switch (attr) {
      case VGIC_ADDR.V3_DIST:
        return withValue(this.distributor === undefined ? UNSET_BASE : BigInt(this.distributor))
      case VGIC_ADDR.V3_REDIST: {
        const [first] = this.regions.list
        return withValue(first === undefined ? UNSET_BASE : BigInt(first.base))
      }
      case VGIC_ADDR.V3_REDIST_REGION: {
        const { index } = decodeRedistRegion(preset)
        const region = this.regions.list.find((one) => one.index === index)
        if (region === undefined) {
          return refuse('ENOENT', `There is no redistributor region ${index}.`, `${DEVICE}: kvm_vgic_addr()`)
        }
        return withValue(encodeRedistRegion({ index, base: region.base, count: region.count, flags: 0 }))
      }
      default:
        return noAttr(`address ${hex(attr)}`)
    }
  }

  private setAddr(attr: bigint, value: bigint): KvmAnswer {
    switch (attr) {
      case VGIC_ADDR.V3_DIST: {
        const wrong = this.checkBase(value, GICD_SIZE, this.distributor !== undefined)
        if (wrong !== undefined) return wrong
        this.distributor = Number(value)
        return done
      }
      case VGIC_ADDR.V3_REDIST:
        return this.addRegion(0, Number(value), 0)
      case VGIC_ADDR.V3_REDIST_REGION: {
        const { index, base, count, flags } = decodeRedistRegion(value)
        if (count === 0 || flags !== 0) {
          const what = count === 0 ? 'a count of 0' : `flags ${hex(flags)}`
          return refuse('EINVAL', `A redistributor region cannot have ${what}.`, `${DEVICE}: kvm_vgic_addr()`)
        }
        return this.addRegion(index, base, count)
      }
      default:
        return noAttr(`address ${hex(attr)}`)
    }
  }

  private addRegion(index: number, base: number, count: number): KvmAnswer {
    const wrong = this.regions.add(index, base, count, this.limits())
    if (wrong !== undefined) return wrong
    const region = this.regions.list.at(-1)
    if (this.made !== undefined && region !== undefined) this.tellRegion(this.made, region)
    return done
  }

  /** vgic_check_iorange(). */
  private checkBase(value: bigint, align: number, taken: boolean): Refusal | undefined {
    const source = 'arch/arm64/kvm/vgic/vgic-kvm-device.c: vgic_check_iorange()'
    if (taken) return refuse('EEXIST', 'The base has been set.', source)
    if (value % BigInt(align) !== 0n)
      return refuse('EINVAL', `${hex(value)} is not a multiple of ${hex(align)}.`, source)
    if (value + BigInt(align) > BigInt(this.o.ipaEnd)) {
      return refuse('E2BIG', `${hex(value)} lies beyond the guest's physical address space.`, source)
    }
    return undefined
  }

  private addrV2Group(): Group {
    const known = [VGIC_ADDR.V2_DIST, VGIC_ADDR.V2_CPU]
    const has = (attr: bigint): boolean => known.some((one) => one === attr)
    return {
      has,
      get: (attr) => (has(attr) ? withValue(this.v2Bases.get(attr) ?? UNSET_BASE) : noAttr(`address ${hex(attr)}`)),
      set: (attr, value) => {
        if (!has(attr)) return noAttr(`address ${hex(attr)}`)
        const wrong = this.checkBase(value, 0x1000, this.v2Bases.has(attr))
        if (wrong !== undefined) return wrong
        this.v2Bases.set(attr, value)
        return done
      },
    }
  }

  // NR_IRQS, CTRL

  private nrIrqsGroup(): Group {
    return {
      has: () => true,
      get: () => withValue(BigInt(this.nrIrqs ?? PRIVATE_COUNT)),
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
  }

  private ctrlGroup(): Group {
    return {
      has: (attr) => attr === VGIC_CTRL.INIT || (this.model === 3 && attr === VGIC_CTRL.SAVE_PENDING_TABLES),
      get: () => noAttr('readable control'),
      set: (attr) => {
        if (attr === VGIC_CTRL.INIT) return this.initialise()
        if (attr !== VGIC_CTRL.SAVE_PENDING_TABLES || this.model !== 3) return noAttr(`control ${hex(attr)}`)
        const inside = this.vcpuInside()
        if (inside !== undefined) return inside
        return this.wasInitialised ? done : noAttr('pending tables before its initialisation')
      },
    }
  }

  private initialise(): KvmAnswer {
    if (this.wasInitialised) return done
    this.wasInitialised = true
    this.nrIrqs ??= NR_IRQS.unset
    if (this.model === 3) {
      const vgic = this.o.makeVgic(this.nrIrqs)
      for (const region of this.regions.list) this.tellRegion(vgic, region)
      this.made = vgic
    }
    return done
  }

  // Registers

  /** The checks that every register access shares, in KVM's order; then the access. */
  private withVcpu(affinity: Affinity, access: (vgic: Vgic, cpu: number) => KvmAnswer): KvmAnswer {
    const vcpu = this.o.find(affinity)
    if (vcpu === undefined) return noOwner(affinity)
    return this.withVgic((vgic) => access(vgic, vcpu.index))
  }

  /** Registers are looked at while all vCPUs stand still: kvm_trylock_all_vcpus(). */
  private withVgic(access: (vgic: Vgic) => KvmAnswer): KvmAnswer {
    const inside = this.vcpuInside()
    if (inside !== undefined) return inside
    if (this.made === undefined) return refuse('EBUSY', 'The vGIC is not initialised.', REGS_ACCESS)
    return access(this.made)
  }

  private vcpuInside(): Refusal | undefined {
    const inside = this.o.vcpus.find((vcpu) => vcpu.inside)
    return inside && refuse('EBUSY', `vCPU ${inside.index} is inside KVM_RUN.`, REGS_ACCESS)
  }

  /** The check of a group whose attribute names a CPU by its affinity. */
  private ownerByAffinity(attr: bigint): Refusal | undefined {
    const { affinity } = registerAttrFields(attr)
    return this.o.find(affinity) === undefined ? noOwner(affinity) : undefined
  }

  /** Before the GIC is there, the register table answers alone. */
  private knows(frame: readonly Register[], offset: number, irqs: number): boolean {
    if (offset % 4 !== 0) return false
    const register = registerAt(frame, offset)
    if (register === undefined || !register.access.some((width) => width === 4)) return false
    return register.perIrq === undefined || firstIrqAt(register, offset) < irqs
  }

  private distGroup(): Group {
    // The attribute's affinity is not looked at: the first vCPU stands for the VM.
    const owner = (): Refusal | undefined =>
      this.o.vcpus.length === 0 ? refuse('EINVAL', 'The VM has no vCPU.', PARSE_ATTR) : undefined
    const access = (run: (vgic: Vgic) => KvmAnswer): KvmAnswer => owner() ?? this.withVgic(run)
    return {
      owner,
      has: (attr) => {
        const { offset } = registerAttrFields(attr)
        return this.made?.distHas(offset) ?? this.knows(gicdFrame, offset, this.nrIrqs ?? NR_IRQS.unset)
      },
      get: (attr) => access((vgic) => word(vgic.distRead(registerAttrFields(attr).offset))),
      set: (attr, value) => access((vgic) => vgic.distWrite(registerAttrFields(attr).offset, low(value))),
    }
  }

  private redistGroup(): Group {
    return {
      owner: (attr) => this.ownerByAffinity(attr),
      has: (attr) => {
        const { affinity, offset } = registerAttrFields(attr)
        if (this.o.find(affinity) === undefined) return false
        return this.made?.redistHas(offset) ?? this.knows(gicrFrame, offset, PRIVATE_COUNT)
      },
      get: (attr) => {
        const { affinity, offset } = registerAttrFields(attr)
        return this.withVcpu(affinity, (vgic, cpu) => word(vgic.redistRead(cpu, offset)))
      },
      set: (attr, value) => {
        const { affinity, offset } = registerAttrFields(attr)
        return this.withVcpu(affinity, (vgic, cpu) => vgic.redistWrite(cpu, offset, low(value)))
      },
    }
  }

  private sysregGroup(): Group {
    return {
      owner: (attr) => this.ownerByAffinity(attr),
      has: (attr) => {
        const { affinity, offset } = registerAttrFields(attr)
        return this.o.find(affinity) !== undefined && this.made?.cpuSysregHas(encoding(offset)) !== false
      },
      get: (attr) => {
        const { affinity, offset } = registerAttrFields(attr)
        return this.withVcpu(affinity, (vgic, cpu) => vgic.cpuSysregRead(cpu, encoding(offset)))
      },
      set: (attr, value) => {
        const { affinity, offset } = registerAttrFields(attr)
        return this.withVcpu(affinity, (vgic, cpu) => vgic.cpuSysregWrite(cpu, encoding(offset), value))
      },
    }
  }

  private levelInfoGroup(): Group {
    const source = REGS_ACCESS
    const check = (attr: bigint): Refusal | undefined => {
      const { intid, info } = levelInfoFields(attr)
      if (info !== 0) return refuse('EINVAL', `LEVEL_INFO knows info 0, not ${info}.`, source)
      return intid % 32 === 0 ? undefined : refuse('EINVAL', `INTID ${intid} is not a multiple of 32.`, source)
    }
    return {
      owner: (attr) => this.ownerByAffinity(attr),
      has: (attr) => levelInfoFields(attr).info === 0,
      get: (attr) => {
        const { affinity, intid } = levelInfoFields(attr)
        return this.withVcpu(affinity, (vgic, cpu) => check(attr) ?? withValue(BigInt(vgic.levelInfo.read(cpu, intid))))
      },
      set: (attr, value) => {
        const { affinity, intid } = levelInfoFields(attr)
        return this.withVcpu(affinity, (vgic, cpu) => check(attr) ?? this.setLevels(vgic, cpu, intid, low(value)))
      },
    }
  }

  private setLevels(vgic: Vgic, cpu: number, intid: number, levels: number): KvmAnswer {
    vgic.levelInfo.write(cpu, intid, levels)
    return done
  }

  /** GICR_TYPER.Last depends on the regions, and userspace may read it before any guest runs. */
  private tellRegion(vgic: Vgic, { base, vcpus, count }: RedistRegion): void {
    const region = vgic.redistributors(base, vcpus[0] ?? this.o.vcpus.length, vcpus.length, count)
    if (vcpus.length > 0) this.frames.push(region)
  }

  /** The frames a guest sees, once everything has an address. */
  mmio(): readonly MmioRegion[] {
    const { made, distributor } = this
    return made === undefined || distributor === undefined ? [] : [made.distributor(distributor), ...this.frames]
  }
}

/** CPU_SYSREGS keeps the encoding of the register where the others have an offset. */
const encoding = (offset: number): number => offset & SYSREG_INSTR_MASK

const low = (value: bigint): number => Number(BigInt.asUintN(32, value))

const word = (answer: { readonly ok: true; readonly value: number } | Refusal): KvmAnswer =>
  answer.ok ? withValue(BigInt(answer.value >>> 0)) : answer
