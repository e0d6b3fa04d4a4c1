/** KVM_IRQ_LINE: kvm_vm_ioctl_irq_line() (arch/arm64/kvm/arm.c). */
import { FIRST_SPI, PRIVATE_COUNT, SGI_COUNT } from '../../pure/arch/intid.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal, VgicRules } from '../../pure/rules/points.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { IRQ_TYPE, irqLineFields } from '../../pure/uapi/irq-line.ts'
import { done } from './kvm-answer.ts'
import type { Vcpu } from './vcpu.ts'
import type { VgicDevice } from './vgic-device.ts'

const SOURCE = 'arch/arm64/kvm/arm.c: kvm_vm_ioctl_irq_line()'

export interface IrqLineContext {
  readonly rules: VgicRules
  readonly device: VgicDevice | undefined
  readonly vcpus: readonly Vcpu[]
}

const invalid = (why: string): Refusal => refuse('EINVAL', why, SOURCE)

export const irqLine = ({ rules, device, vcpus }: IrqLineContext, irq: number, level: boolean): KvmAnswer => {
  const { type, vcpu: named, number } = irqLineFields(irq)
  const notInitialised = refuse(
    'EBUSY',
    'The vGIC is not initialised.',
    'arch/arm64/kvm/vgic/vgic-init.c: vgic_lazy_init()',
  )
  if (type !== IRQ_TYPE.CPU && type !== IRQ_TYPE.SPI && type !== IRQ_TYPE.PPI)
    return invalid(`There is no type ${type}.`)
  const byId = rules.irqLineCpu.decide() === 'id'
  const vcpu = byId ? vcpus.find(({ id }) => id === named) : vcpus[named]
  const noVcpu = invalid(`There is no vCPU with the ${byId ? 'id' : 'index'} ${named}.`)
  if (type === IRQ_TYPE.CPU) {
    if (device !== undefined) return refuse('ENXIO', "A CPU's own inputs are the in-kernel GIC's.", SOURCE)
    if (vcpu === undefined) return noVcpu
    const input = [vcpu.port.irq, vcpu.port.fiq][number]
    if (input === undefined) return invalid(`A CPU has inputs 0 (IRQ) and 1 (FIQ), not ${number}.`)
    input.set(level)
    return done
  }
  if (device === undefined) return refuse('ENXIO', 'The VM has no GIC.', SOURCE)
  if (type === IRQ_TYPE.SPI) {
    if (number < FIRST_SPI) return invalid(`INTID ${number} is not an SPI.`)
    device.initialiseOnUse()
    const { vgic } = device
    if (vgic === undefined) return notInitialised
    if (vgic.irq(0, number) === undefined) return invalid(`This VM has no INTID ${number}.`)
    vgic.injectSpi(number, level)
    return done
  }
  if (vcpu === undefined) return noVcpu
  if (number < SGI_COUNT || number >= PRIVATE_COUNT) return invalid(`INTID ${number} is not a PPI.`)
  device.initialiseOnUse()
  const { vgic } = device
  if (vgic === undefined) return notInitialised
  const owner = byId ? vcpu : vcpus[vcpu.id]
  if (owner === undefined) return invalid(`There is no vCPU with the index ${vcpu.id}.`)
  vgic.injectPpi(owner.index, number, level)
  return done
}
