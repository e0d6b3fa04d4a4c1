/** KVM_GET_ONE_REG and KVM_SET_ONE_REG ids (arch/arm64/include/uapi/asm/kvm.h, "KVM_REG_ARM64"). */
import { sysregEncoding } from '../arch/sysregs/encoding.ts'
import { sysregs } from '../arch/sysregs/table.ts'
import { TIMER } from '../arch/sysregs/timer.ts'

const ARM64 = 0x6000_0000_0000_0000n
/** KVM_REG_SIZE_*, by bytes. */
const SIZE = { 4: 0x0020_0000_0000_0000n, 8: 0x0030_0000_0000_0000n, 16: 0x0040_0000_0000_0000n } as const
const CLASS = { core: 0x0010n << 16n, sysreg: 0x0013n << 16n } as const
const CLASS_MASK = 0xfffn << 16n

/** A register of struct kvm_regs; V0 to V31 are 16 bytes, FPSR and FPCR 4. */
export interface CoreRegister {
  readonly name: string
  readonly id: bigint
  readonly bytes: 4 | 8 | 16
}

/** KVM_REG_ARM_CORE_REG(): the offset in struct kvm_regs, in 32-bit words. */
const core = (name: string, word: number, bytes: 4 | 8 | 16 = 8): CoreRegister => ({
  name,
  id: ARM64 | SIZE[bytes] | CLASS.core | BigInt(word),
  bytes,
})

const numbered = (count: number, make: (n: number) => CoreRegister): readonly CoreRegister[] =>
  Array.from({ length: count }, (_, n) => make(n))

/** struct kvm_regs: user_pt_regs, sp_el1, elr_el1, spsr[5], fp_regs. */
export const CORE_REGISTERS: readonly CoreRegister[] = [
  ...numbered(31, (n) => core(`X${n}`, 2 * n)),
  core('SP_EL0', 62),
  core('PC', 64),
  core('PSTATE', 66),
  core('SP_EL1', 68),
  core('ELR_EL1', 70),
  core('SPSR_EL1', 72),
  ...numbered(32, (n) => core(`V${n}`, 84 + 4 * n, 16)),
  core('FPSR', 212, 4),
  core('FPCR', 213, 4),
]

/** ARM64_SYS_REG(), from bits 20:5 of MRS. */
export const sysregId = (encoding: number): bigint => ARM64 | SIZE[8] | CLASS.sysreg | BigInt(encoding)

/**
 * The timers' ids. Those of the virtual timer's counter and comparator stand for each other's register: the mistake is
 * older than its users (arch/arm64/include/uapi/asm/kvm.h, KVM_REG_ARM_TIMER_CNT).
 */
const SWAPPED: ReadonlyMap<number, number> = new Map([
  [TIMER.CNTV_CVAL_EL0, TIMER.CNTVCT_EL0],
  [TIMER.CNTVCT_EL0, TIMER.CNTV_CVAL_EL0],
])

/** What an id is the register of; `undefined`: of nothing. */
export type OneReg =
  | { readonly kind: 'core'; readonly register: CoreRegister }
  | { readonly kind: 'sysreg'; readonly encoding: number }

const BY_ID: ReadonlyMap<bigint, CoreRegister> = new Map(CORE_REGISTERS.map((register) => [register.id, register]))

export const decodeOneReg = (id: bigint): OneReg | undefined => {
  const register = BY_ID.get(id)
  if (register !== undefined) return { kind: 'core', register }
  const named = Number(id & 0xffffn)
  if (sysregId(named) !== id || (id & CLASS_MASK) !== CLASS.sysreg) return undefined
  return { kind: 'sysreg', encoding: SWAPPED.get(named) ?? named }
}

/** The id of a system register, by its MRS encoding. */
export const oneRegOf = (encoding: number): bigint => sysregId(SWAPPED.get(encoding) ?? encoding)

const coreId = (name: string): bigint => {
  const found = CORE_REGISTERS.find((register) => register.name === name)
  if (found === undefined) throw new Error(`struct kvm_regs has no ${name}`)
  return found.id
}

/** Ids that are asked for by name. */
export const ONE_REG = {
  X0: coreId('X0'),
  PC: coreId('PC'),
  MPIDR_EL1: sysregId(sysregEncoding(3, 0, 0, 0, 5)),
} as const

const SYSREG_NAMES: ReadonlyMap<number, string> = new Map([
  ...sysregs.map(({ name, encoding }) => [encoding, name] as const),
  ...Object.entries(TIMER).map(([name, encoding]) => [encoding, name] as const),
])

const IDS: ReadonlyMap<string, bigint> = new Map([
  ...[...SYSREG_NAMES].map(([encoding, name]) => [name, oneRegOf(encoding)] as const),
  ...CORE_REGISTERS.map(({ name, id }) => [name, id] as const),
])

/** The id of a register by its name. */
export const oneRegIdOf = (name: string): bigint | undefined => IDS.get(name)

/** The manual's name of a register; `undefined` for an id that has none. */
export const oneRegName = (id: bigint): string | undefined => {
  const reg = decodeOneReg(id)
  return reg?.kind === 'core' ? reg.register.name : reg && SYSREG_NAMES.get(reg.encoding)
}
