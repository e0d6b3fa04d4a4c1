/** Who is where: the affinities of a model's vCPUs, and how KVM finds one by its affinity. */
import type { Env } from '../kvm-cases/kvm-case.ts'
import { IDS } from './operations.ts'

export const NOBODY = -1
const AFF3 = 0xffn << 32n

/** All four levels in 32 bits, as the model keeps them. */
export const packed = (mpidr: bigint): number => Number(((mpidr >> 8n) & 0xff00_0000n) | (mpidr & 0xff_ffffn))
export const without3 = (affinity: number): number => affinity & 0xff_ffff
export const third = (affinity: number): number => affinity >>> 24
export const joined = (aff3: number, rest: number): number => ((aff3 << 24) | rest) >>> 0
const reset = (id: number): bigint => 0x8000_0000n | BigInt(id)

export class Affinities {
  private readonly env: Env
  private readonly values = IDS.map((id) => reset(id))
  /** The lookup table: which bits differ, and who is where. */
  private table: { readonly bits: readonly number[]; readonly cpus: readonly number[] } | undefined

  constructor(env: Env) {
    this.env = env
  }

  /** MPIDR_EL1 as userspace and the guest have it. */
  get mpidrs(): readonly bigint[] {
    return this.values
  }

  of(cpu: number): number {
    return packed(this.values[cpu] ?? 0n)
  }

  set(cpu: number, mpidr: bigint): void {
    this.values[cpu] = mpidr
  }

  setWithoutAff3(cpu: number, mpidr: bigint): void {
    this.values[cpu] = mpidr & ~AFF3
  }

  reset(cpu: number): void {
    this.values[cpu] = reset(IDS[cpu] ?? 0)
  }

  get aff3InUse(): boolean {
    return IDS.some((_, cpu) => third(this.of(cpu)) !== 0)
  }

  first(affinity: number): number {
    return IDS.findIndex((_, cpu) => this.of(cpu) === affinity)
  }

  /** Base before v6.7 and full-aff3: the first. Later a table, made at the first run; v6.7 to v6.9 knows nothing else. */
  find(affinity: number): number {
    if (this.table === undefined) return this.first(affinity)
    const { bits, cpus } = this.table
    const at = bits.reduce((all, bit, i) => all | (((affinity >>> bit) & 1) << i), 0)
    const cpu = cpus[at] ?? 0
    if (this.of(cpu) === affinity) return cpu
    return this.env.base === '6.8' ? NOBODY : this.first(affinity)
  }

  /** The VM runs for the first time. */
  freeze(): void {
    if (this.env.ruleSet === 'full-aff3' || this.env.base === '6.1') return
    const all = IDS.map((_, cpu) => this.of(cpu))
    const bits = Array.from({ length: 32 }, (_, bit) => bit).filter(
      (bit) => all.some((one) => ((one >>> bit) & 1) === 1) && all.some((one) => ((one >>> bit) & 1) === 0),
    )
    const cpus = Array.from({ length: 2 ** bits.length }, () => 0)
    for (const [cpu, affinity] of all.entries()) {
      cpus[bits.reduce((index, bit, i) => index | (((affinity >>> bit) & 1) << i), 0)] = cpu
    }
    this.table = { bits, cpus }
  }
}
