/**
 * Bare-metal suites in the manner of those written for real KVM: interrupts and registers of the GIC, timers, PSCI,
 * exceptions, small operations. Each prints a verdict a line. QEMU, where it is installed, is asked as well: what it
 * answers otherwise is named.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { FlatGuest, flatBinary } from '../flat-guest.ts'

const TIMEOUT = 120_000
const SECOND = 1e9

interface Suite {
  readonly name: string
  readonly gic: 2 | 3
  /** How many checks it makes: one that ends early has not passed. */
  readonly checks: number
  readonly vcpus: readonly number[]
  /** Where QEMU 7.2 is no oracle, by the beginning of a check's name; `undefined`: its time is the host's. */
  readonly otherInQemu: readonly string[] | undefined
}

/** Several callers of CPU_ON at once may all be told that they turned it on. */
const PSCI_IN_QEMU = [
  'affinity-info: there is no level 4',
  'cpu-on: of many callers one has turned it on',
  'cpu-on: the others find it on',
] as const

const SUITES: readonly Suite[] = [
  {
    name: 'gic',
    gic: 2,
    checks: 26,
    vcpus: [2, 4, 8],
    otherInQemu: [
      'priorities: two bytes are not',
      'targets: bits of absent CPUs are masked',
      'targets: a byte is written',
    ],
  },
  {
    name: 'gic',
    gic: 3,
    checks: 18,
    vcpus: [2, 4, 8],
    otherInQemu: ['distributor: interrupts', 'priorities: beyond the last interrupt nothing is'],
  },
  { name: 'timer', gic: 2, checks: 31, vcpus: [1], otherInQemu: undefined },
  { name: 'timer', gic: 3, checks: 31, vcpus: [1], otherInQemu: undefined },
  { name: 'psci', gic: 2, checks: 19, vcpus: [2, 8], otherInQemu: PSCI_IN_QEMU },
  { name: 'psci', gic: 3, checks: 19, vcpus: [2, 8], otherInQemu: PSCI_IN_QEMU },
  { name: 'selftest', gic: 2, checks: 18, vcpus: [4], otherInQemu: [] },
  { name: 'selftest', gic: 3, checks: 18, vcpus: [1, 8], otherInQemu: [] },
  { name: 'micro-bench', gic: 2, checks: 9, vcpus: [2], otherInQemu: undefined },
  { name: 'micro-bench', gic: 3, checks: 9, vcpus: [2, 4], otherInQemu: undefined },
]

const part = (name: string): string => readFileSync(join(import.meta.dirname, `${name}.s`), 'utf8')
const sourceOf = (name: string): string => `${part('runtime')}\n${part(name)}`

/** Its lines. */
const verdicts = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')
const failed = (lines: readonly string[]): readonly string[] => lines.filter((line) => !line.startsWith('PASS '))

describe.each(SUITES)('the suite $name with a GICv$gic', { timeout: TIMEOUT }, ({ name, gic, checks, vcpus }) => {
  it.each(vcpus)('passes on %i vCPUs', (count) => {
    for (const engine of ['interpreter', 'translator'] as const) {
      const guest = new FlatGuest({
        source: sourceOf(name),
        blueprint: { gic, host: HOST_PRESETS[gic === 2 ? 'H2' : 'H1'], vcpus: count },
        engine,
      })
      expect(guest.run(SECOND)).toBe('off')
      const lines = verdicts(guest.text)
      expect([engine, failed(lines), lines.length]).toEqual([engine, [], checks])
    }
  })
})

const hasQemu = spawnSync('qemu-system-aarch64', ['--version']).status === 0
if (!hasQemu) console.warn('the suites are not compared with QEMU: qemu-system-aarch64 is not installed')

describe.skipIf(!hasQemu)('beside QEMU', { timeout: TIMEOUT }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'suites-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(SUITES.filter(({ otherInQemu }) => otherInQemu !== undefined))(
    'the suite $name with a GICv$gic passes where it is no other',
    ({ name, gic, checks, otherInQemu = [] }) => {
      const file = join(folder, `${name}.flat`)
      writeFileSync(file, flatBinary(sourceOf(name)))
      const machine = ['-M', `virt,gic-version=${gic}`, '-cpu', 'cortex-a57', '-smp', '4', '-nographic', '-nic', 'none']
      const { stdout } = spawnSync('qemu-system-aarch64', [...machine, '-kernel', file], { timeout: TIMEOUT / 2 })
      const lines = verdicts(stdout.toString().replaceAll('\r', ''))
      const others = failed(lines).filter((line) => !otherInQemu.some((known) => line.startsWith(`FAIL ${known}`)))
      expect([others, lines.length]).toEqual([[], checks])
    },
  )
})
