/** Debian's kernel works with an ITS that it gave its tables: what it says at boot, boots.test.ts knows. */
import { beforeAll, describe, expect, it } from 'vitest'
import { COMPLAINT } from '../boot-lines.ts'
import { GuestMachine, hasLinux } from '../guest-machine.ts'

const TIMEOUT = 120_000

describe.skipIf(!hasLinux)('Linux with an ITS', () => {
  let machine: GuestMachine
  beforeAll(() => {
    machine = new GuestMachine({ guest: 'linux-6.1', blueprint: { its: true, vcpus: 2 } }).boot()
  }, TIMEOUT)

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
    expect(machine.console).not.toMatch(COMPLAINT)
  })
})
