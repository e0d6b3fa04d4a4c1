/** Who wrote each system register of each CPU last. It is kept while somebody watches the trace. */
import { sysregEncoding } from '../../pure/arch/sysregs/encoding.ts'

/** What an exception writes by itself (Arm ARM D1.3.1); FAR_EL1 it writes with some. */
const AT_EXCEPTIONS = [sysregEncoding(3, 0, 4, 0, 0), sysregEncoding(3, 0, 4, 0, 1)]
const ESR_EL1 = sysregEncoding(3, 0, 5, 2, 0)

export interface LastWrite {
  /** An MSR, or the hardware as it took an exception. */
  readonly by: 'MSR' | 'exception'
  /** Of the MSR, or where the exception came from. */
  readonly pc: bigint
  /** Virtual nanoseconds. */
  readonly at: number
}

export class LastWrites {
  private readonly now: () => number
  /** By CPU, by encoding. */
  private readonly cpus: Map<number, LastWrite>[] = []

  /** `now`: virtual nanoseconds. */
  constructor(now: () => number) {
    this.now = now
  }

  written(cpu: number, encoding: number, pc: bigint): void {
    this.note(cpu, encoding, { by: 'MSR', pc, at: this.now() })
  }

  /** `synchronous`: one that has a syndrome. */
  exceptionTaken(cpu: number, pc: bigint, synchronous: boolean): void {
    const write = { by: 'exception', pc, at: this.now() } as const
    for (const encoding of AT_EXCEPTIONS) this.note(cpu, encoding, write)
    if (synchronous) this.note(cpu, ESR_EL1, write)
  }

  /** A CPU was reset: its registers are nobody's. */
  forget(cpu: number): void {
    this.cpus[cpu]?.clear()
  }

  /** `undefined`: nobody wrote it since it was reset, or since the trace is watched. */
  of(cpu: number, encoding: number): LastWrite | undefined {
    return this.cpus[cpu]?.get(encoding)
  }

  private note(cpu: number, encoding: number, write: LastWrite): void {
    this.cpus[cpu] ??= new Map()
    this.cpus[cpu].set(encoding, write)
  }
}
