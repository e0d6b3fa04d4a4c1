/** Debian's kernel finds the ITS, gives it its tables, and works without a complaint. */
import { beforeAll, describe, expect, it } from 'vitest'
import { GuestMachine, hasLinux } from '../guest-machine.ts'

const TIMEOUT = 60_000

/** drivers/irqchip/irq-gic-v3-its.c, as on QEMU's virt machine but for the addresses. */
const LINES = [
  /\] ITS \[mem 0x08080000-0x0809ffff\]$/m,
  /\] ITS@0x0000000008080000: allocated 8192 Devices @[0-9a-f]+ \(indirect, esz 8, psz 64K, shr 1\)$/m,
  /\] ITS@0x0000000008080000: allocated 8192 Interrupt Collections @[0-9a-f]+ \(flat, esz 8, psz 64K, shr 1\)$/m,
  /\] GICv3: using LPI property table @0x[0-9a-f]{16}$/m,
  /\] GICv3: CPU0: using allocated LPI pending table @0x[0-9a-f]{16}$/m,
  /\] GICv3: CPU1: using allocated LPI pending table @0x[0-9a-f]{16}$/m,
] as const

describe.skipIf(!hasLinux)('Linux with an ITS', () => {
  let machine: GuestMachine
  beforeAll(() => {
    machine = new GuestMachine({ guest: 'linux-6.1', blueprint: { its: true, vcpus: 2 } }).boot()
  }, TIMEOUT)

  it.each(LINES)('says %s', (line) => {
    expect(machine.console).toMatch(line)
  })

  it('says nothing worse', () => {
    expect(machine.console).not.toMatch(/WARNING:|BUG:|Oops|Call trace|ITS queue|Kernel panic/i)
  })

  it('has a collection mapped to each CPU, and LPIs enabled at each', () => {
    const { its } = machine.vmm.inspect()
    expect(its).toMatchObject([{ base: 0x0808_0000, enabled: true, quiescent: true }])
    expect(its[0]?.collections).toEqual([
      { id: 0, cpu: 0 },
      { id: 1, cpu: 1 },
    ])
  })

  it('takes a CPU out and in again', () => {
    const online = '/sys/devices/system/cpu/cpu1/online'
    expect(machine.shell(`echo 0 > ${online}; sleep 0.01; nproc`)).toMatch(/^1$/m)
    expect(machine.shell(`echo 1 > ${online}; nproc`)).toMatch(/^2$/m)
    expect(machine.console).not.toMatch(/WARNING:|BUG:|Oops|Call trace/)
  })
})
