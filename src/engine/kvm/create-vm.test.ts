/** KVM_CREATE_VM (virt/kvm/kvm_main.c): what needs a VM, and whose size of addresses counts. */
import { describe, expect, it } from 'vitest'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import type { KvmCall } from '../../pure/uapi/calls.ts'
import { KVM_CAP } from '../../pure/uapi/capabilities.ts'
import { ONE_REG } from '../../pure/uapi/one-reg.ts'
import { DEVICE_TYPE, VGIC_ADDR, VGIC_GROUP } from '../../pure/uapi/vgic-attr.ts'
import { TestMachine } from '../../testing/test-machine.ts'
import { outcome } from '../../testing/test-vm.ts'
import { Kvm } from './kvm.ts'

const calls = () => {
  const kvm = new Kvm({ hardware: new TestMachine(), rules: rulesFor('mainline', '6.12'), host: HOST_PRESETS.H1 })
  return (call: KvmCall): string => outcome(kvm.execute(call))
}

/** Whether the guest has an address: the distributor may be there. */
const placesAt = (address: bigint): readonly KvmCall[] => [
  { call: 'KVM_CREATE_VCPU', id: 0 },
  { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V3 },
  { call: 'KVM_SET_DEVICE_ATTR', group: VGIC_GROUP.ADDR, attr: VGIC_ADDR.V3_DIST, value: address },
]

describe('without a VM', () => {
  it.each<KvmCall>([
    { call: 'KVM_CREATE_VCPU', id: 0 },
    { call: 'KVM_ARM_VCPU_INIT', vcpu: 0, features: [] },
    { call: 'KVM_GET_ONE_REG', vcpu: 0, reg: ONE_REG.PC },
    { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V3 },
    { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V3, test: true },
    { call: 'KVM_CREATE_IRQCHIP' },
    { call: 'KVM_IRQ_LINE', irq: 0x0100_0020, level: true },
    { call: 'KVM_RUN', vcpu: 0 },
  ])('$call has nobody to ask', (call) => {
    expect(calls()(call)).toBe('EBADF')
  })

  it('KVM itself can be asked, and the refusal leaves it as it was', () => {
    const ask = calls()
    expect(ask({ call: 'KVM_CREATE_VCPU', id: 0 })).toBe('EBADF')
    expect(ask({ call: 'KVM_CHECK_EXTENSION', capability: KVM_CAP.ARM_VM_IPA_SIZE })).toBe('0')
    expect(ask({ call: 'KVM_CREATE_VM', type: 31 })).toBe('EINVAL')
    expect(ask({ call: 'KVM_CREATE_VCPU', id: 0 })).toBe('EBADF')
    expect(ask({ call: 'KVM_CREATE_VM', type: 36 })).toBe('0')
    expect(placesAt(1n << 36n).map(ask)).toEqual(['0', '0', 'E2BIG'])
  })
})

describe('a second KVM_CREATE_VM', () => {
  it('makes another VM, and leaves the first its addresses', () => {
    const ask = calls()
    expect(ask({ call: 'KVM_CREATE_VM', type: 40 })).toBe('0')
    expect(ask({ call: 'KVM_CREATE_VM', type: 32 })).toBe('0')
    expect(placesAt(1n << 36n).map(ask)).toEqual(['0', '0', '0'])
  })
})
