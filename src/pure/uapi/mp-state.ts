/** KVM_GET_MP_STATE and KVM_SET_MP_STATE: the states arm64 has (include/uapi/linux/kvm.h, KVM_MP_STATE_*). */
export const MP_STATE = { RUNNABLE: 0n, STOPPED: 5n } as const
