/** Linux moves an SPI to another CPU: by its own driver, in the vGIC, and in who takes it. */
import { describe, expect, it } from 'vitest'
import { FIRST_SPI } from '../pure/arch/intid.ts'
import { HOST_PRESETS } from '../pure/blueprint/host.ts'
import { memoryMap } from '../pure/blueprint/memory-map.ts'
import { GuestMachine, hasLinux } from './guest-machine.ts'

const TIMEOUT = 90_000
const { HC } = HOST_PRESETS
const UART = FIRST_SPI + memoryMap.pl011.spi

describe.skipIf(!hasLinux)('smp_affinity', () => {
  it.each([
    ['mainline', 3],
    ['mainline', 2],
  ] as const)('moves the console’s interrupt under %s with a GICv%d', { timeout: TIMEOUT }, (ruleSet, gic) => {
    const machine = new GuestMachine({
      guest: 'linux-6.1',
      blueprint: { ruleSet, gic, vcpus: 2, memory: 128 * 2 ** 20, ...(gic === 2 ? { host: HC } : {}) },
    }).boot()
    const line = machine.shell('grep uart-pl011 /proc/interrupts')
    const irq = /^ *(\d+):/.exec(line)?.[1] ?? 'none'
    /** How many each CPU has taken. Asking is typing, and so interrupts. */
    const counts = (): readonly number[] =>
      /: +(\d+) +(\d+)/
        .exec(machine.shell(`grep -w ${irq}: /proc/interrupts`))
        ?.slice(1)
        .map(Number) ?? []
    const target = (): number | undefined => machine.vmm.inspect().spis.find(({ intid }) => intid === UART)?.target

    const [zero = 0, one = 0] = counts()
    expect([zero > 0, one, target()]).toEqual([true, 0, 0])
    machine.shell(`echo 2 > /proc/irq/${irq}/smp_affinity`)
    expect([machine.shell(`cat /proc/irq/${irq}/effective_affinity`), target()]).toEqual(['2\n', 1])
    const moved = counts()
    machine.shell('echo and so on')
    const later = counts()
    expect([later[0], (later[1] ?? 0) > (moved[1] ?? 0)]).toEqual([moved[0], true])
    machine.shell(`echo 1 > /proc/irq/${irq}/smp_affinity`)
    const back = counts()
    machine.shell('echo and back')
    const last = counts()
    expect([(last[0] ?? 0) > (back[0] ?? 0), last[1]]).toEqual([true, back[1]])
  })
})
