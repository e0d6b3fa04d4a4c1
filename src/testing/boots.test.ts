/** Debian's unmodified kernels boot on our machine, find their interrupt controller, and serve a shell. */
import { beforeAll, describe, expect, it } from 'vitest'
import { GuestMachine, hasLinux } from './guest-machine.ts'

const TIMEOUT = 60_000

/** What arch/arm64, drivers/irqchip/irq-gic-v3.c, the timer and the UART say on a machine as it should be. */
const COMMON_LINES = [
  'Booting Linux on physical CPU 0x0000000000 [0x411fd070]',
  'psci: probing for conduit method from DT.',
  'psci: PSCIv1.1 detected in firmware.',
  'psci: Using standard PSCI v0.2 function IDs',
  'psci: Trusted OS migration not required',
  'psci: SMC Calling Convention v1.1',
  'CPU features: detected: GIC system register CPU interface',
  'GICv3: 256 SPIs implemented',
  'GICv3: 0 Extended SPIs implemented',
  'GICv3: CPU0: found redistributor 0 region 0:0x00000000080a0000',
  'arch_timer: cp15 timer(s) running at 62.50MHz (virt).',
  'smp: Bringing up secondary CPUs ...',
  'CPU: All CPU(s) started at EL1',
  'Run /init as init process',
] as const

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

/** Since v6.7 the kernel calls consoles of the usual kind so. */
const CONSOLE_LINE = {
  'linux-6.1': 'printk: console [ttyAMA0] enabled',
  'linux-6.12': 'printk: legacy console [ttyAMA0] enabled',
} as const

const linesFor = (guest: keyof typeof CONSOLE_LINE, vcpus: number): readonly string[] => [
  ...COMMON_LINES,
  CONSOLE_LINE[guest],
  ...Array.from({ length: vcpus - 1 }, (_, i) => i + 1).flatMap((cpu) => [
    `GICv3: CPU${cpu}: found redistributor ${cpu} region 0:0x${hex(0x080a_0000 + cpu * 0x20000, 16)}`,
    `CPU${cpu}: Booted secondary processor 0x${hex(cpu, 10)} [0x411fd070]`,
  ]),
  `smp: Brought up 1 node, ${vcpus} CPU${vcpus === 1 ? '' : 's'}`,
]

const BOOTS = [
  { guest: 'linux-6.1', vcpus: 1, engine: 'interpreter', end: 'poweroff' },
  { guest: 'linux-6.1', vcpus: 1, engine: 'translator', end: 'reboot' },
  { guest: 'linux-6.1', vcpus: 4, engine: 'interpreter', end: 'reboot' },
  { guest: 'linux-6.1', vcpus: 4, engine: 'translator', end: 'poweroff' },
  { guest: 'linux-6.1', vcpus: 8, engine: 'interpreter', end: 'poweroff' },
  { guest: 'linux-6.1', vcpus: 8, engine: 'translator', end: 'reboot' },
  { guest: 'linux-6.12', vcpus: 4, engine: 'translator', end: 'poweroff' },
] as const satisfies readonly { guest: keyof typeof CONSOLE_LINE; vcpus: number; engine: string; end: keyof typeof ENDS }[]

const ENDS = { poweroff: 'off', reboot: 'reset' } as const

describe.skipIf(!hasLinux)('Debian boots', () => {
  describe.each(BOOTS)('as $guest with $vcpus vCPUs under the $engine', ({ guest, vcpus, engine, end }) => {
    let machine: GuestMachine
    beforeAll(() => {
      machine = new GuestMachine({ guest, engine, blueprint: { vcpus } })
      machine.until('guest: ready')
      machine.boot()
    }, TIMEOUT)

    it.each(linesFor(guest, vcpus))('saying "%s"', (line) => {
      expect(machine.console.includes(`] ${line}\n`)).toBe(true)
    })

    it('with the UART at its place', () => {
      expect(machine.console).toMatch(/9000000\.pl011: ttyAMA0 at MMIO 0x9000000 \(irq = \d+, base_baud = 0\) is a PL011/)
    })

    it('without a warning', () => {
      expect(machine.console).not.toMatch(/WARNING:|BUG:|Oops|Call trace|has no re-distributor|Kernel panic/)
    })

    it('and tells the same in the log in its memory', () => {
      const log = machine.vmm.kernelLog()
      expect(log).toMatchObject({ ok: true })
      const logged = log.ok ? log.lines.map(({ text }) => text) : []
      expect(linesFor(guest, vcpus).filter((line) => !logged.includes(line))).toEqual([])
    })

    it('to a shell that counts its CPUs', () => {
      expect(machine.shell('nproc')).toMatch(new RegExp(`^${vcpus}$`, 'm'))
    })

    it('with the timer and the UART as interrupts of the GIC', () => {
      const text = machine.shell('cat /proc/interrupts')
      const timer = /^ *\d+:((?: +\d+)+) +GICv3 +27 +Level +arch_timer$/m.exec(text)?.[1] ?? ''
      const counts = timer.trim().split(/ +/).map(Number)
      expect(counts).toHaveLength(vcpus)
      expect(Math.min(...counts)).toBeGreaterThan(0)
      expect(text).toMatch(/GICv3 +33 +Level +uart-pl011$/m)
      expect(text).toMatch(/GICv3 +34 +Level +rtc-pl031$/m)
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
      expect(back).toContain('GICv3: CPU3: found redistributor 3 region 0:0x0000000008100000\n')
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
