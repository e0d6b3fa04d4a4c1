/** How Linux and the monitor look for redistributors, as the trace tells it. */
import { describe, expect, it } from 'vitest'
import { searchReads } from '../app/session/trace/search-reads.ts'
import { TraceLog } from '../app/session/trace/log.ts'
import { typerAffinity } from '../pure/arch/affinity.ts'
import { GuestMachine, hasLinux } from './guest-machine.ts'
import type { GuestId } from './guest-machine.ts'

const bootedLog = (guest: GuestId): TraceLog => {
  const log = new TraceLog()
  new GuestMachine({ guest, blueprint: { vcpus: 4 }, onTrace: (batch) => void log.add(batch) }).boot()
  return log
}

describe.skipIf(!hasLinux)('the search of Linux (gic_iterate_rdists())', () => {
  it(
    'reads PIDR2 once a region, then GICR_TYPER frame by frame until it is that of the CPU',
    { timeout: 60_000 },
    () => {
      const log = bootedLog('linux-6.1')
      for (const cpu of [1, 2, 3]) {
        const reads = searchReads(log, cpu)
        expect(reads.length).toBeGreaterThan(cpu)
        const typers = reads.filter(({ register }) => register === 'TYPER')
        // Each frame up to its own, in the order of their addresses.
        expect([...new Set(typers.map(({ frameOf }) => frameOf))]).toEqual(Array.from({ length: cpu + 1 }, (_, n) => n))
        expect(typers.map(({ frameOf, value }) => frameOf === typerAffinity.decode(value))).not.toContain(false)
        expect(reads.find(({ register }) => register === 'PIDR2')).toMatchObject({ frameOf: 0, value: 0x3bn, width: 4 })
        expect(reads.every(({ time }, i) => i === 0 || time >= (reads[i - 1]?.time ?? 0))).toBe(true)
      }
    },
  )
})
