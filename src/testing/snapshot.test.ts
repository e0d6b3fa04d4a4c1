/** A running machine saved into a file, and another that goes on from it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseSnapshot, writeSnapshot } from '../engine/vmm/snapshot.ts'
import type { Snapshot } from '../engine/vmm/snapshot.ts'
import { restoreVmm } from '../engine/vmm/restore-vmm.ts'
import { createVmm } from '../engine/vmm/vmm.ts'
import type { Made } from '../engine/vmm/vmm.ts'
import { GITS_TRANSLATER } from '../pure/arch/gic/gits.ts'
import { defaultBlueprint } from '../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../pure/blueprint/blueprint.ts'
import { derivedLines } from '../pure/blueprint/plan.ts'
import { HOST_PRESETS } from '../pure/blueprint/host.ts'
import type { HostProfile } from '../pure/blueprint/host.ts'
import { memoryMap } from '../pure/blueprint/memory-map.ts'
import { imageDocument, parseImage } from '../pure/image/document.ts'
import type { Order } from '../pure/image/order.ts'
import { parseOrder } from '../pure/image/order-text.ts'
import { ORDERS, ordersFor } from '../pure/image/orders.ts'
import { KVM_MSI_VALID_DEVID } from '../pure/uapi/calls.ts'
import type { KvmAnswer } from '../pure/uapi/calls.ts'
import { flatBinary } from './flat-guest.ts'
import { GuestMachine, hasLinux } from './guest-machine.ts'
import type { GuestId } from './guest-machine.ts'

const TIMEOUT = 90_000
const MIB = 2 ** 20

const fileOf = ({ vmm }: GuestMachine): Uint8Array => {
  const saved = vmm.snapshot()
  if (!saved.ok) throw new Error(saved.what)
  return saved.file
}

const snapshotOf = (file: Uint8Array): Snapshot => {
  const parsed = parseSnapshot(file)
  if (!parsed.ok) throw new Error(parsed.what)
  return parsed.snapshot
}

const goOn = (guest: GuestId, file: Uint8Array, engine: 'interpreter' | 'translator' = 'translator'): GuestMachine =>
  new GuestMachine({ guest, engine, restore: { snapshot: snapshotOf(file) } })

/** What there is to see of a machine: registers' owners, time, counts. */
const seen = ({ vmm }: GuestMachine) => vmm.inspect()

describe('gicsh', { timeout: TIMEOUT }, () => {
  const machine = new GuestMachine({ guest: 'gicsh', blueprint: { vcpus: 4, memory: 32 * MIB } }).boot()
  machine.shell('send 5 to 0.0.0.2')
  const file = fileOf(machine)

  it('saving changes nothing, and a machine that was just restored saves the same', () => {
    expect(fileOf(machine)).toEqual(file)
    expect(fileOf(goOn('gicsh', file))).toEqual(file)
  })

  it('goes on as if nothing had been', () => {
    const restored = goOn('gicsh', file)
    expect(seen(restored)).toEqual(seen(machine))
    const command = 'send 3 to all'
    expect(restored.shell(command)).toBe(machine.shell(command))
    expect(seen(restored)).toEqual(seen(machine))
    expect(fileOf(restored)).toEqual(fileOf(machine))
  })
})

describe('a document of before features of vCPUs were asked for', { timeout: TIMEOUT }, () => {
  it.each(['cortex-a57', 'max'] as const)('of a %s has those whose registers are in it', (cpu) => {
    const { image } = snapshotOf(
      fileOf(new GuestMachine({ guest: 'gicsh', blueprint: { cpu, vcpus: 2, memory: 32 * MIB } })),
    )
    expect(image.vcpus[0]).toMatchObject({ features: expect.arrayContaining(['PMU_V3']), pmuIrq: 23 })
    const vcpus = image.vcpus.map(({ id, on, registers, redistributor, interface: icc }) => {
      const features = ['PSCI_0_2'] as const
      return { id, features, on, registers, redistributor, interface: icc }
    })
    expect(parseImage(imageDocument({ ...image, vcpus }))).toEqual({ ok: true, image })
  })
})

describe('a machine whose vCPUs were given neither PMU nor keys', { timeout: TIMEOUT }, () => {
  it('goes on without them', () => {
    const blueprint = { ...defaultBlueprint, cpu: 'max', vcpus: 2, memory: 32 * MIB } as const
    const plan = derivedLines(blueprint, 'firecracker')
    const file = fileOf(new GuestMachine({ guest: 'gicsh', blueprint: { ...blueprint, plan } }).boot())
    const { image } = snapshotOf(file)
    expect(image.vcpus[0]).toMatchObject({ features: ['PSCI_0_2'] })
    expect(Object.keys(image.vcpus[0]?.registers ?? {}).filter((name) => /^PM|^AP.Key/.test(name))).toEqual([])
    expect(fileOf(goOn('gicsh', file))).toEqual(file)
  })
})

describe('an order of restoring', { timeout: TIMEOUT }, () => {
  const machine = new GuestMachine({ guest: 'gicsh', blueprint: { vcpus: 2, memory: 32 * MIB } }).boot()
  // It waits for its timer, which is to interrupt it after ten milliseconds.
  machine.type('timer\r')
  machine.vmm.run(5e6, Infinity)
  const snapshot = snapshotOf(fileOf(machine))
  const restored = (order: Order) => restoreVmm({ engine: 'translator', onConsole: () => {}, snapshot, order })

  it.each(Object.entries(ordersFor(3)).filter(([id]) => id !== 'crosvm'))(
    'of %s brings back a machine that goes on',
    (_, order) => {
      const guest = new GuestMachine({ guest: 'gicsh', restore: { snapshot, order } })
      expect(guest.until('gicsh> ')).toMatch(/^CNTFRQ_EL0 62500000 Hz: asked for 625000 ticks, /)
      expect(guest.shell('typer')).toMatch(/^GICD_TYPER 0x00480008: /)
    },
  )

  it('of crosvm clears what enables interrupts: the guest waits for ever', () => {
    const guest = new GuestMachine({ guest: 'gicsh', restore: { snapshot, order: ORDERS.crosvm } })
    guest.vmm.run(20e6, Infinity)
    expect([guest.console, guest.vmm.inspect().cpus[0]?.enabled]).toEqual(['', []])
  })

  it('of a person stops at the first refusal, or where a machine is not complete', () => {
    const own = (text: string): string => {
      const read = parseOrder(text, 3, 'own')
      if (!read.ok) throw new Error(read.what)
      const made = restored(read.order)
      return made.ok ? 'nothing' : made.what
    }
    expect(own('affinities')).toBe(
      'The snapshot cannot be restored here: MPIDR_EL1 of vCPU 0: 0x80000000 wanted; EBADF: There is no VM yet: ' +
        'KVM_CREATE_VM makes one.',
    )
    expect(own('vcpus\ngic\neach vcpu:\n  interface: ICC_CTLR_EL1\nvcpus')).toBe(
      'The snapshot cannot be restored here: vCPU 0; EBUSY: The vGIC is initialised: no vCPU can join it.',
    )
    expect(own('vcpus\neach vcpu:\n  registers')).toBe(
      'The snapshot cannot be restored so: The plan makes no GIC: KVM_CREATE_DEVICE is missing in it.',
    )
  })
})

describe.skipIf(!hasLinux)('Linux on a GICv2', { timeout: TIMEOUT }, () => {
  let machine: GuestMachine
  let file: Uint8Array

  beforeAll(() => {
    const blueprint = { gic: 2, host: HOST_PRESETS.HC, vcpus: 4, memory: 128 * MIB } as const
    machine = new GuestMachine({ guest: 'linux-6.1', blueprint }).boot()
    machine.type('(while :; do :; done) & sleep 0.05; echo $((6*7))\r')
    machine.vmm.run(7_777_777, Infinity)
    file = fileOf(machine)
  }, TIMEOUT)

  it('goes on to the bit, with its work in flight', () => {
    const restored = goOn('linux-6.1', file)
    // Megabytes: compared by the host.
    expect(Buffer.compare(fileOf(restored), file)).toBe(0)
    for (const one of [machine, restored]) one.until('42\n')
    expect(restored.shell('cat /proc/interrupts')).toBe(machine.shell('cat /proc/interrupts'))
    expect(seen(restored)).toEqual(seen(machine))
  })

  it('moves to a host that has a GICv2 itself, and is refused on one that cannot emulate it', () => {
    const snapshot = snapshotOf(file)
    const to = (host: HostProfile) => ({ snapshot, onto: { ruleSet: 'mainline', base: '6.12', host } }) as const
    const moved = new GuestMachine({ guest: 'linux-6.1', restore: to(HOST_PRESETS.H2) })
    moved.until('42\n')
    expect(moved.shell('nproc')).toBe('4\n')
    expect(restoreVmm({ ...to(HOST_PRESETS.H1), engine: 'translator', onConsole: () => {} })).toMatchObject({
      ok: false,
      what: 'The snapshot cannot be restored here: the GIC; ENODEV: This host cannot emulate device type 5.',
    })
  })
})

describe('a guest with LPIs', { timeout: TIMEOUT }, () => {
  const kernel = flatBinary(readFileSync(join(import.meta.dirname, 'its/lpis.s'), 'utf8'))
  const blueprint: Blueprint = {
    ...defaultBlueprint,
    its: true,
    vcpus: 2,
    memory: 32 * MIB,
    guest: { id: 'own', append: '' },
  }

  /** A machine, and what its guest prints up to an end. */
  const machineOf = (make: (onConsole: (bytes: Uint8Array) => void) => Made) => {
    let text = ''
    const made = make((bytes) => (text += Buffer.from(bytes).toString('latin1')))
    if (!made.ok) throw new Error(made.what)
    const { vmm } = made
    const until = (end: string): string => {
      for (let i = 0; i < 200 && !text.endsWith(end); i++) vmm.run(1e6, 1e6)
      const printed = text
      text = ''
      return printed
    }
    const message = (event: number): KvmAnswer =>
      vmm.call({
        call: 'KVM_SIGNAL_MSI',
        address: BigInt(memoryMap.its.base + GITS_TRANSLATER),
        data: event,
        flags: KVM_MSI_VALID_DEVID,
        devid: 5,
      })
    return { vmm, until, message }
  }

  it('takes a message that was pending when it was saved, and those that come after', () => {
    const engine = 'translator'
    const first = machineOf((onConsole) => createVmm({ blueprint, engine, guest: { kernel, append: '' }, onConsole }))
    expect(first.until('waiting for messages\n')).toMatch(/^lpis: 2 CPUs/)
    expect(first.message(8)).toEqual({ ok: true, value: 1n })
    const saved = first.vmm.snapshot()
    if (!saved.ok) throw new Error(saved.what)
    const second = machineOf((onConsole) => restoreVmm({ snapshot: snapshotOf(saved.file), engine, onConsole }))
    for (const { until } of [first, second]) expect(until('\n')).toBe('CPU 0 takes LPI 8200\n')
    for (const { until, message } of [first, second]) {
      expect(message(9)).toEqual({ ok: true, value: 1n })
      expect(until('\n')).toBe('CPU 1 takes LPI 8201\n')
    }
    expect(second.vmm.inspect()).toEqual(first.vmm.inspect())
  })
})

describe.skipIf(!hasLinux)('Linux', { timeout: TIMEOUT }, () => {
  let machine: GuestMachine
  let file: Uint8Array

  beforeAll(() => {
    machine = new GuestMachine({ guest: 'linux-6.1', blueprint: { vcpus: 2, memory: 128 * MIB, its: true } }).boot()
    machine.shell('x=kept; (while :; do :; done) & echo $! > /tmp/busy; sleep 0.02')
    // In the middle of work: one CPU is busy, the other sleeps.
    machine.vmm.run(3_333_333, Infinity)
    file = fileOf(machine)
  }, TIMEOUT)

  it('goes on to the bit, whichever engine runs it', () => {
    const work = ['echo $x; cat /tmp/busy', 'cat /proc/interrupts', 'awk "BEGIN{for(i=1;i<99;i++)s+=i/3;print s}"']
    const one = goOn('linux-6.1', file)
    const other = goOn('linux-6.1', file, 'interpreter')
    const answers = work.map((line) => one.shell(line))
    expect(answers[0]).toMatch(/^kept\n\d+\n$/)
    expect(answers[1]).toContain('CPU1')
    expect(work.map((line) => other.shell(line))).toEqual(answers)
    expect(work.map((line) => machine.shell(line))).toEqual(answers)
    expect(seen(other)).toEqual(seen(one))
    expect(seen(machine)).toEqual(seen(one))
  })

  it('moves to a host without A3V under full-aff3, and is refused under mainline', () => {
    const snapshot = snapshotOf(file)
    const onto = { ruleSet: 'mainline', base: '6.12', host: HOST_PRESETS.H0 } as const
    const start = { engine: 'translator', onConsole: () => {}, snapshot } as const
    expect(restoreVmm({ ...start, onto })).toMatchObject({
      ok: false,
      what:
        'The snapshot cannot be restored here: ICC_CTLR_EL1 of vCPU 0: 0x8400 wanted, 0x400 found; ' +
        'EINVAL: ICC_CTLR_EL1.A3V = 1, but this host has A3V = 0.',
      stop: { errno: 'EINVAL', had: 0x400n, step: { what: 'ICC_CTLR_EL1 of vCPU 0', wanted: 0x8400n } },
    })
    const moved = new GuestMachine({
      guest: 'linux-6.1',
      restore: { snapshot, onto: { ...onto, ruleSet: 'full-aff3' } },
    })
    expect(moved.shell('echo $x; nproc')).toBe('kept\n2\n')
  })
})

describe('a file', { timeout: TIMEOUT }, () => {
  const machine = new GuestMachine({ guest: 'gicsh', blueprint: { vcpus: 1, memory: 16 * MIB } }).boot()
  const file = fileOf(machine)
  const whatIsWrong = (bytes: Uint8Array): string => {
    const parsed = parseSnapshot(bytes)
    return parsed.ok ? 'nothing' : parsed.what
  }
  /** The same file with another header. */
  const withHeader = (change: (header: string) => string): Uint8Array => {
    const start = 'GICscope snapshot\n'.length + 4
    const length = new DataView(file.buffer).getUint32(start - 4, true)
    const header = new TextEncoder().encode(change(new TextDecoder().decode(file.subarray(start, start + length))))
    const rest = file.subarray(start + length)
    const all = new Uint8Array(start + header.length + rest.length)
    all.set(file.subarray(0, start - 4))
    new DataView(all.buffer).setUint32(start - 4, header.length, true)
    all.set(header, start)
    all.set(rest, start + header.length)
    return all
  }

  it.each([
    ['empty', () => new Uint8Array(0), 'This file is no snapshot of GICscope.'],
    ['another file', () => new Uint8Array(5000).fill(7), 'This file is no snapshot of GICscope.'],
    ['cut in its header', () => file.subarray(0, 1000), 'The snapshot is truncated: its header is not all there.'],
    ['cut at its length', () => file.subarray(0, 20), 'The snapshot is truncated: its header is not all there.'],
    [
      'cut in its RAM',
      () => file.subarray(0, file.length - 1),
      /^The snapshot is truncated: of \d+ bytes of RAM it has \d+\.$/,
    ],
    ['longer', () => Uint8Array.from([...file, 0]), 'The snapshot has 1 bytes after its end.'],
    [
      'of another version',
      () => withHeader((text) => text.replace('"version":1', '"version":2')),
      "The snapshot's version must be 1, the only one there is; it is 2.",
    ],
    ['not JSON', () => withHeader((text) => text.slice(1)), 'The snapshot is damaged: its header is no JSON.'],
    [
      'of a machine with another number of vCPUs',
      () => withHeader((text) => text.replace('"vcpus":1', '"vcpus":2')),
      'image.vcpus has 1 entries; the blueprint has 2 vCPUs.',
    ],
    [
      'without a register',
      () => withHeader((text) => text.replace('"GICD_IROUTER40"', '"GICD_IROUTER99999"')),
      'gic.distributor has no GICD_IROUTER40.',
    ],
    [
      'with a register that does not exist',
      () => withHeader((text) => text.replace('"TPIDR_EL1"', '"TPIDR_EL7"')),
      'vcpus[0].registers has "TPIDR_EL7", which is no register.',
    ],
    [
      'with a value that is none',
      () => withHeader((text) => text.replace('"GICD_CTLR":"0x5', '"GICD_CTLR":"5')),
      /^gic\.distributor\.GICD_CTLR must be a number of 128 bits, as 0x and digits; it is "5/,
    ],
    [
      'with damaged RAM',
      () => {
        const bytes = Uint8Array.from(file)
        bytes.fill(0x55, file.length - 2000, file.length - 1000)
        return bytes
      },
      /^The snapshot('s RAM has|.* cannot be unpacked)/,
    ],
  ] as const)('that is %s is refused', (_, make, what) => {
    expect(whatIsWrong(make())).toMatch(what)
  })

  it('that is right is read, and writes itself again', () => {
    expect(whatIsWrong(file)).toBe('nothing')
    expect(writeSnapshot(snapshotOf(file))).toEqual(file)
  })

  it('without a device is refused', () => {
    const snapshot = snapshotOf(file)
    const start = { engine: 'interpreter', onConsole: () => {} } as const
    const bare = restoreVmm({ ...start, snapshot: { ...snapshot, devices: {} } })
    expect(bare.ok ? 'nothing' : bare.what).toBe('The snapshot has no state of the uart.')
    const empty = restoreVmm({ ...start, snapshot: { ...snapshot, devices: { uart: {}, rtc: {} } } })
    expect(empty.ok ? 'nothing' : empty.what).toBe(
      "The snapshot's uart: UARTILPR is missing, or is not what it should be.",
    )
  })
})
