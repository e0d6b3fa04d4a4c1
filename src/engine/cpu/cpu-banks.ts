/** The CPUs of a machine: whose registers compiled code works on, and where those of the others are meanwhile. */
import { bank } from './layout.ts'
import type { MemoryPlan } from './layout.ts'
import { newCpuState } from './state.ts'
import type { CpuRunState, CpuState, Registers } from './state.ts'

export class CpuBanks {
  readonly list: CpuState[] = []
  /** The CPU whose bank is in place. */
  current: CpuState | undefined
  private readonly plan: MemoryPlan
  private readonly registers: Registers
  private readonly bytes: Uint8Array

  constructor(plan: MemoryPlan, registers: Registers, buffer: ArrayBuffer) {
    this.plan = plan
    this.registers = registers
    this.bytes = new Uint8Array(buffer)
  }

  /** One more, with its bank in place. */
  add(): CpuState {
    const cpu = newCpuState(this.list.length)
    this.list.push(cpu)
    this.switchTo(cpu)
    return cpu
  }

  /** The index of the CPU that ran last; -1: none has. */
  get last(): number {
    return this.current?.index ?? -1
  }

  /** The CPU that runs just now. */
  running(): CpuState {
    if (this.current === undefined) throw new Error('no CPU runs')
    return this.current
  }

  private bankOf(cpu: CpuState): number {
    return this.plan.cpuBanks + cpu.index * bank.SIZE
  }

  private swap(from: CpuState | undefined, to: CpuState | undefined): void {
    if (from !== undefined) this.bytes.copyWithin(this.bankOf(from), bank.START, bank.START + bank.SIZE)
    if (to !== undefined) this.bytes.copyWithin(bank.START, this.bankOf(to), this.bankOf(to) + bank.SIZE)
  }

  switchTo(cpu: CpuState): void {
    if (this.current === cpu) return
    this.swap(this.current, cpu)
    this.current = cpu
    // Another CPU may have written in between: an exclusive sequence across slices fails (B2.9.2).
    this.registers.i32[bank.MONITOR_SIZE >>> 2] = 0
  }

  /** As if this CPU had run last. */
  resumeAfter(index: number): void {
    const cpu = this.list[index]
    if (cpu === undefined) return
    this.swap(this.current, cpu)
    this.current = cpu
  }

  /** Registers of a CPU, by having its bank in place meanwhile. */
  with<T>(cpu: CpuState, look: () => T): T {
    const before = this.current
    if (before === cpu) return look()
    this.swap(before, cpu)
    const answer = look()
    this.swap(cpu, before)
    return answer
  }

  /** The PC of a CPU that is not inside compiled code. */
  pcOf(cpu: CpuState): bigint {
    const at = cpu === this.current ? bank.START : this.bankOf(cpu)
    return this.registers.u64[(at + bank.PC - bank.START) >>> 3] ?? 0n
  }

  /** All registers 0. */
  clear(cpu: CpuState): void {
    this.with(cpu, () => this.bytes.fill(0, bank.START, bank.START + bank.SIZE))
  }

  /** What a CPU holds beside its registers. */
  runState(cpu: CpuState): CpuRunState {
    const { waiting, event, instructions } = cpu
    return this.with(cpu, () => ({
      waiting,
      event,
      instructions,
      monitorAddress: this.registers.at(bank.MONITOR_ADDRESS),
      monitorSize: this.registers.i32[bank.MONITOR_SIZE >>> 2] ?? 0,
    }))
  }

  restoreRunState(cpu: CpuState, { waiting, event, instructions, monitorAddress, monitorSize }: CpuRunState): void {
    Object.assign(cpu, { waiting, event, instructions })
    this.with(cpu, () => {
      this.registers.setAt(bank.MONITOR_ADDRESS, monitorAddress)
      this.registers.i32[bank.MONITOR_SIZE >>> 2] = monitorSize
    })
  }
}
