/** The attributes of a vCPU (Documentation/virt/kvm/devices/vcpu.rst): groups, and what is in them. */

/** KVM_ARM_VCPU_*_CTRL (arch/arm64/include/uapi/asm/kvm.h). */
export const VCPU_GROUP = { PMU_V3_CTRL: 0, TIMER_CTRL: 1, PVTIME_CTRL: 2 } as const

export type VcpuGroup = keyof typeof VCPU_GROUP

const GROUPS: readonly VcpuGroup[] = ['PMU_V3_CTRL', 'TIMER_CTRL', 'PVTIME_CTRL']

export const vcpuGroupName = (group: number): VcpuGroup | undefined => GROUPS.find((name) => VCPU_GROUP[name] === group)

/** KVM_ARM_VCPU_PMU_V3_*. */
export const PMU_V3 = { PMU_V3_IRQ: 0n, PMU_V3_INIT: 1n, PMU_V3_FILTER: 2n, PMU_V3_SET_PMU: 3n } as const

/** Whether an attribute has no value: it is something to be done. */
export const isVcpuValueless = (group: number, attr: bigint): boolean =>
  group === VCPU_GROUP.PMU_V3_CTRL && attr === PMU_V3.PMU_V3_INIT
