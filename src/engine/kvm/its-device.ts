/** An ITS as a KVM device: attributes and their legality (arch/arm64/kvm/vgic/vgic-its.c: kvm_arm_vgic_its_ops). */
import { GITS_SIZE } from '../../pure/arch/gic/gits.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { DeviceAttr, KvmAnswer } from '../../pure/uapi/calls.ts'
import { VGIC_ADDR, VGIC_CTRL, VGIC_GROUP } from '../../pure/uapi/vgic-attr.ts'
import type { MmioRegion } from '../bus/device.ts'
import { Its } from '../gic/its/its.ts'
import type { ItsOptions } from '../gic/its/its.ts'
import { ItsRegisters } from '../gic/its/registers.ts'
import { restoreTables, saveTables } from '../gic/its/save-restore.ts'
import { done, withValue } from './kvm-answer.ts'
import { FRAME_ALIGN } from './redistributor-regions.ts'
import type { Vcpu } from './vcpu.ts'
import { badPointer, checkBase, UNSET_BASE } from './vgic-group.ts'

const SOURCE = 'arch/arm64/kvm/vgic/vgic-its.c'

export interface ItsDeviceOptions extends ItsOptions {
  readonly ipaEnd: number
  readonly vcpus: readonly Vcpu[]
  /** Gives a frame its place; a refusal if something else is there. */
  readonly attach: (region: MmioRegion) => Refusal | undefined
}

/** All controls but INIT answer for a device that may be in any state. */
const CONTROLS: readonly bigint[] = [
  VGIC_CTRL.INIT,
  VGIC_CTRL.ITS_SAVE_TABLES,
  VGIC_CTRL.ITS_RESTORE_TABLES,
  VGIC_CTRL.ITS_RESET,
]

const noAttr = ({ group, attr }: DeviceAttr, source: string): Refusal =>
  refuse('ENXIO', `An ITS has no attribute 0x${attr.toString(16)} in group ${group}.`, `${SOURCE}: ${source}`)

const noAddress = (attr: bigint): Refusal =>
  refuse('ENODEV', `An ITS has no address of type ${attr}.`, `${SOURCE}: vgic_its_set_attr()`)

export class ItsDevice {
  readonly its: Its
  private readonly o: ItsDeviceOptions
  private readonly registers: ItsRegisters
  private base: bigint | undefined

  constructor(o: ItsDeviceOptions) {
    this.o = o
    this.its = new Its(o)
    this.registers = new ItsRegisters(this.its)
  }

  /** Whether a message to this address is for this ITS: any place in its frames will do. */
  answers(address: bigint): boolean {
    return this.base !== undefined && address >= this.base && address < this.base + BigInt(GITS_SIZE)
  }

  /** Where the guest has it. */
  get address(): number | undefined {
    return this.base === undefined ? undefined : Number(this.base)
  }

  has(at: DeviceAttr): KvmAnswer {
    const known =
      (at.group === VGIC_GROUP.ADDR && at.attr === VGIC_ADDR.ITS) ||
      (at.group === VGIC_GROUP.CTRL && CONTROLS.includes(at.attr))
    if (known) return done
    if (at.group === VGIC_GROUP.ITS_REGS) return this.registers.has(Number(at.attr)) ?? done
    return noAttr(at, 'vgic_its_has_attr()')
  }

  /** `bad`: the value's address is not one of the VMM, which is found out last. */
  get(at: DeviceAttr, _: bigint, bad = false): KvmAnswer {
    const answer = this.getGood(at)
    return bad && answer.ok ? badPointer : answer
  }

  private getGood(at: DeviceAttr): KvmAnswer {
    switch (at.group) {
      case VGIC_GROUP.ADDR:
        return at.attr === VGIC_ADDR.ITS ? withValue(this.base ?? UNSET_BASE) : noAddress(at.attr)
      case VGIC_GROUP.ITS_REGS: {
        const { attr } = at
        return this.withRegister(attr, () => {
          const answer = this.registers.userRead(Number(attr))
          return answer.ok ? withValue(answer.value) : answer
        })
      }
      default:
        return noAttr(at, 'vgic_its_get_attr()')
    }
  }

  set(at: DeviceAttr, value: bigint, bad = false): KvmAnswer {
    switch (at.group) {
      case VGIC_GROUP.ADDR:
        if (at.attr !== VGIC_ADDR.ITS) return noAddress(at.attr)
        return bad ? badPointer : this.setBase(value)
      case VGIC_GROUP.CTRL:
        return this.control(at.attr) ?? done
      case VGIC_GROUP.ITS_REGS: {
        const { attr } = at
        if (bad) return badPointer
        return this.withRegister(attr, () => this.registers.userWrite(Number(attr), value))
      }
      default:
        return noAttr(at, 'vgic_its_set_attr()')
    }
  }

  /** kvm_trylock_all_vcpus(). */
  private vcpuInside(): Refusal | undefined {
    const inside = this.o.vcpus.find((vcpu) => vcpu.inside)
    return inside && refuse('EBUSY', `vCPU ${inside.index} is inside KVM_RUN.`, `${SOURCE}: lock_all_vcpus()`)
  }

  private setBase(base: bigint): KvmAnswer {
    const wrong = checkBase(base, {
      align: FRAME_ALIGN,
      size: GITS_SIZE,
      taken: this.base !== undefined,
      ipaEnd: this.o.ipaEnd,
    })
    if (wrong !== undefined) return wrong
    const { frame } = this.registers
    const occupied = this.o.attach({
      name: 'ITS',
      registers: { frame: 'GITS' },
      base: Number(base),
      size: GITS_SIZE,
      read: (offset, width, cpu) => frame.read(offset, width, cpu),
      write: (offset, width, value, cpu) => frame.write(offset, width, value, cpu),
    })
    if (occupied !== undefined) return occupied
    this.base = base
    return done
  }

  /** A control that KVM does not know does nothing, successfully: vgic_its_ctrl(). */
  private control(attr: bigint): Refusal | undefined {
    if (attr === VGIC_CTRL.INIT) return undefined
    const inside = this.vcpuInside()
    if (inside !== undefined) return inside
    const ready = this.o.world() !== undefined
    switch (attr) {
      case VGIC_CTRL.ITS_RESET:
        this.its.reset()
        return undefined
      case VGIC_CTRL.ITS_SAVE_TABLES:
        return saveTables(this.its)
      case VGIC_CTRL.ITS_RESTORE_TABLES:
        // Linux does without, as its LPIs do not belong to the vGIC; nobody restores a GIC that is not there.
        return ready
          ? restoreTables(this.its, this.o.cpuOf)
          : refuse('ENXIO', 'The vGIC is not initialised: LPIs have nowhere to go.', 'ARCHITECTURE.md#its')
      default:
        return undefined
    }
  }

  /** Registers answer once the ITS has an address; the offset is looked at first. */
  private withRegister(attr: bigint, access: () => KvmAnswer): KvmAnswer {
    const wrong = this.registers.has(Number(attr))
    if (wrong?.errno === 'EINVAL') return wrong
    const inside = this.vcpuInside()
    if (inside !== undefined) return inside
    if (this.base === undefined) {
      return refuse('ENXIO', 'The ITS has no address yet.', `${SOURCE}: vgic_its_attr_regs_access()`)
    }
    return wrong ?? access()
  }
}
