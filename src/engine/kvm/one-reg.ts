/** KVM_GET_ONE_REG, KVM_SET_ONE_REG and KVM_GET_REG_LIST (arch/arm64/kvm/guest.c, sys_regs.c). */
import { ID_AA64PFR0 } from '../../pure/arch/sysregs/identification.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { VgicRules, VmFacts } from '../../pure/rules/points.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { CORE_REGISTERS, ONE_REG, decodeOneReg, oneRegName, oneRegOf, sysregId } from '../../pure/uapi/one-reg.ts'
import type { RegisterWritten } from '../machine/hardware.ts'
import { done, withNote, withValue } from './kvm-answer.ts'
import type { Vcpu } from './vcpu.ts'

const GUEST = 'arch/arm64/kvm/guest.c'
const SYS_REGS = 'arch/arm64/kvm/sys_regs.c'

export interface OneRegContext {
  readonly rules: VgicRules
  readonly vm: Readonly<VmFacts>
  /** ID_AA64PFR0_EL1 tells of no GIC system registers from now on. */
  hideGic(): void
  /** A vCPU's MPIDR_EL1 is another now. */
  mpidrChanged(vcpu: Vcpu): void
}

const notInitialised = ({ index }: Vcpu): KvmAnswer =>
  refuse('ENOEXEC', `vCPU ${index} has not seen KVM_ARM_VCPU_INIT.`, 'arch/arm64/kvm/arm.c: kvm_arch_vcpu_ioctl()')

const badPointer = (): KvmAnswer =>
  refuse('EFAULT', 'The address of the value is not one of the VMM.', `${GUEST}: copy_from_user()`)

const unknown = (id: bigint): KvmAnswer =>
  refuse('ENOENT', `0x${id.toString(16)} is not a register of this vCPU.`, `${GUEST}: kvm_arm_get_reg()`)

const PFR0 = sysregId(ID_AA64PFR0.encoding)

const nameOf = (id: bigint): string => oneRegName(id) ?? `0x${id.toString(16)}`

const valueOf = ({ mpidr, port }: Vcpu, id: bigint): bigint | undefined => {
  if (id === ONE_REG.MPIDR_EL1) return mpidr
  const reg = decodeOneReg(id)
  if (reg === undefined) return undefined
  return reg.kind === 'core' ? port.registers.core(reg.register.name) : port.registers.readSystem(reg.encoding)
}

const write = ({ port }: Vcpu, id: bigint, value: bigint): RegisterWritten => {
  const reg = decodeOneReg(id)
  if (reg === undefined) return 'unknown'
  if (reg.kind === 'sysreg') return port.registers.writeSystem(reg.encoding, BigInt.asUintN(64, value))
  return port.registers.setCore(reg.register.name, BigInt.asUintN(8 * reg.register.bytes, value))
}

export const getOneReg = (vcpu: Vcpu, id: bigint, bad = false): KvmAnswer => {
  if (!vcpu.initialised) return notInitialised(vcpu)
  const value = valueOf(vcpu, id)
  if (value === undefined) return unknown(id)
  return bad ? badPointer() : withValue(value)
}

export const setOneReg = (context: OneRegContext, vcpu: Vcpu, id: bigint, value: bigint, bad = false): KvmAnswer => {
  if (!vcpu.initialised) return notInitialised(vcpu)
  if (bad) return valueOf(vcpu, id) === undefined ? unknown(id) : badPointer()
  if (id === ONE_REG.MPIDR_EL1) return setMpidr(context, vcpu, BigInt.asUintN(64, value))
  // A VM without a GICv3 shows this once it has run; a VMM may say so earlier (ID_AA64PFR0_EL1.GIC can be lowered).
  const shown = id === PFR0 && context.vm.gic !== 3 ? valueOf(vcpu, id) : undefined
  if (shown !== undefined && value === (shown & ~ID_AA64PFR0.GIC)) {
    context.hideGic()
    return done
  }
  const written = write(vcpu, id, value)
  if (written === 'unknown') return unknown(id)
  if (written === 'done') return done
  return refuse('EINVAL', `${nameOf(id)} of this vCPU cannot be 0x${value.toString(16)}.`, `${SYS_REGS}: set_id_reg()`)
}

const setMpidr = ({ rules, vm, mpidrChanged }: OneRegContext, vcpu: Vcpu, value: bigint): KvmAnswer => {
  const answer = rules.setMpidr.decide({ vm, current: vcpu.mpidr, value })
  if (!answer.ok) return answer
  vcpu.setMpidr(answer.stored)
  mpidrChanged(vcpu)
  return withNote(answer.note)
}

/** Core registers first, as kvm_arm_copy_reg_indices() has them, then system registers by encoding. */
export const regList = (vcpu: Vcpu, room = Infinity): KvmAnswer => {
  if (!vcpu.initialised) return notInitialised(vcpu)
  const { registers } = vcpu.port
  const core = CORE_REGISTERS.filter(({ name }) => registers.core(name) !== undefined).map(({ id }) => id)
  const system = registers.system.map(oneRegOf)
  const list = [...core, ...system, ONE_REG.MPIDR_EL1]
  if (list.length > room) {
    return refuse(
      'E2BIG',
      `There are ${list.length} registers, and room for ${room}.`,
      `${GUEST}: kvm_arm_copy_reg_indices()`,
    )
  }
  return { ok: true, value: BigInt(list.length), list }
}
