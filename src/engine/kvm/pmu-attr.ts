/** The PMU's attributes of a vCPU: kvm_arm_pmu_v3_set_attr() and others (arch/arm64/kvm/pmu-emul.c). */
import { LAST_SPI, PPI, PRIVATE_COUNT, SGI_COUNT } from '../../pure/arch/intid.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { DeviceAttr, KvmAnswer } from '../../pure/uapi/calls.ts'
import { PMU_V3, VCPU_GROUP } from '../../pure/uapi/vcpu-attr.ts'
import { done, withValue } from './kvm-answer.ts'
import type { Vcpu } from './vcpu.ts'
import type { VgicDevice } from './vgic-device.ts'

const PMU = 'arch/arm64/kvm/pmu-emul.c'
const SET = `${PMU}: kvm_arm_pmu_v3_set_attr()`
const GET = `${PMU}: kvm_arm_pmu_v3_get_attr()`
const INIT = `${PMU}: kvm_arm_pmu_v3_init()`
const ENABLE = `${PMU}: kvm_arm_pmu_v3_enable()`

export interface PmuAttrContext {
  /** The VM's GIC. */
  readonly gic: VgicDevice | undefined
  readonly vcpus: readonly Vcpu[]
}

const isPpi = (irq: number): boolean => irq >= SGI_COUNT && irq < PRIVATE_COUNT

const hasPmu = ({ features }: Vcpu): boolean => features?.includes('PMU_V3') === true

const noPmu = ({ index }: Vcpu, source: string): Refusal =>
  refuse('ENODEV', `vCPU ${index} was not given PMU_V3 by KVM_ARM_VCPU_INIT.`, source)

const noAttr = ({ group, attr }: DeviceAttr, source: string): Refusal =>
  refuse('ENXIO', `A vCPU has no attribute 0x${attr.toString(16)} in group ${group}.`, source)

const badPointer = (source: string): Refusal =>
  refuse('EFAULT', 'The address of the value is not one of the VMM.', source)

/** Those that are here: filters of events, and a choice among several PMUs, are not. */
const isKnown = ({ group, attr }: DeviceAttr): boolean =>
  group === VCPU_GROUP.PMU_V3_CTRL && (attr === PMU_V3.PMU_V3_IRQ || attr === PMU_V3.PMU_V3_INIT)

export const hasPmuAttr = (vcpu: Vcpu, at: DeviceAttr): KvmAnswer =>
  isKnown(at) && hasPmu(vcpu) ? done : noAttr(at, `${PMU}: kvm_arm_pmu_v3_has_attr()`)

export const getPmuAttr = ({ gic }: PmuAttrContext, vcpu: Vcpu, at: DeviceAttr, bad = false): KvmAnswer => {
  if (at.group !== VCPU_GROUP.PMU_V3_CTRL || at.attr !== PMU_V3.PMU_V3_IRQ) return noAttr(at, GET)
  if (gic === undefined) return refuse('EINVAL', 'The VM has no in-kernel GIC.', GET)
  if (!hasPmu(vcpu)) return noPmu(vcpu, GET)
  const { irq } = vcpu.pmu
  if (irq === undefined) return refuse('ENXIO', `The PMU of vCPU ${vcpu.index} has no interrupt yet.`, GET)
  return bad ? badPointer(GET) : withValue(BigInt(irq))
}

export const setPmuAttr = (
  context: PmuAttrContext,
  vcpu: Vcpu,
  at: DeviceAttr & { readonly value: bigint },
  bad = false,
): KvmAnswer => {
  if (at.group !== VCPU_GROUP.PMU_V3_CTRL) return noAttr(at, 'arch/arm64/kvm/guest.c: kvm_arm_vcpu_arch_set_attr()')
  if (!hasPmu(vcpu)) return noPmu(vcpu, SET)
  if (vcpu.pmu.created) return refuse('EBUSY', `The PMU of vCPU ${vcpu.index} is initialised.`, SET)
  switch (at.attr) {
    case PMU_V3.PMU_V3_IRQ:
      // An int.
      return setIrq(context, vcpu, Number(BigInt.asIntN(32, at.value)), bad)
    case PMU_V3.PMU_V3_INIT:
      return initialise(context, vcpu)
    default:
      return noAttr(at, SET)
  }
}

const setIrq = ({ gic, vcpus }: PmuAttrContext, { index, pmu }: Vcpu, irq: number, bad: boolean): KvmAnswer => {
  if (gic === undefined) return refuse('EINVAL', 'The VM has no in-kernel GIC.', SET)
  if (bad) return badPointer(SET)
  if (!isPpi(irq) && !(irq >= PRIVATE_COUNT && irq <= LAST_SPI)) {
    return refuse('EINVAL', `INTID ${irq} is neither a PPI nor an SPI.`, SET)
  }
  // As a PPI it is the same for all vCPUs, as an SPI another for each: pmu_irq_is_valid().
  const clash = vcpus.find(({ pmu: { irq: other } }) => other !== undefined && isPpi(irq) !== (other === irq))
  if (clash !== undefined) {
    const why = isPpi(irq) ? `other than ${irq}: a PPI is the same for all` : `already: an SPI belongs to one`
    return refuse('EINVAL', `The PMU of vCPU ${clash.index} has INTID ${clash.pmu.irq}, ${why}.`, SET)
  }
  if (pmu.irq !== undefined) return refuse('EBUSY', `The PMU of vCPU ${index} has INTID ${pmu.irq}.`, SET)
  pmu.irq = irq
  return done
}

const initialise = ({ gic }: PmuAttrContext, { index, pmu }: Vcpu): KvmAnswer => {
  if (gic !== undefined) {
    const { vgic } = gic
    if (vgic === undefined) return refuse('ENODEV', 'The vGIC is not initialised.', INIT)
    if (pmu.irq === undefined) return refuse('ENXIO', `The PMU of vCPU ${index} has no interrupt yet.`, INIT)
    if (vgic.irq(index, pmu.irq) === undefined) {
      return refuse('EINVAL', `This VM has no INTID ${pmu.irq}.`, 'arch/arm64/kvm/vgic/vgic.c: kvm_vgic_set_owner()')
    }
    vgic.claim(index, pmu.irq)
  }
  pmu.created = true
  return done
}

const TIMERS: readonly number[] = [PPI.virtualTimer, PPI.physicalTimer]

/** What KVM looks at before a vCPU runs for the first time, when the GIC is there. */
export const checkPmu = (vcpu: Vcpu): Refusal | undefined => {
  if (!hasPmu(vcpu)) return undefined
  const { irq, created } = vcpu.pmu
  if (irq !== undefined && created && TIMERS.includes(irq)) {
    return refuse(
      'EINVAL',
      `INTID ${irq} is a timer's, and the PMU has it.`,
      'arch/arm64/kvm/arch_timer.c: kvm_timer_enable()',
    )
  }
  return created
    ? undefined
    : refuse('EINVAL', `The PMU of vCPU ${vcpu.index} was not initialised by PMU_V3_INIT.`, ENABLE)
}
