/** What instruction bodies leave to TypeScript: exceptions, waiting, hypercalls and system registers. */
import { faultStatus, syndrome } from '../../pure/arch/syndrome.ts'
import { sysregEncoding } from '../../pure/arch/sysregs/encoding.ts'
import { EVENTS } from '../../pure/arch/sysregs/pmu.ts'
import type { TraceTap } from '../bus/trace-sink.ts'
import { BTYPE, branchTypeOf } from './branch-target.ts'
import type { Debug } from './debug.ts'
import { exceptionReturn } from './exceptions.ts'
import { bank, scratch } from './layout.ts'
import { BREAK } from './pending.ts'
import type { Pending } from './pending.ts'
import type { Pmu } from './pmu.ts'
import { slots } from './slots.ts'
import type { CpuState, Registers } from './state.ts'
import type { SysregFile } from './sysreg-file.ts'

/** Which instruction made a hypercall. */
export type Conduit = 'hvc' | 'smc'

export interface SystemContext {
  readonly registers: Registers
  readonly sysregs: SysregFile
  readonly cpus: readonly CpuState[]
  /** The CPU that runs. */
  cpu(): CpuState
  raise(pending: Pending): void
  /** The exception level may have changed. */
  levelChanged(cpu: CpuState): void
  hypercall(cpu: number, args: readonly [bigint, bigint, bigint, bigint], conduit: Conduit): bigint | undefined
  /** PSTATE.BTYPE becomes this, or what it comes to in this page; answers with it. */
  setBranchType(type: number): number
  /** PSTATE.BTYPE when the instruction under way began. */
  branchType(): number
  /** What happens instead when an indirect branch leads to an address; `undefined`: it goes there. */
  checkLanding(target: bigint, branchType: number): Pending | undefined
  readonly debug: Debug
  readonly pmu: Pmu
  readonly trace: TraceTap
  /** An MSR has written this system register. */
  written(encoding: number): void
  /** Whether the record of the instruction under way stands for a breakpoint. */
  isBreak(): boolean
  /** The instruction under way is none of this CPU's. */
  countUndefined(): void
}

/** Helpers answer 0 to go on with the next instruction, 1 when the driver has something to do. */
export type Helper = (...args: number[]) => number

const DC_ZVA = sysregEncoding(1, 3, 7, 4, 1)
const LR = 30
/** Register 31 where it is not the stack pointer. */
const ZR = 31
/** Bits of SCTLR_EL1: the stack pointer has to be aligned; DC ZVA at EL0; WFI and WFE at EL0 are not trapped. */
const SCTLR = { SA: 3n, SA0: 4n, DZE: 14n, nTWI: 16n, nTWE: 18n } as const

/** What Linux does at every system call, which allocates nothing. */
const SVC: Pending = { kind: 'svc', imm: 0 }
const RETURNED: Pending = { kind: 'returned', branchType: BTYPE.NONE }

export function systemHelpers(o: SystemContext): Record<string, Helper> {
  const r = o.registers
  const next = (): bigint => r.currentPc() + 4n
  const leave = (pending: Pending): number => {
    o.raise(pending)
    return 1
  }
  const undefinedHere = (): number => leave({ kind: 'sync', esr: syndrome.unknown(), returnTo: r.currentPc() })
  const trap = (encoding: number, rt: number, read: boolean): number =>
    leave({ kind: 'sync', esr: syndrome.msrTrap({ encoding, rt, read }), returnTo: r.currentPc() })
  const registerNumber = (at: number): number => Math.min(ZR, (at - bank.X) >>> 3)
  const waitTrapped = (control: bigint): boolean => o.cpu().el === 0 && ((r.at(slots.SCTLR_EL1) >> control) & 1n) === 0n
  const hypercall = (conduit: Conduit) => (): number => {
    if (o.cpu().el === 0) return undefinedHere()
    const pc = next()
    r.u64[bank.PC >>> 3] = pc
    const answer = o.hypercall(o.cpu().index, [r.x(0), r.x(1), r.x(2), r.x(3)], conduit)
    if (answer === undefined) return leave({ kind: 'jump', pc, end: 'off' })
    r.setX(0, BigInt.asUintN(64, answer))
    return 0
  }
  /** ERET to the address that stands at a byte address. */
  const eretTo = (at: number): number => {
    const cpu = o.cpu()
    if (cpu.el === 0) return undefinedHere()
    if (o.pmu.isCounting(cpu)) o.pmu.update(cpu)
    o.pmu.event(cpu, EVENTS.EXC_RETURN)
    const branchType = exceptionReturn(cpu, r, o.debug)
    o.setBranchType(branchType)
    o.levelChanged(cpu)
    r.copy(bank.PC, at)
    o.trace.sink?.({ kind: 'exceptionReturned', cpu: cpu.index, el: cpu.el, to: r.at(bank.PC) })
    return leave(branchType === BTYPE.NONE ? RETURNED : { kind: 'returned', branchType })
  }
  return {
    undefinedInstruction: () => {
      if (o.isBreak()) return leave(BREAK)
      o.countUndefined()
      return undefinedHere()
    },
    fpTrapped: () => leave({ kind: 'sync', esr: syndrome.fpAccess(), returnTo: r.currentPc() }),
    spMisaligned: () => {
      const checked = (r.at(slots.SCTLR_EL1) >> (o.cpu().el === 0 ? SCTLR.SA0 : SCTLR.SA)) & 1n
      return checked === 0n ? 0 : leave({ kind: 'sync', esr: syndrome.spAlignment(), returnTo: r.currentPc() })
    },
    misaligned: (write = 0) =>
      leave({
        kind: 'abort',
        fetch: false,
        write: write === 1,
        dfsc: faultStatus.ALIGNMENT,
        far: r.at(scratch.ARGUMENT),
      }),
    svc: (imm = 0) => leave(imm === 0 ? SVC : { kind: 'svc', imm }),
    hvc: hypercall('hvc'),
    smc: hypercall('smc'),
    brk: (imm = 0) =>
      leave({ kind: 'sync', esr: syndrome.brk(imm), returnTo: r.currentPc(), branchType: o.branchType() }),
    eret: () => eretTo(slots.ELR_EL1),
    eretTo: () => eretTo(scratch.ARGUMENT),
    wfi: () => {
      const cpu = o.cpu()
      if (cpu.irq || cpu.fiq || cpu.serror !== undefined) return 0
      if (waitTrapped(SCTLR.nTWI)) return leave({ kind: 'sync', esr: syndrome.wfx(false), returnTo: r.currentPc() })
      // A hypervisor took the trap and came back at once: others had their turn meanwhile.
      if (cpu.wake) return leave({ kind: 'jump', pc: next(), end: 'yield' })
      cpu.waiting = true
      return leave({ kind: 'jump', pc: next(), end: 'wait' })
    },
    wfe: () => {
      const cpu = o.cpu()
      if (cpu.event) {
        cpu.event = false
        return 0
      }
      if (waitTrapped(SCTLR.nTWE)) return leave({ kind: 'sync', esr: syndrome.wfx(true), returnTo: r.currentPc() })
      return leave({ kind: 'jump', pc: next(), end: 'yield' })
    },
    yield: () => leave({ kind: 'jump', pc: next(), end: 'yield' }),
    sev: (local = 0) => {
      for (const cpu of local === 1 ? [o.cpu()] : o.cpus) cpu.event = true
      return 0
    },
    checkLanding: (call = 0, at = 0) => {
      const target = r.at(scratch.ARGUMENT)
      const branchType = o.setBranchType(branchTypeOf(call === 1, registerNumber(at)))
      const instead = o.checkLanding(target, branchType)
      if (instead === undefined) return 0
      if (call === 1) r.setX(LR, next())
      return leave(instead)
    },
    zvaTrap: (at = 0) => {
      const enabled = (r.at(slots.SCTLR_EL1) >> SCTLR.DZE) & 1n
      return o.cpu().el === 1 || enabled === 1n ? 0 : trap(DC_ZVA, registerNumber(at), false)
    },
    msrImmediate: (field = 0, imm = 0) => {
      const answer = o.sysregs.writeField(o.cpu(), field, imm)
      if (answer === 'undefined') return undefinedHere()
      return answer === 'trap' ? trap(sysregEncoding(0, field >> 3, 4, imm, field & 7), ZR, false) : 0
    },
    sys: (encoding = 0, at = 0) => {
      const answer = o.sysregs.sys(o.cpu(), encoding, r.at(at))
      if (answer === 'undefined') return undefinedHere()
      if (answer === 'trap') return trap(encoding, registerNumber(at), false)
      return answer === 'abort' ? 1 : 0
    },
    msr: (encoding = 0, at = 0) => {
      const answer = o.sysregs.writeFrom(o.cpu(), encoding, at)
      if (answer === 'undefined') return undefinedHere()
      if (answer === 'trap') return trap(encoding, registerNumber(at), false)
      o.written(encoding)
      return 0
    },
    mrs: (encoding = 0, at = 0) => {
      const answer = o.sysregs.read(o.cpu(), encoding)
      if (answer === 'undefined') return undefinedHere()
      if (answer === 'trap') return trap(encoding, registerNumber(at), true)
      r.setAt(at, answer)
      return 0
    },
  }
}
