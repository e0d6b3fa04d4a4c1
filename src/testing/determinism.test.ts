/** The same machine with the same input runs the same instructions, whichever engine runs them. */
import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { hasLinux } from './guest-machine.ts'
import type { GuestMachine } from './guest-machine.ts'
import { observe } from './observed-run.ts'
import type { ObservedRun } from './observed-run.ts'

const TIMEOUT = 90_000

/** Work on all CPUs, floating point, timers, and interrupts between the CPUs. */
const LINES = [
  'f() { awk "BEGIN{for(i=1;i<2000;i++)s+=i/3;print s}"; }',
  'for i in 1 2 3 4 5 6; do f & done; wait',
  'sleep 0.05; cat /proc/interrupts',
  'dd if=/dev/zero bs=4096 count=256 2>/dev/null | sha256sum',
] as const

const work = (machine: GuestMachine): void => {
  machine.boot()
  for (const line of LINES) machine.shell(line)
}

const LINUX = { guest: 'linux-6.1', blueprint: { vcpus: 4 } } as const
const TRANSLATED = { ...LINUX, engine: 'translator' } as const
const INTERPRETED = { ...LINUX, engine: 'interpreter' } as const

describe.skipIf(!hasLinux)('Debian with 4 vCPUs', () => {
  let reference: ObservedRun
  beforeAll(() => {
    reference = observe(TRANSLATED, work)
  }, TIMEOUT)

  it('does what is typed', () => {
    expect(reference.console.match(/^666333$/gm)).toHaveLength(6)
    // Of 1 MiB of zeroes.
    expect(reference.console).toContain(
      createHash('sha256')
        .update(new Uint8Array(2 ** 20))
        .digest('hex'),
    )
    expect(reference.exceptions).toBeGreaterThan(1000)
    expect(Math.min(...reference.byCpu)).toBeGreaterThan(1e6)
  })

  it('runs the same twice', { timeout: TIMEOUT }, () => {
    expect(observe(TRANSLATED, work)).toEqual(reference)
  })

  it('runs the same with and without the translator', { timeout: TIMEOUT }, () => {
    expect(observe(INTERPRETED, work)).toEqual(reference)
  })

  it('runs the same in short and in long turns of the host', { timeout: TIMEOUT }, () => {
    const inTurnsOf = (ns: number): ObservedRun =>
      observe(TRANSLATED, (machine) => machine.runUntil(() => false, 0.12, ns))
    const short = inTurnsOf(7e4)
    expect(inTurnsOf(2e7)).toEqual(short)
    expect(short.exceptions).toBeGreaterThan(10)
  })
})
