/** One CPU as a debugger shows it. Looking at it changes nothing. */
import { CORE_REGISTERS } from '../../pure/uapi/one-reg.ts'
import type { CpuState } from '../cpu/state.ts'
import { cpuRegisters } from '../machine/cpu-registers.ts'
import type { Machine } from '../machine/machine.ts'
import { findSymbols } from './kallsyms.ts'
import type { FoundSymbols, Symbols } from './kallsyms.ts'

export interface CodeWord {
  readonly address: bigint
  /** `undefined`: nothing is mapped there. */
  readonly word: number | undefined
  readonly symbol: string | undefined
}

export interface StackFrame {
  readonly pc: bigint
  /** Where the frame record lies (Arm's procedure call standard, 6.4.6); `undefined` for the CPU's own PC. */
  readonly fp: bigint | undefined
  readonly symbol: string | undefined
}

export interface CpuDetail {
  readonly cpu: number
  /** By the names of struct kvm_regs. */
  readonly registers: Readonly<Record<string, bigint>>
  readonly code: readonly CodeWord[]
  readonly stack: readonly StackFrame[]
  /** Why addresses have no names, where they have none. */
  readonly noSymbols: string | undefined
}

/** Instructions before and after PC. */
const CODE = { before: 6, after: 42 } as const
const MAX_FRAMES = 48
/** Where Linux's image can be: its first part of RAM. */
const KERNEL_ROOM = 96 * 2 ** 20
/** The kernel is not there from the first instruction on: it is looked for again after so much virtual time. */
const AGAIN_NS = 2e8

export class CpuInspector {
  private readonly machine: Machine
  private found: FoundSymbols | undefined
  private lookedAt = -Infinity

  constructor(machine: Machine) {
    this.machine = machine
  }

  /** The guest kernel's symbols, looked for when somebody asks. */
  symbols(): FoundSymbols {
    const { machine } = this
    const now = machine.clock.now()
    if (this.found === undefined || (!this.found.ok && now - this.lookedAt > AGAIN_NS)) {
      const ram = machine.ram(machine.ramBase, Math.min(machine.ramSize, KERNEL_ROOM))
      if (ram === undefined) throw new Error('the machine has less RAM than it says')
      this.found = findSymbols(ram)
      this.lookedAt = now
    }
    return this.found
  }

  inspect(cpu: CpuState): CpuDetail {
    const { core } = this.machine
    const registers = cpuRegisters(core, cpu)
    const found = this.symbols()
    const name = namer(found.ok ? found.symbols : undefined)
    const all = Object.fromEntries(CORE_REGISTERS.map((row) => [row.name, registers.core(row.name) ?? 0n]))
    const pc = all['PC'] ?? 0n
    return core.peek(cpu, (read) => ({
      cpu: cpu.index,
      registers: all,
      code: Array.from({ length: CODE.before + CODE.after }, (_, i) => {
        const address = BigInt.asUintN(64, pc + 4n * BigInt(i - CODE.before))
        const word = read(address, 4)
        return { address, word: word === undefined ? undefined : Number(word), symbol: name(address) }
      }),
      stack: walk(pc, all['X29'] ?? 0n, read, name),
      noSymbols: found.ok ? undefined : found.what,
    }))
  }
}

/** As the kernel writes it in an oops. */
export const symbolText = (at: ReturnType<Symbols['at']>): string | undefined =>
  at === undefined || at.offset === 0 ? at?.name : `${at.name}+0x${at.offset.toString(16)}`

const namer =
  (symbols: Symbols | undefined) =>
  (address: bigint): string | undefined =>
    symbolText(symbols?.at(address))

/** Frame records are a list: the next one's address, then the address to return to. It ends where it leads nowhere. */
const walk = (
  pc: bigint,
  frame: bigint,
  read: (address: bigint, bytes: 4 | 8) => bigint | undefined,
  name: (address: bigint) => string | undefined,
): readonly StackFrame[] => {
  const frames: StackFrame[] = [{ pc, fp: undefined, symbol: name(pc) }]
  const seen = new Set<bigint>()
  for (let fp = frame; frames.length < MAX_FRAMES && fp !== 0n && !seen.has(fp);) {
    seen.add(fp)
    const next = read(fp, 8)
    const back = read(BigInt.asUintN(64, fp + 8n), 8)
    if (next === undefined || back === undefined || back === 0n) break
    frames.push({ pc: back, fp, symbol: name(back) })
    fp = next
  }
  return frames
}
