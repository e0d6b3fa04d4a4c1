/** The vGICv2 as a KVM device: its addresses and registers (arch/arm64/kvm/vgic/vgic-kvm-device.c, vgic-v2.c). */
import { GICC_SIZE } from '../../pure/arch/gic/gicc.ts'
import { GICD_V2_SIZE, gicdV2Frame } from '../../pure/arch/gic/gicd-v2.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { VGIC_ADDR, v2RegisterAttrFields } from '../../pure/uapi/vgic-attr.ts'
import type { MmioRegion } from '../bus/device.ts'
import { giccUserRegisters } from '../gic/gicc.ts'
import type { RegisterFrame } from '../gic/register-frame.ts'
import { VgicV2 } from '../gic/vgic-v2.ts'
import type { VgicOptions } from '../gic/vgic.ts'
import { done, withValue } from './kvm-answer.ts'
import type { Vcpu } from './vcpu.ts'
import { VgicDevice } from './vgic-device.ts'
import type { Groups } from './vgic-device.ts'
import { checkBase, DEVICE, frameHas, hex, low, noAttr, UNSET_BASE, word } from './vgic-group.ts'
import type { Group } from './vgic-group.ts'

const PARSE_ATTR = `${DEVICE}: vgic_v2_parse_attr()`
const MAP = 'arch/arm64/kvm/vgic/vgic-v2.c: vgic_v2_map_resources()'
const ALIGN = 0x1000

interface Base {
  readonly attr: bigint
  /** Bytes. */
  readonly size: number
  address: number | undefined
}

export class VgicV2Device extends VgicDevice {
  readonly model = 2
  protected readonly lazy = true
  private readonly dist: Base = { attr: VGIC_ADDR.V2_DIST, size: GICD_V2_SIZE, address: undefined }
  private readonly cpu: Base = { attr: VGIC_ADDR.V2_CPU, size: GICC_SIZE, address: undefined }
  private made: VgicV2 | undefined

  protected readonly groups: Groups = {
    ADDR: this.addrGroup(),
    DIST_REGS: this.registers(
      (vgic) => vgic.distributorRegisters,
      (offset) => frameHas(gicdV2Frame, offset, this.irqCount),
    ),
    CPU_REGS: this.registers(
      (vgic) => vgic.interfaceRegisters,
      (offset) => frameHas(giccUserRegisters, offset, 0),
    ),
  }

  get vgic(): VgicV2 | undefined {
    return this.made
  }

  protected makeVgic(options: VgicOptions): void {
    this.made = new VgicV2(options)
  }

  placeVcpu(): undefined {
    return undefined
  }

  mapResources(): Refusal | undefined {
    const [dist, cpu] = [this.dist.address, this.cpu.address]
    if (dist === undefined || cpu === undefined) {
      return refuse('ENXIO', `The ${dist === undefined ? 'distributor' : 'CPU interface'} has no address.`, MAP)
    }
    if (dist < cpu + GICC_SIZE && cpu < dist + GICD_V2_SIZE) {
      return refuse('EINVAL', 'The distributor and the CPU interface overlap.', MAP)
    }
    this.initialise()
    return undefined
  }

  mmio(): readonly MmioRegion[] {
    const { made, dist, cpu } = this
    if (made === undefined || dist.address === undefined || cpu.address === undefined) return []
    return [made.distributor(dist.address), made.cpuInterface(cpu.address)]
  }

  private addrGroup(): Group {
    const at = (attr: bigint): Base | undefined => [this.dist, this.cpu].find((base) => base.attr === attr)
    const none = (attr: bigint): Refusal => noAttr(`address ${hex(attr)}`)
    return {
      has: (attr) => at(attr) !== undefined,
      get: (attr) => {
        const base = at(attr)
        if (base === undefined) return none(attr)
        return withValue(base.address === undefined ? UNSET_BASE : BigInt(base.address))
      },
      set: (attr, value) => {
        const base = at(attr)
        if (base === undefined) return none(attr)
        const { size, address } = base
        const wrong = checkBase(value, { align: ALIGN, size, taken: address !== undefined, ipaEnd: this.o.ipaEnd })
        if (wrong !== undefined) return wrong
        base.address = Number(value)
        return done
      },
    }
  }

  /** vgic_v2_attr_regs_access(): the GIC is initialised if it was not. */
  private registers(frameOf: (vgic: VgicV2) => RegisterFrame<string>, has: (offset: number) => boolean): Group {
    const vcpuOf = (attr: bigint): Vcpu | undefined => {
      const { vcpuId } = v2RegisterAttrFields(attr)
      const by = this.o.rules.v2AttrCpu.decide()
      return this.o.vcpus.find((vcpu) => vcpu[by] === vcpuId)
    }
    const noOwner = (attr: bigint): Refusal =>
      refuse('EINVAL', `There is no vCPU ${v2RegisterAttrFields(attr).vcpuId}.`, PARSE_ATTR)
    const access = (
      attr: bigint,
      run: (frame: RegisterFrame<string>, cpu: number, offset: number) => KvmAnswer,
    ): KvmAnswer => {
      const vcpu = vcpuOf(attr)
      if (vcpu === undefined) return noOwner(attr)
      const inside = this.vcpuInside()
      if (inside !== undefined) return inside
      this.initialiseOnUse()
      const { made } = this
      if (made === undefined) throw new Error('the vGICv2 was not initialised')
      return run(frameOf(made), vcpu.index, v2RegisterAttrFields(attr).offset)
    }
    return {
      owner: (attr) => (vcpuOf(attr) === undefined ? noOwner(attr) : undefined),
      has: (attr) => (vcpuOf(attr) === undefined ? noOwner(attr) : has(v2RegisterAttrFields(attr).offset)),
      get: (attr) => access(attr, (frame, cpu, offset) => word(frame.userRead(offset, cpu))),
      set: (attr, value) => access(attr, (frame, cpu, offset) => frame.userWrite(offset, low(value), cpu)),
    }
  }
}
