/** KVM_SET_MP_STATE: kvm_arch_vcpu_ioctl_set_mpstate() (arch/arm64/kvm/arm.c). */
import { refuse } from '../../pure/rules/points.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { MP_STATE } from '../../pure/uapi/mp-state.ts'
import { done } from './kvm-answer.ts'
import type { Vcpu } from './vcpu.ts'

export const setMpState = (vcpu: Vcpu, state: bigint): KvmAnswer => {
  if (state !== MP_STATE.RUNNABLE && state !== MP_STATE.STOPPED) {
    return refuse(
      'EINVAL',
      `A vCPU is runnable (${MP_STATE.RUNNABLE}) or stopped (${MP_STATE.STOPPED}), not ${state}.`,
      'arch/arm64/kvm/arm.c: kvm_arch_vcpu_ioctl_set_mpstate()',
    )
  }
  vcpu.setOn(state === MP_STATE.RUNNABLE)
  return done
}
