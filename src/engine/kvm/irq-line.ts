/** KVM_IRQ_LINE: kvm_vm_ioctl_irq_line() (arch/arm64/kvm/arm.c). */
import { FIRST_SPI, PRIVATE_COUNT, SGI_COUNT } from '../../pure/arch/intid.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { IRQ_TYPE, irqLineFields } from '../../pure/uapi/irq-line.ts'
import { done } from './kvm-answer.ts'
import type { Vcpu } from './vcpu.ts'
import type { VgicDevice } from './vgic-device.ts'

const SOURCE = 'arch/arm64/kvm/arm.c: kvm_vm_ioctl_irq_line()'

export interface IrqLineContext {
  readonly device: VgicDevice | undefined
  readonly vcpus: readonly Vcpu[]
}

const invalid = (why: string): Refusal => refuse('EINVAL', why, SOURCE)

export const irqLine = ({ device, vcpus }: IrqLineContext, irq: number, level: boolean): KvmAnswer => {
  const { type, vcpu: id, number } = irqLineFields(irq)
  const notInitialised = refuse(
    'EBUSY',
    'The vGIC is not initialised.',
    'arch/arm64/kvm/vgic/vgic-init.c: vgic_lazy_init()',
  )
  if (type !== IRQ_TYPE.CPU && type !== IRQ_TYPE.SPI && type !== IRQ_TYPE.PPI)
    return invalid(`There is no type ${type}.`)
  if (type === IRQ_TYPE.CPU) {
    return refuse('ENXIO', "A CPU's own input is the in-kernel GIC's.", SOURCE)
  }
  if (device === undefined) return refuse('ENXIO', 'The VM has no GIC.', SOURCE)
  if (type === IRQ_TYPE.SPI) {
    if (number < FIRST_SPI) return invalid(`INTID ${number} is not an SPI.`)
    device.initialiseOnUse()
    const { vgic } = device
    if (vgic === undefined) return notInitialised
    if (vgic.irq(0, number) === undefined) return invalid(`This VM has no INTID ${number}.`)
    vgic.spi(number).set(level)
    return done
  }
  const vcpu = vcpus.find((one) => one.id === id)
  if (vcpu === undefined) return invalid(`There is no vCPU with id ${id}.`)
  if (number < SGI_COUNT || number >= PRIVATE_COUNT) return invalid(`INTID ${number} is not a PPI.`)
  device.initialiseOnUse()
  const { vgic } = device
  if (vgic === undefined) return notInitialised
  vgic.injectPpi(vcpu.index, number, level)
  return done
}
