/** Messages: KVM_SIGNAL_MSI, which is kvm_send_userspace_msi() (virt/kvm/irqchip.c) and vgic_its_inject_msi() (vgic-its.c). */
import { ITS_ERRORS } from '../../pure/arch/gic/its-commands.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { VmFacts } from '../../pure/rules/points.ts'
import { KVM_MSI_VALID_DEVID } from '../../pure/uapi/calls.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import type { ItsDevice } from './its-device.ts'

const SEND = 'virt/kvm/irqchip.c: kvm_send_userspace_msi()'
const SET = 'arch/arm64/kvm/vgic/vgic-irqfd.c: kvm_set_msi()'
const ITS = 'arch/arm64/kvm/vgic/vgic-its.c: vgic_msi_to_its()'

const DELIVERED = 1n
/** The guest has not mapped the event: that is its own affair. */
const BLOCKED = 0n

/** What of a message matters to an ITS. */
export type Message = Omit<Extract<KvmCall, { call: 'KVM_SIGNAL_MSI' }>, 'call'>

/** vgic_its_inject_msi(). */
export const injectMsi = (
  vm: Readonly<VmFacts>,
  devices: readonly ItsDevice[],
  { address, data, flags, devid }: Message,
): KvmAnswer => {
  if (vm.gic !== 3 || !vm.hasIts) return refuse('ENODEV', 'The VM has no ITS.', SET)
  if ((flags & KVM_MSI_VALID_DEVID) === 0) return refuse('EINVAL', 'An ITS must know which device it is.', ITS)
  const device = devices.find((one) => one.answers(address))
  if (device === undefined) return refuse('EINVAL', `There is no ITS at 0x${address.toString(16)}.`, ITS)
  const failed = device.its.message(devid >>> 0, data >>> 0)
  if (failed === 'NOT_ENABLED') {
    return refuse(
      'EBUSY',
      `The message ends at the ITS: ${ITS_ERRORS[failed]}.`,
      'arch/arm64/kvm/vgic/vgic-its.c: vgic_its_resolve_lpi()',
    )
  }
  return failed === undefined
    ? { ok: true, value: DELIVERED }
    : { ok: true, value: BLOCKED, note: `blocked: ${ITS_ERRORS[failed]}` }
}

export const signalMsi = (vm: Readonly<VmFacts>, devices: readonly ItsDevice[], message: Message): KvmAnswer => {
  const { flags } = message
  if (vm.gic === 'none') return refuse('EINVAL', 'The VM has no in-kernel GIC.', SEND)
  if ((flags & ~KVM_MSI_VALID_DEVID) !== 0) {
    return refuse('EINVAL', `flags 0x${(flags >>> 0).toString(16)} has more than KVM_MSI_VALID_DEVID.`, SEND)
  }
  return injectMsi(vm, devices, message)
}
