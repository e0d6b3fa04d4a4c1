/** The KVM calls that build a blueprint, in the order in which QEMU's `virt` machine makes them. */
import { irouterAffinity } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { GICD_IROUTER } from '../arch/gic/gicd.ts'
import type { KvmCall } from '../uapi/calls.ts'
import { ONE_REG } from '../uapi/one-reg.ts'
import { DEVICE_TYPE, VGIC_ADDR, VGIC_CTRL, VGIC_GROUP, encodeRedistRegion, registerAttr } from '../uapi/vgic-attr.ts'
import { NR_IRQS, mpidrOf } from './blueprint.ts'
import type { Blueprint } from './blueprint.ts'
import { memoryMap } from './memory-map.ts'

const setAttr = (group: number, attr: bigint, value: bigint): Extract<KvmCall, { call: 'KVM_SET_DEVICE_ATTR' }> => ({
  call: 'KVM_SET_DEVICE_ATTR',
  group,
  attr,
  value,
})

const indexes = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

/** Where GICD_IROUTER<n> has its upper word; n has 64 bits. */
const HIGH_WORD = 4
const IROUTER_BYTES = 8

/** KVM's device attributes are 32-bit: low word, then high word, as every VMM restores it. */
export const routeCalls = (intid: number, affinity: Affinity): readonly KvmCall[] => {
  const value = irouterAffinity.encode(affinity)
  const offset = GICD_IROUTER.offset + IROUTER_BYTES * intid
  return [
    setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, offset), BigInt.asUintN(32, value)),
    setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, offset + HIGH_WORD), value >> 32n),
  ]
}

/** What the VMM asks when a person changes a vCPU's affinity. */
export const mpidrCall = (vcpu: number, mpidr: bigint): KvmCall => ({
  call: 'KVM_SET_ONE_REG',
  vcpu,
  reg: ONE_REG.MPIDR_EL1,
  value: mpidr,
})

/** As many redistributors a region as the memory map has room for; a region that stays empty is not made. */
const redistributorCalls = (vcpus: number): readonly KvmCall[] => {
  const calls: KvmCall[] = []
  let left = vcpus
  for (const [index, { base, frames }] of memoryMap.redistributors.entries()) {
    if (left <= 0) break
    const count = Math.min(left, frames)
    const value = encodeRedistRegion({ index, base, count, flags: 0 })
    calls.push(setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V3_REDIST_REGION, value))
    left -= count
  }
  return calls
}

const gicV3Calls = (vcpus: number): readonly KvmCall[] => [
  { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V3 },
  setAttr(VGIC_GROUP.NR_IRQS, 0n, BigInt(NR_IRQS)),
  setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V3_DIST, BigInt(memoryMap.gicd.base)),
  ...redistributorCalls(vcpus),
  setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n),
]

/** QEMU makes it after the GIC (hw/intc/arm_gicv3_its_kvm.c). */
const itsCalls: readonly KvmCall[] = [
  { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.ITS },
  { ...setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n), its: 0 },
  { ...setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.ITS, BigInt(memoryMap.its.base)), its: 0 },
]

/** QEMU sets the addresses when the machine is complete, those it heard of last first (target/arm/kvm.c). */
const gicV2Calls: readonly KvmCall[] = [
  { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V2 },
  setAttr(VGIC_GROUP.NR_IRQS, 0n, BigInt(NR_IRQS)),
  setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n),
  setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V2_CPU, BigInt(memoryMap.gicc.base)),
  setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V2_DIST, BigInt(memoryMap.gicd.base)),
]

/** Everything up to the loader's PC and X0. */
export const planOf = (blueprint: Blueprint): KvmCall[] => {
  const vcpus = indexes(blueprint.vcpus)
  return [
    { call: 'KVM_CREATE_VM' },
    ...vcpus.map((id): KvmCall => ({ call: 'KVM_CREATE_VCPU', id })),
    ...vcpus.map((vcpu): KvmCall => ({
      call: 'KVM_ARM_VCPU_INIT',
      vcpu,
      // The boot CPU runs; the guest turns the others on through PSCI.
      features: vcpu === 0 ? ['PSCI_0_2'] : ['POWER_OFF', 'PSCI_0_2'],
    })),
    ...vcpus
      .filter((vcpu) => blueprint.affinities[vcpu] !== undefined)
      .map((vcpu) => mpidrCall(vcpu, mpidrOf(blueprint, vcpu))),
    ...(blueprint.gic === 2 ? gicV2Calls : gicV3Calls(blueprint.vcpus)),
    ...(blueprint.its ? itsCalls : []),
    ...Object.entries(blueprint.routes).flatMap(([intid, affinity]) => routeCalls(Number(intid), affinity)),
  ]
}

/** Where the boot CPU starts, and what it finds in X0 (Documentation/arch/arm64/booting.rst: the device tree). */
export const bootCalls = (entry: bigint, context: bigint): readonly KvmCall[] => [
  { call: 'KVM_SET_ONE_REG', vcpu: 0, reg: ONE_REG.PC, value: entry },
  { call: 'KVM_SET_ONE_REG', vcpu: 0, reg: ONE_REG.X0, value: context },
]
