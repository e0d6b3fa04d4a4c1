/** Debian's unmodified kernels boot on our machine, find their interrupt controller, and serve a shell. */
import { beforeAll, describe, expect, it } from 'vitest'
import { HOST_PRESETS } from '../pure/blueprint/host.ts'
import { COMPLAINT, hex, missingLines, redistributorLine, smpLines } from './boot-lines.ts'
import type { BootedMachine } from './boot-lines.ts'
import { GuestMachine, hasLinux } from './guest-machine.ts'

const TIMEOUT = 120_000

/** What arch/arm64, the timer and the UART say on a machine as it should be. */
const COMMON_LINES = [
  'Booting Linux on physical CPU 0x0000000000 [0x411fd070]',
  'psci: probing for conduit method from DT.',
  'psci: PSCIv1.1 detected in firmware.',
  'psci: Using standard PSCI v0.2 function IDs',
  'psci: Trusted OS migration not required',
  'psci: SMC Calling Convention v1.1',
  'arch_timer: cp15 timer(s) running at 62.50MHz (virt).',
  'smp: Bringing up secondary CPUs ...',
  'CPU: All CPU(s) started at EL1',
  'Run /init as init process',
] as const

/** What /proc/interrupts calls the chip, as a pattern. */
const CHIP = { 2: 'GIC-0 +', 3: 'GICv3 +' } as const

/** Since v6.7 the kernel calls consoles of the usual kind so. */
const CONSOLE_LINE = {
  'linux-6.1': 'printk: console [ttyAMA0] enabled',
  'linux-6.12': 'printk: legacy console [ttyAMA0] enabled',
} as const

const linesFor = (boot: Boot): readonly string[] => [...COMMON_LINES, CONSOLE_LINE[boot.guest], ...smpLines(boot)]

const BOOTS: readonly Boot[] = [
  { guest: 'linux-6.1', vcpus: 1, gic: 3, engine: 'interpreter', end: 'poweroff' },
  { guest: 'linux-6.1', vcpus: 1, gic: 3, engine: 'translator', end: 'reboot' },
  { guest: 'linux-6.1', vcpus: 4, gic: 3, engine: 'interpreter', end: 'reboot' },
  { guest: 'linux-6.1', vcpus: 4, gic: 3, engine: 'translator', end: 'poweroff' },
  { guest: 'linux-6.1', vcpus: 8, gic: 3, engine: 'interpreter', end: 'poweroff' },
  { guest: 'linux-6.1', vcpus: 8, gic: 3, engine: 'translator', end: 'reboot' },
  { guest: 'linux-6.12', vcpus: 4, gic: 3, its: true, engine: 'translator', end: 'poweroff' },
  { guest: 'linux-6.1', vcpus: 1, gic: 2, engine: 'translator', end: 'poweroff' },
  { guest: 'linux-6.1', vcpus: 8, gic: 2, engine: 'translator', end: 'reboot' },
  { guest: 'linux-6.12', vcpus: 4, gic: 2, engine: 'translator', end: 'poweroff' },
]

interface Boot extends BootedMachine {
  readonly guest: keyof typeof CONSOLE_LINE
  readonly engine: 'interpreter' | 'translator'
  readonly end: keyof typeof ENDS
}

const ENDS = { poweroff: 'off', reboot: 'reset' } as const

describe.skipIf(!hasLinux)('Debian boots', () => {
  describe.each(BOOTS)('as $guest with $vcpus vCPUs and a GICv$gic under the $engine', (boot) => {
    const { guest, vcpus, gic, its = false, engine, end } = boot
    let machine: GuestMachine
    beforeAll(() => {
      machine = new GuestMachine({
        guest,
        engine,
        blueprint: { vcpus, gic, its, host: HOST_PRESETS[gic === 2 ? 'H2' : 'H1'] },
      })
      machine.until('guest: ready')
      machine.boot()
    }, TIMEOUT)

    it('saying what it should', () => {
      const printed = machine.console.split('\n').map((line) => line.replace(/^\[[ \d.]+\] /, ''))
      expect(missingLines(linesFor(boot), printed)).toEqual([])
    })

    it('with the UART at its place', () => {
      expect(machine.console).toMatch(
        /9000000\.pl011: ttyAMA0 at MMIO 0x9000000 \(irq = \d+, base_baud = 0\) is a PL011/,
      )
    })

    it('without a warning', () => {
      expect(machine.console).not.toMatch(COMPLAINT)
    })

    it('and tells the same in the log in its memory', () => {
      const log = machine.vmm.kernelLog()
      expect(log).toMatchObject({ ok: true })
      const logged = log.ok ? log.lines.map(({ text }) => text) : []
      expect(missingLines(linesFor(boot), logged)).toEqual([])
    })

    it('to a shell that counts its CPUs', () => {
      expect(machine.shell('nproc')).toMatch(new RegExp(`^${vcpus}$`, 'm'))
    })

    it('with the timer and the UART as interrupts of the GIC', () => {
      const text = machine.shell('cat /proc/interrupts')
      const timer = new RegExp(`^ *\\d+:((?: +\\d+)+) +${CHIP[gic]}27 +Level +arch_timer$`, 'm').exec(text)?.[1] ?? ''
      const counts = timer.trim().split(/ +/).map(Number)
      expect(counts).toHaveLength(vcpus)
      expect(Math.min(...counts)).toBeGreaterThan(0)
      expect(text).toMatch(new RegExp(`${CHIP[gic]}33 +Level +uart-pl011$`, 'm'))
      expect(text).toMatch(new RegExp(`${CHIP[gic]}34 +Level +rtc-pl031$`, 'm'))
    })

    it('that runs a program on the CPU it is told', () => {
      const last = vcpus - 1
      const mask = hex(2 ** last, 1)
      const report = machine.shell(`taskset ${mask} sh -c 'cut -d" " -f39 /proc/self/stat; taskset -p $$'`)
      expect(report.split('\n')[0]).toBe(String(last))
      expect(report).toContain(`current affinity mask: ${mask}\n`)
    })

    it.runIf(vcpus > 3)('that takes a CPU out and in again', () => {
      const online = '/sys/devices/system/cpu/cpu3/online'
      expect(machine.shell(`echo 0 > ${online}; sleep 0.01; nproc`)).toMatch(new RegExp(`^${vcpus - 1}$`, 'm'))
      expect(machine.console).toMatch(/psci: CPU3 killed \(polled \d+ ms\)/)
      expect(machine.vmm.inspect().cpus.map(({ state }) => state === 'off')).toEqual(
        Array.from({ length: vcpus }, (_, cpu) => cpu === 3),
      )
      const back = machine.shell(`echo 1 > ${online}; nproc`)
      expect(back.includes(`${redistributorLine(3)}\n`)).toBe(gic === 3)
      expect(back).toContain('CPU3: Booted secondary processor 0x0000000003 [0x411fd070]\n')
      expect(back).toMatch(new RegExp(`^${vcpus}$`, 'm'))
      expect(machine.vmm.inspect().cpus.filter(({ state }) => state === 'off')).toEqual([])
    })

    it('without meeting a word that is no instruction', () => {
      expect(machine.vmm.stats().undefinedWords).toEqual([])
    })

    it.runIf(engine === 'translator')('from translated code', () => {
      expect(machine.vmm.stats().translatedRegions).toBeGreaterThan(0)
    })

    it(`and ends at ${end}`, { timeout: TIMEOUT }, () => {
      machine.type(`${end}\r`)
      expect(machine.untilEnd(10)).toBe(ENDS[end])
      expect(machine.vmm.inspect().cpus.every(({ state }) => state === 'off')).toBe(true)
    })
  })
})

/** As many vCPUs as no boot above has, and an ITS with each number of them. */
const UPS: readonly Required<BootedMachine>[] = [
  ...[2, 3, 5, 6, 7].flatMap((vcpus) => [
    { vcpus, gic: 2, its: false } as const,
    { vcpus, gic: 3, its: false } as const,
  ]),
  ...[1, 2, 3, 5, 6, 7, 8].map((vcpus) => ({ vcpus, gic: 3, its: true }) as const),
]

describe.skipIf(!hasLinux)('Debian brings up its CPUs', { timeout: TIMEOUT }, () => {
  it.each(UPS)('$vcpus with a GICv$gic, ITS $its', (up) => {
    const { vcpus, gic, its } = up
    const machine = new GuestMachine({
      guest: 'linux-6.1',
      blueprint: { vcpus, gic, its, host: HOST_PRESETS[gic === 2 ? 'H2' : 'H1'] },
    })
    machine.until('smp: Brought up')
    machine.until('CPU: All CPU(s) started at EL1')
    const log = machine.vmm.kernelLog()
    if (!log.ok) throw new Error(log.what)
    const logged = log.lines.map(({ text }) => text)
    expect(missingLines(smpLines(up), logged)).toEqual([])
    expect(logged.filter((line) => COMPLAINT.test(line))).toEqual([])
    expect(machine.vmm.inspect().cpus.map(({ state }) => state)).not.toContain('off')
  })
})
