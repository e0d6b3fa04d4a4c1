/** From an affinity to a vCPU: kvm_mpidr_to_vcpu() (arch/arm64/kvm/arm.c). */
import { aff3Of, mpidrAffinity } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import type { AffinityLookup } from '../../pure/rules/points.ts'

/** struct kvm_mpidr_data must fit a page: an 8-byte mask, then two bytes an entry. */
const MAX_ENTRIES = (4096 - 8) / 2

/** Gathers the bits of `affinity` that are in `mask`: kvm_mpidr_index(). */
const compress = (affinity: Affinity, mask: number): number => {
  let index = 0
  let at = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) {
    if ((affinity & rest & -rest) !== 0) index |= 1 << at
    at++
  }
  return index
}

const firstOfEach = (affinities: Uint32Array): ReadonlyMap<Affinity, number> => {
  const first = new Map<Affinity, number>()
  for (const [cpu, affinity] of affinities.entries()) if (!first.has(affinity)) first.set(affinity, cpu)
  return first
}

interface Table {
  /** The affinity bits in which the CPUs differ. */
  readonly mask: number
  readonly entries: Uint16Array
}

export class CpuLookup {
  private readonly rule: AffinityLookup
  private readonly mpidrOf: readonly (() => bigint)[]
  private readonly affinities: Uint32Array
  /** Of several CPUs with one affinity, the first created. */
  private first: ReadonlyMap<Affinity, number> | undefined
  private table: Table | undefined

  constructor(rule: AffinityLookup, mpidrOf: readonly (() => bigint)[]) {
    this.rule = rule
    this.mpidrOf = mpidrOf
    this.affinities = new Uint32Array(mpidrOf.length)
    this.refreshAll()
  }

  /** A CPU's affinity as its MPIDR_EL1 has it now. */
  affinity(cpu: number): Affinity {
    return this.affinities[cpu] ?? 0
  }

  /** Whether some CPU has an Aff3 that is not 0. */
  get aff3InUse(): boolean {
    return this.affinities.some((affinity) => aff3Of(affinity) !== 0)
  }

  /** Reads a CPU's MPIDR_EL1 again. */
  refresh(cpu: number): void {
    const mpidr = this.mpidrOf[cpu]
    if (mpidr === undefined) throw new Error(`there is no CPU ${cpu}`)
    this.affinities[cpu] = mpidrAffinity.decode(mpidr())
    this.first = undefined
  }

  refreshAll(): void {
    for (const cpu of this.mpidrOf.keys()) this.refresh(cpu)
  }

  /** At the first run of a VM: kvm_init_mpidr_data(). A VM with one CPU has no table. */
  freeze(): void {
    if (!this.rule.table || this.table !== undefined || this.affinities.length <= 1) return
    let set = 0
    let clear = -1
    for (const affinity of this.affinities) {
      set |= affinity
      clear &= affinity
    }
    const mask = set ^ clear
    let entryCount = 1
    for (let rest = mask; rest !== 0; rest &= rest - 1) entryCount *= 2
    if (entryCount > MAX_ENTRIES) return
    const entries = new Uint16Array(entryCount)
    for (const [cpu, affinity] of this.affinities.entries()) entries[compress(affinity, mask)] = cpu
    this.table = { mask, entries }
  }

  find(affinity: Affinity): number | undefined {
    const { table } = this
    if (table !== undefined) {
      const cpu = table.entries[compress(affinity, table.mask)] ?? 0
      if (this.affinities[cpu] === affinity) return cpu
      if (!this.rule.fallback) return undefined
    }
    return this.findFirst(affinity)
  }

  /** The first created CPU with this affinity, whatever the table says. */
  findFirst(affinity: Affinity): number | undefined {
    this.first ??= firstOfEach(this.affinities)
    return this.first.get(affinity)
  }
}
