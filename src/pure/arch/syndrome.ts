/** ESR_EL1: why an exception was taken (Arm ARM D24.2.40). */
import { systemRegisterName } from './sysregs/names.ts'

/** Exception classes, by their names in the manual. */
export const exceptionClass = {
  UNKNOWN: 0x00,
  WFX: 0x01,
  FP_ACCESS: 0x07,
  ILLEGAL_STATE: 0x0e,
  SVC64: 0x15,
  MSR: 0x18,
  INSTRUCTION_ABORT_LOWER: 0x20,
  INSTRUCTION_ABORT_SAME: 0x21,
  PC_ALIGNMENT: 0x22,
  DATA_ABORT_LOWER: 0x24,
  DATA_ABORT_SAME: 0x25,
  SP_ALIGNMENT: 0x26,
  BRANCH_TARGET: 0x0d,
  SERROR: 0x2f,
  BREAKPOINT_LOWER: 0x30,
  BREAKPOINT_SAME: 0x31,
  STEP_LOWER: 0x32,
  STEP_SAME: 0x33,
  WATCHPOINT_LOWER: 0x34,
  WATCHPOINT_SAME: 0x35,
  BRK: 0x3c,
} as const

/** Fault status codes of instruction and data aborts; the level is added to those that have one. */
export const faultStatus = {
  ADDRESS_SIZE: 0x00,
  TRANSLATION: 0x04,
  ACCESS_FLAG: 0x08,
  PERMISSION: 0x0c,
  EXTERNAL: 0x10,
  EXTERNAL_ON_WALK: 0x14,
  ALIGNMENT: 0x21,
  DEBUG: 0x22,
} as const

const EC_LSB = 26
const ISS_MASK = 0x1ff_ffff
/** The instruction is 32 bits long, as all of A64 are. */
const IL = 1 << 25
const WNR = 1 << 6
const CM = 1 << 8
/** Software step: EX is valid; a load exclusive was stepped. */
const ISV = 1 << 24
const EX = 1 << 6
/** A WFx or FP trap tells a condition: AL, valid. */
const CV_AL = (1 << 24) | (0xe << 20)

/** 32 bits, as a number: an exception allocates nothing. */
const esr = (ec: number, iss: number): number => ((ec << EC_LSB) | IL | iss) >>> 0

export const syndrome = {
  unknown: (): number => esr(exceptionClass.UNKNOWN, 0),
  wfx: (isWfe: boolean): number => esr(exceptionClass.WFX, CV_AL | (isWfe ? 1 : 0)),
  fpAccess: (): number => esr(exceptionClass.FP_ACCESS, CV_AL),
  illegalState: (): number => esr(exceptionClass.ILLEGAL_STATE, 0),
  svc: (imm: number): number => esr(exceptionClass.SVC64, imm),
  branchTarget: (branchType: number): number => esr(exceptionClass.BRANCH_TARGET, branchType),
  serror: (iss: number): number => esr(exceptionClass.SERROR, iss),
  softwareStep: (o: { readonly sameEl: boolean; readonly stepped: 'exclusive' | 'other' | undefined }): number =>
    esr(
      o.sameEl ? exceptionClass.STEP_SAME : exceptionClass.STEP_LOWER,
      faultStatus.DEBUG | (o.stepped === undefined ? 0 : ISV) | (o.stepped === 'exclusive' ? EX : 0),
    ),
  breakpoint: (o: { readonly sameEl: boolean }): number =>
    esr(o.sameEl ? exceptionClass.BREAKPOINT_SAME : exceptionClass.BREAKPOINT_LOWER, faultStatus.DEBUG),
  watchpoint: (o: { readonly sameEl: boolean; readonly wnr: boolean; readonly cm: boolean }): number =>
    esr(
      o.sameEl ? exceptionClass.WATCHPOINT_SAME : exceptionClass.WATCHPOINT_LOWER,
      faultStatus.DEBUG | (o.wnr ? WNR : 0) | (o.cm ? CM : 0),
    ),
  brk: (comment: number): number => esr(exceptionClass.BRK, comment),
  /** `encoding` as in `sysregEncoding`: op0 15:14, op1 13:11, CRn 10:7, CRm 6:3, op2 2:0. */
  msrTrap: (o: { readonly encoding: number; readonly rt: number; readonly read: boolean }): number => {
    const e = o.encoding
    const iss =
      (((e >> 14) & 3) << 20) |
      ((e & 7) << 17) |
      (((e >> 11) & 7) << 14) |
      (((e >> 7) & 15) << 10) |
      (o.rt << 5) |
      (((e >> 3) & 15) << 1) |
      (o.read ? 1 : 0)
    return esr(exceptionClass.MSR, iss)
  },
  pcAlignment: (): number => esr(exceptionClass.PC_ALIGNMENT, 0),
  spAlignment: (): number => esr(exceptionClass.SP_ALIGNMENT, 0),
  instructionAbort: (o: { readonly sameEl: boolean; readonly ifsc: number }): number =>
    esr(o.sameEl ? exceptionClass.INSTRUCTION_ABORT_SAME : exceptionClass.INSTRUCTION_ABORT_LOWER, o.ifsc),
  dataAbort: (o: {
    readonly sameEl: boolean
    readonly dfsc: number
    readonly wnr: boolean
    readonly cm: boolean
  }): number =>
    esr(
      o.sameEl ? exceptionClass.DATA_ABORT_SAME : exceptionClass.DATA_ABORT_LOWER,
      o.dfsc | (o.wnr ? WNR : 0) | (o.cm ? CM : 0),
    ),
} as const

const CLASS_TEXTS: ReadonlyMap<number, string> = new Map([
  [exceptionClass.UNKNOWN, 'Undefined instruction'],
  [exceptionClass.WFX, 'Trapped WFI or WFE'],
  [exceptionClass.FP_ACCESS, 'Trapped floating point'],
  [exceptionClass.ILLEGAL_STATE, 'Illegal execution state'],
  [exceptionClass.SVC64, 'SVC'],
  [exceptionClass.MSR, 'Trapped system register'],
  [exceptionClass.INSTRUCTION_ABORT_LOWER, 'Instruction abort from EL0'],
  [exceptionClass.INSTRUCTION_ABORT_SAME, 'Instruction abort'],
  [exceptionClass.PC_ALIGNMENT, 'Misaligned PC'],
  [exceptionClass.DATA_ABORT_LOWER, 'Data abort from EL0'],
  [exceptionClass.DATA_ABORT_SAME, 'Data abort'],
  [exceptionClass.SP_ALIGNMENT, 'Misaligned SP'],
  [exceptionClass.BRANCH_TARGET, 'Branch target'],
  [exceptionClass.SERROR, 'SError'],
  [exceptionClass.BREAKPOINT_LOWER, 'Breakpoint at EL0'],
  [exceptionClass.BREAKPOINT_SAME, 'Breakpoint'],
  [exceptionClass.STEP_LOWER, 'Software step at EL0'],
  [exceptionClass.STEP_SAME, 'Software step'],
  [exceptionClass.WATCHPOINT_LOWER, 'Watchpoint at EL0'],
  [exceptionClass.WATCHPOINT_SAME, 'Watchpoint'],
  [exceptionClass.BRK, 'BRK'],
])

/** The exception class of an ESR_EL1 value. */
export const syndromeClass = (value: number): number => value >>> EC_LSB

export const exceptionClassText = (ec: number): string => CLASS_TEXTS.get(ec) ?? `Exception class 0x${ec.toString(16)}`

/** The same in words. */
export const syndromeText = (value: number): string => exceptionClassText(syndromeClass(value))

/** Faults of translation have a level in bits 1:0. */
const LEVELLED: ReadonlyMap<number, string> = new Map([
  [faultStatus.ADDRESS_SIZE, 'address size fault'],
  [faultStatus.TRANSLATION, 'translation fault'],
  [faultStatus.ACCESS_FLAG, 'access flag fault'],
  [faultStatus.PERMISSION, 'permission fault'],
])
const PLAIN: ReadonlyMap<number, string> = new Map([
  [faultStatus.EXTERNAL, 'external abort'],
  [faultStatus.ALIGNMENT, 'alignment fault'],
  [faultStatus.DEBUG, 'debug exception'],
])
const LEVEL = 3
const FAULT_STATUS = 0x3f

/** What the fault status code says that is bits 5:0 of an ISS. */
export const faultStatusText = (iss: number): string => {
  const status = iss & FAULT_STATUS
  const plain = PLAIN.get(status)
  if (plain !== undefined) return plain
  const level = status & LEVEL
  const kind =
    (status & ~LEVEL) === faultStatus.EXTERNAL_ON_WALK ? 'external abort on the walk' : LEVELLED.get(status & ~LEVEL)
  return kind === undefined ? `fault status 0x${status.toString(16)}` : `${kind}, level ${level}`
}

const dataAbortText = (iss: number): string => {
  const access = (iss & CM) !== 0 ? 'cache maintenance' : (iss & WNR) !== 0 ? 'write' : 'read'
  return `${access}, ${faultStatusText(iss)}`
}

/** The system register of a trapped MSR or MRS, its parts put together as an encoding. */
const trappedText = (iss: number): string => {
  const encoding =
    (((iss >> 20) & 3) << 14) |
    (((iss >> 14) & 7) << 11) |
    (((iss >> 10) & 15) << 7) |
    (((iss >> 1) & 15) << 3) |
    ((iss >> 17) & 7)
  return `${(iss & 1) === 1 ? 'read' : 'write'} of ${systemRegisterName(encoding)} with X${(iss >> 5) & 31}`
}

const ISS_TEXTS: ReadonlyMap<number, (iss: number) => string> = new Map([
  [exceptionClass.WFX, (iss) => ((iss & 1) === 1 ? 'WFE' : 'WFI')],
  [exceptionClass.SVC64, (iss) => `SVC #0x${(iss & 0xffff).toString(16)}`],
  [exceptionClass.BRK, (iss) => `BRK #0x${(iss & 0xffff).toString(16)}`],
  [exceptionClass.MSR, trappedText],
  [exceptionClass.INSTRUCTION_ABORT_LOWER, faultStatusText],
  [exceptionClass.INSTRUCTION_ABORT_SAME, faultStatusText],
  [exceptionClass.DATA_ABORT_LOWER, dataAbortText],
  [exceptionClass.DATA_ABORT_SAME, dataAbortText],
])

/** What the ISS of an ESR_EL1 value says, as its class has it. */
export const issText = (value: number): string => {
  const iss = value & ISS_MASK
  return ISS_TEXTS.get(syndromeClass(value))?.(iss) ?? `0x${iss.toString(16)}`
}
