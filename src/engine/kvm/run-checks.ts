/** What KVM looks at before a vCPU runs for the first time: kvm_arch_vcpu_run_pid_change() (arch/arm64/kvm/arm.c). */
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { Vcpu } from './vcpu.ts'

const ARM = 'arch/arm64/kvm/arm.c: kvm_arch_vcpu_run_pid_change()'

export const checkVcpu = ({ initialised, index, el1 }: Vcpu, aarch32: boolean): Refusal | undefined => {
  if (!initialised) return refuse('ENOEXEC', `vCPU ${index} has not seen KVM_ARM_VCPU_INIT.`, ARM)
  if (el1 === 64 || aarch32) return undefined
  return refuse('EINVAL', 'This machine executes AArch64 only.', 'ARCHITECTURE.md#aarch32')
}
