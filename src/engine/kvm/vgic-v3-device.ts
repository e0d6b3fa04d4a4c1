/** The vGICv3 as a KVM device: its addresses and registers (arch/arm64/kvm/vgic/vgic-kvm-device.c). */
import { affinityText } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import { GICD_SIZE, gicdFrame } from '../../pure/arch/gic/gicd.ts'
import { gicrFrame } from '../../pure/arch/gic/gicr.ts'
import { PRIVATE_COUNT } from '../../pure/arch/intid.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import {
  SYSREG_INSTR_MASK,
  VGIC_ADDR,
  decodeRedistRegion,
  encodeRedistRegion,
  levelInfoFields,
  registerAttrFields,
} from '../../pure/uapi/vgic-attr.ts'
import type { MmioRegion } from '../bus/device.ts'
import { isUserSysreg } from '../gic/user-sysregs.ts'
import { VgicV3 } from '../gic/vgic-v3.ts'
import type { VgicOptions } from '../gic/vgic.ts'
import { done, withValue } from './kvm-answer.ts'
import { RedistributorRegions } from './redistributor-regions.ts'
import type { Limits, RedistRegion } from './redistributor-regions.ts'
import { VgicDevice } from './vgic-device.ts'
import type { Groups } from './vgic-device.ts'
import { checkBase, DEVICE, frameHas, hex, low, noAttr, UNSET_BASE, word } from './vgic-group.ts'
import type { Group } from './vgic-group.ts'

const PARSE_ATTR = `${DEVICE}: vgic_v3_parse_attr()`
const REGS_ACCESS = `${DEVICE}: vgic_v3_attr_regs_access()`
const MAP = 'arch/arm64/kvm/vgic/vgic-v3.c: vgic_v3_map_resources()'

const noOwner = (affinity: Affinity): Refusal =>
  refuse('EINVAL', `No vCPU has the affinity ${affinityText(affinity)}.`, PARSE_ATTR)

export class VgicV3Device extends VgicDevice {
  readonly model = 3
  protected readonly lazy = false
  private readonly regions = new RedistributorRegions(() => this.o.rules.refusedRegion.decide() === 'takes-frames')
  private distributor: number | undefined
  private made: VgicV3 | undefined

  protected readonly groups: Groups = {
    ADDR: this.addrGroup(),
    DIST_REGS: this.distGroup(),
    REDIST_REGS: this.redistGroup(),
    CPU_SYSREGS: this.sysregGroup(),
    LEVEL_INFO: this.levelInfoGroup(),
  }

  get vgic(): VgicV3 | undefined {
    return this.made
  }

  protected makeVgic(options: VgicOptions): void {
    this.made = new VgicV3(options)
    for (const region of this.regions.list) this.tellRegion(this.made, region)
  }

  protected override savePendingTables(): Refusal | undefined {
    return this.made?.savePendingTables()
  }

  private limits(): Limits {
    return { distributor: this.distributor, vcpus: this.o.vcpus.length, ipaEnd: this.o.ipaEnd }
  }

  /** It takes the next free frame. */
  placeVcpu(index: number): Refusal | undefined {
    return this.regions.place(index, this.limits())
  }

  /** The checks run in this order. */
  mapResources(): Refusal | undefined {
    for (const { index } of this.o.vcpus) {
      if (!this.regions.has(index)) {
        return refuse('ENXIO', `vCPU ${index} has no redistributor: no region has room for it.`, MAP)
      }
    }
    if (this.distributor === undefined) return refuse('ENXIO', 'The distributor has no address.', MAP)
    const wrong = this.regions.checkBases(this.limits())
    if (wrong !== undefined) return wrong
    return this.initialised ? undefined : refuse('EBUSY', 'The vGIC has not seen KVM_DEV_ARM_VGIC_CTRL_INIT.', MAP)
  }

  // ADDR

  private addrGroup(): Group {
    const all = [VGIC_ADDR.V3_DIST, VGIC_ADDR.V3_REDIST, VGIC_ADDR.V3_REDIST_REGION]
    return {
      has: (attr) => all.some((one) => one === attr),
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
        const wrong = checkBase(value, {
          align: GICD_SIZE,
          size: GICD_SIZE,
          taken: this.distributor !== undefined,
          ipaEnd: this.o.ipaEnd,
        })
        if (wrong !== undefined) return wrong
        this.distributor = Number(value)
        return done
      }
      case VGIC_ADDR.V3_REDIST:
        return this.addRegion(0, value, 0)
      case VGIC_ADDR.V3_REDIST_REGION: {
        const { index, base, count, flags } = decodeRedistRegion(value)
        if (count === 0 || flags !== 0) {
          const what = count === 0 ? 'a count of 0' : `flags ${hex(flags)}`
          return refuse('EINVAL', `A redistributor region cannot have ${what}.`, `${DEVICE}: kvm_vgic_addr()`)
        }
        return this.addRegion(index, BigInt(base), count)
      }
      default:
        return noAttr(`address ${hex(attr)}`)
    }
  }

  private addRegion(index: number, base: bigint, count: number): KvmAnswer {
    const wrong = this.regions.add(index, base, count, this.limits())
    if (wrong !== undefined) return wrong
    const region = this.regions.list.at(-1)
    if (this.made !== undefined && region !== undefined) this.tellRegion(this.made, region)
    return done
  }

  // Registers

  /** The checks that every register access shares, in KVM's order; then the access. */
  private withVcpu(affinity: Affinity, access: (vgic: VgicV3, cpu: number) => KvmAnswer): KvmAnswer {
    const vcpu = this.o.find(affinity)
    if (vcpu === undefined) return noOwner(affinity)
    return this.withVgic((vgic) => access(vgic, vcpu.index))
  }

  /** Registers are looked at while all vCPUs stand still: kvm_trylock_all_vcpus(). */
  private withVgic(access: (vgic: VgicV3) => KvmAnswer): KvmAnswer {
    const inside = this.vcpuInside()
    if (inside !== undefined) return inside
    if (this.made === undefined) return refuse('EBUSY', 'The vGIC is not initialised.', REGS_ACCESS)
    return access(this.made)
  }

  /** The check of a group whose attribute names a CPU by its affinity. */
  private ownerByAffinity(attr: bigint): Refusal | undefined {
    const { affinity } = registerAttrFields(attr)
    return this.o.find(affinity) === undefined ? noOwner(affinity) : undefined
  }

  private distGroup(): Group {
    // The attribute's affinity is not looked at: the first vCPU stands for the VM.
    const owner = (): Refusal | undefined =>
      this.o.vcpus.length === 0 ? refuse('EINVAL', 'The VM has no vCPU.', PARSE_ATTR) : undefined
    const access = (run: (vgic: VgicV3) => KvmAnswer): KvmAnswer => owner() ?? this.withVgic(run)
    return {
      owner,
      has: (attr) => {
        const { offset } = registerAttrFields(attr)
        return owner() ?? this.made?.distHas(offset) ?? frameHas(gicdFrame, offset, this.irqCount)
      },
      get: (attr) => access((vgic) => word(vgic.distRead(registerAttrFields(attr).offset))),
      set: (attr, value) => access((vgic) => vgic.distWrite(registerAttrFields(attr).offset, low(value))),
    }
  }

  private redistGroup(): Group {
    return {
      owner: (attr) => this.ownerByAffinity(attr),
      has: (attr) => {
        const { offset } = registerAttrFields(attr)
        return this.ownerByAffinity(attr) ?? this.made?.redistHas(offset) ?? frameHas(gicrFrame, offset, PRIVATE_COUNT)
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
        const { offset } = registerAttrFields(attr)
        return this.ownerByAffinity(attr) ?? isUserSysreg(encoding(offset))
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
      // Whose it would be is not looked at.
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

  private setLevels(vgic: VgicV3, cpu: number, intid: number, levels: number): KvmAnswer {
    vgic.levelInfo.write(cpu, intid, levels)
    return done
  }

  /** GICR_TYPER.Last depends on the regions, and userspace may read it before any guest runs. */
  private tellRegion(vgic: VgicV3, { base, vcpus, count }: RedistRegion): void {
    vgic.addRedistributors({ base, first: vcpus[0] ?? this.o.vcpus.length, count: vcpus.length, slots: count })
  }

  /** The frames a guest sees, once everything has an address. */
  mmio(): readonly MmioRegion[] {
    const { made, distributor, regions } = this
    if (made === undefined || distributor === undefined) return []
    const frames = regions.list.map((region) => regions.frames(region)).filter(({ count }) => count > 0)
    return [made.distributor(distributor), ...frames.map((run) => made.redistributors(run))]
  }
}

/** CPU_SYSREGS keeps the encoding of the register where the others have an offset. */
const encoding = (offset: number): number => offset & SYSREG_INSTR_MASK
