/** How Linux looks for redistributors, as the trace tells it. */
import { describe, expect, it } from 'vitest'
import { readOf } from '../app/panes/walk/traced.ts'
import type { FrameRead } from '../app/panes/walk/traced.ts'
import { typerAffinity } from '../pure/arch/affinity.ts'
import { eventAt, kindAt } from '../pure/trace/read.ts'
import { GuestMachine, hasLinux } from './guest-machine.ts'

/** By CPU: what each read of the redistributors until the shell was there. */
const readsOfBoot = (): ReadonlyMap<number, readonly FrameRead[]> => {
  const reads = new Map<number, FrameRead[]>()
  new GuestMachine({
    guest: 'linux-6.1',
    blueprint: { vcpus: 4 },
    onTrace: (batch) =>
      batch.times.forEach((time, i) => {
        const read = kindAt(batch, i) === 'mmio' ? readOf(eventAt(batch, i), time) : undefined
        if (read !== undefined) reads.set(read.cpu, [...(reads.get(read.cpu) ?? []), read])
      }),
  }).boot()
  return reads
}

describe.skipIf(!hasLinux)('the search of Linux (gic_iterate_rdists())', () => {
  it('reads PIDR2, then GICR_TYPER frame by frame until it is that of the CPU', { timeout: 120_000 }, () => {
    const all = readsOfBoot()
    for (const cpu of [1, 2, 3]) {
      const reads = all.get(cpu) ?? []
      expect(reads[0]).toMatchObject({ register: 'pidr2', owner: 0, value: 0x3bn })
      const typers = reads.filter(({ register }) => register === 'typer')
      // Each frame up to its own, in the order of their addresses.
      expect([...new Set(typers.map(({ owner }) => owner))]).toEqual(Array.from({ length: cpu + 1 }, (_, n) => n))
      expect(typers.map(({ owner, value }) => owner === typerAffinity.decode(value))).not.toContain(false)
    }
  })
})
