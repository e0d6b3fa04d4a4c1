/** KVM_GET_ONE_REG and KVM_SET_ONE_REG ids (arch/arm64/include/uapi/asm/kvm.h, "KVM_REG_ARM64"). */
import { sysregEncoding } from '../arch/sysregs/encoding.ts'

const ARM64 = 0x6000_0000_0000_0000n
const SIZE_U64 = 0x0030_0000_0000_0000n
const CLASS = { core: 0x0010n << 16n, sysreg: 0x0013n << 16n } as const

/** KVM_REG_ARM_CORE_REG(): the offset in struct kvm_regs, in 32-bit words. */
const core = (word: number): bigint => ARM64 | SIZE_U64 | CLASS.core | BigInt(word)

/** ARM64_SYS_REG(). */
const sysreg = (op0: number, op1: number, crn: number, crm: number, op2: number): bigint =>
  ARM64 | SIZE_U64 | CLASS.sysreg | BigInt(sysregEncoding(op0, op1, crn, crm, op2))

/** The registers a VMM sets before the first run, by the manual's names. */
export const ONE_REG = {
  X0: core(0),
  PC: core(64),
  MPIDR_EL1: sysreg(3, 0, 0, 0, 5),
} as const

export type OneRegName = keyof typeof ONE_REG

const NAMES: readonly OneRegName[] = ['X0', 'PC', 'MPIDR_EL1']

/** `undefined` for a register this KVM does not offer. */
export const oneRegName = (id: bigint): OneRegName | undefined => NAMES.find((name) => ONE_REG[name] === id)
