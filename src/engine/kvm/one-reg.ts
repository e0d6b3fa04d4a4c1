/** KVM_GET_ONE_REG and KVM_SET_ONE_REG (arch/arm64/kvm/guest.c, sys_regs.c). */
import { refuse } from '../../pure/rules/points.ts'
import type { VgicRules, VmFacts } from '../../pure/rules/points.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { oneRegName } from '../../pure/uapi/one-reg.ts'
import { done, withNote, withValue } from './kvm-answer.ts'
import type { Vcpu } from './vcpu.ts'

const GUEST = 'arch/arm64/kvm/guest.c'

export interface OneRegContext {
  readonly rules: VgicRules
  readonly vm: Readonly<VmFacts>
  /** A vCPU's MPIDR_EL1 is another now. */
  mpidrChanged(vcpu: Vcpu): void
}

const notInitialised = ({ index }: Vcpu): KvmAnswer =>
  refuse('ENOEXEC', `vCPU ${index} has not seen KVM_ARM_VCPU_INIT.`, 'arch/arm64/kvm/arm.c: kvm_arch_vcpu_ioctl()')

const badPointer = (): KvmAnswer =>
  refuse('EFAULT', 'The address of the value is not one of the VMM.', `${GUEST}: copy_from_user()`)

const unknown = (reg: bigint): KvmAnswer =>
  refuse('ENOENT', `0x${reg.toString(16)} is not a register of this vCPU.`, `${GUEST}: kvm_arm_get_reg()`)

export const getOneReg = (vcpu: Vcpu, reg: bigint, bad = false): KvmAnswer => {
  if (!vcpu.initialised) return notInitialised(vcpu)
  const name = oneRegName(reg)
  if (bad && name !== undefined) return badPointer()
  switch (name) {
    case 'X0':
      return withValue(vcpu.x0)
    case 'PC':
      return withValue(vcpu.pc)
    case 'MPIDR_EL1':
      return withValue(vcpu.mpidr)
    case undefined:
      return unknown(reg)
  }
}

export const setOneReg = (context: OneRegContext, vcpu: Vcpu, reg: bigint, given: bigint, bad = false): KvmAnswer => {
  if (!vcpu.initialised) return notInitialised(vcpu)
  const value = BigInt.asUintN(64, given)
  const name = oneRegName(reg)
  if (bad && name !== undefined) return badPointer()
  switch (name) {
    case 'X0':
    case 'PC':
      // The CPU's own registers are out of reach here once it runs: say so, and do not pretend.
      if (vcpu.started) {
        return refuse('EBUSY', `vCPU ${vcpu.index} has started; its ${name} is its own.`, `${GUEST}: set_core_reg()`)
      }
      if (name === 'X0') vcpu.x0 = value
      else vcpu.pc = value
      return done
    case 'MPIDR_EL1': {
      const answer = context.rules.setMpidr.decide({ vm: context.vm, current: vcpu.mpidr, value })
      if (!answer.ok) return answer
      vcpu.setMpidr(answer.stored)
      context.mpidrChanged(vcpu)
      return withNote(answer.note)
    }
    case undefined:
      return unknown(reg)
  }
}
