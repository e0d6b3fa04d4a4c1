/** Guests that mean harm: an ITS neither hangs, nor grows without bound, nor leaves the guest's memory. */
import { describe, expect, it } from 'vitest'
import { encodeCommand } from '../../pure/arch/gic/its-commands.ts'
import { MAX_TRANSLATIONS } from '../../engine/gic/its/translation.ts'
import { outcome } from '../test-vm.ts'
import { AT, INDIRECT, table, TestIts } from './test-its.ts'

const VALID = 1n << 63n
const MIB = 2 ** 20
/** Behind everything else in the RAM of these guests. */
const BIG = { ring: 0x4100_0000, devices: 0x4200_0000, itt: 0x4300_0000 } as const
/** GITS_CBASER.Size counts up to 256 pages: 32768 commands, one of which stays free. */
const RING_PAGES = 256
const RING_COMMANDS = 32767
const LPI_COUNT = 65536 - 8192
/** Virtual nanoseconds for each LPI of an operation on all: a few looks at it. */
const MOST_NS_EACH = 500
const TIMEOUT = 120_000

/** Everything there can be of it: all LPIs enabled, all devices, the largest ring. */
const large = (): TestIts => {
  const t = new TestIts({ base: '6.8', ram: 64 * MIB, setUp: 'lpis' })
  t.machine.ram(AT.configuration, LPI_COUNT)?.fill(0x81)
  t.setUpIts({ devices: table(BIG.devices, 8), ring: BIG.ring, ringPages: RING_PAGES })
  return t.mapCollection(0, 0).mapCollection(1, 1)
}

/** One device with all the LPIs there are, in a collection. */
const withEveryLpi = (): TestIts => {
  const t = large().mapDevice(0, 16, BIG.itt)
  const map = (n: number) => encodeCommand('MAPTI', { DeviceID: 0, EventID: n, pINTID: 8192 + n, ICID: 0 })
  t.flood(map, RING_COMMANDS)
  return t.flood((n) => map(RING_COMMANDS + n), LPI_COUNT - RING_COMMANDS)
}

/** Lets the rest of the ring be worked off, turn by turn: how many, and the most virtual nanoseconds of one. */
const turns = (t: TestIts): { turns: number; longest: number } => {
  const { clock } = t.machine
  let count = 0
  let longest = 0
  while (clock.waiting > 0) {
    const before = clock.now()
    clock.to(before + 1)
    longest = Math.max(longest, clock.now() - before)
    count++
  }
  return { turns: count, longest }
}

const its = (t: TestIts) => {
  const [device] = t.kvm.devices.itses
  if (device === undefined) throw new Error('there is no ITS')
  return device.its
}

describe('tables', () => {
  it.each([
    ['in no RAM', table(0x1000_0000)],
    ['at the end of the address space', table(0xffff_ffff_0000)],
    ['that leave RAM', table(0x407f_0000, 256)],
    ['whose first level is its own second', table(AT.devices) | INDIRECT],
    ['of 256 pages of first levels', table(AT.devices, 256) | INDIRECT],
  ])('%s cost no more than looking at one entry', (_, devices) => {
    const t = new TestIts({ setUp: 'lpis' })
    // Every first-level entry points at the first level.
    for (let i = 0; i < 8192; i++) t.setDoubleword(AT.devices + i * 8, VALID | BigInt(AT.devices))
    t.setUpIts({ devices })
    const before = t.machine.clock.now()
    for (const id of [0, 1, 8191, 8192, 65535, 65536, 0xffff_ffff]) t.mapDevice(id, 16, 0xf_ffff_ffff_ff00)
    expect(t.machine.clock.now() - before).toBeLessThan(1000)
    expect(its(t).translations.devices.size).toBeLessThan(7)
    t.save()
    expect(t.restore().ok).toBe(false)
  })

  it('that share their pages are given up after as many entries as real ones can have', { timeout: TIMEOUT }, () => {
    const t = new TestIts({ ram: 64 * MIB, setUp: 'lpis' })
    t.setUpIts({ devices: table(BIG.devices, 8) })
    t.mapCollection(0, 0)
    t.setItsRegister(0, 0n, 4)
    t.save()
    // 65536 devices, all with one table of 65536 events, none of which is valid.
    for (let id = 0; id < 65536; id++) {
      t.setDoubleword(BIG.devices + id * 8, VALID | (1n << 49n) | (BigInt(BIG.itt >> 8) << 5n) | 15n)
    }
    t.setItsRegister(0x108, table(AT.collections) & ~VALID)
    t.setItsRegister(0x108, table(AT.collections))
    expect(outcome(t.restore())).toBe('ENOMEM')
    expect([its(t).translations.devices.size, its(t).translations.collections.size]).toEqual([0, 0])
  })

  it('are all an ITS writes to, and pending tables', () => {
    const t = new TestIts()
    t.mapDevice(0, 16, 0x407f_ff00).mapCollection(0, 0)
    // The table of events runs off the end of RAM: only its first 32 entries are there.
    for (const event of [31, 32, 65535]) t.mapEvent(0, event, 8192 + event, 0)
    expect(its(t).translations.count).toBe(1)
    expect(outcome(t.save())).toBe('0')
  })
})

describe('devices and events', () => {
  it('can be 65536, each as it was mapped', { timeout: TIMEOUT }, () => {
    const t = large()
    const map = (n: number) => encodeCommand('MAPD', { DeviceID: n, Size: 1, ITT_addr: BIG.itt, V: 1 })
    for (let first = 0; first < 65536; first += 0x4000) t.flood((n) => map(first + n), 0x4000)
    expect(its(t).translations.devices.size).toBe(65536)
    expect(outcome(t.save())).toBe('0')
    t.setItsRegister(0, 0n, 4)
    t.setItsRegister(0x100, 0n)
    expect(its(t).translations.devices.size).toBe(0)
  })

  it('are bounded where tables lie on top of each other', { timeout: TIMEOUT }, () => {
    const t = large()
    for (let id = 0; id < 9; id++) t.mapDevice(id, 16, BIG.itt)
    for (let block = 0; block < 9; block++) {
      const map = (n: number) => encodeCommand('MAPTI', { DeviceID: block, EventID: n, pINTID: 8192 + n, ICID: 0 })
      t.flood(map, RING_COMMANDS)
    }
    expect(its(t).translations.count).toBe(MAX_TRANSLATIONS)
    t.command('DISCARD', { DeviceID: 0, EventID: 0 }).mapEvent(8, 40000, 8192, 0)
    expect(t.msi(8, 40000)).toBe('1')
  })
})

describe('commands that look at much', () => {
  it.each([
    ['MAPC', (n: number) => encodeCommand('MAPC', { ICID: 0, RDbase: n % 4, V: 1 })],
    ['MOVALL', (n: number) => encodeCommand('MOVALL', { RDbase: n % 4, RDbase2: (n + 1) % 4 })],
    ['INVALL', () => encodeCommand('INVALL', { ICID: 0 })],
  ] as const)('%s: a full ring of them lets others have their turn', { timeout: TIMEOUT }, (_, command) => {
    const t = withEveryLpi()
    const count = 16
    t.flood(command, count)
    // The store that started it comes back with work left, and the ITS says so.
    expect(t.its(0x90)).not.toBe(t.its(0x88))
    expect(t.its(0, 4)).toBe(1n)
    const { turns: taken, longest } = turns(t)
    expect(t.its(0x90)).toBe(t.its(0x88))
    expect(taken).toBeGreaterThan(count / 4)
    expect(longest).toBeLessThan(20e6)
  })

  it('a ring of ordinary commands is worked off at once', () => {
    const t = large().mapDevice(0, 16, BIG.itt)
    t.flood((n) => encodeCommand('MAPTI', { DeviceID: 0, EventID: n, pINTID: 8192 + n, ICID: 0 }), RING_COMMANDS)
    expect([t.its(0x90), t.machine.clock.waiting]).toEqual([t.its(0x88), 0])
  })

  it('goes on after the ITS was off and on again, and stops with it', () => {
    const t = withEveryLpi()
    t.flood(() => encodeCommand('INVALL', { ICID: 0 }), 8)
    t.setItsRegister(0, 0n, 4)
    const at = t.its(0x90)
    turns(t)
    expect(t.its(0x90)).toBe(at)
    t.setItsRegister(0, 1n, 4)
    turns(t)
    expect(t.its(0x90)).toBe(t.its(0x88))
  })
})

describe('every LPI there is, pending at one CPU', () => {
  it('moves, is masked and comes back in the time that it takes to look at each', { timeout: TIMEOUT }, () => {
    const t = withEveryLpi()
    const { clock } = t.machine
    t.machine.store(0x0800_0000, 4, 0n)
    for (let n = 0; n < LPI_COUNT; n++) t.msi(0, n)
    const spent = (act: () => void): number => {
      const before = clock.now()
      act()
      t.exit()
      return (clock.now() - before) / LPI_COUNT
    }
    // A pending LPI that is not forwarded is not queued: GICD_CTLR alone brings nothing.
    t.machine.store(0x0800_0000, 4, 2n)
    const costs = [
      spent(() => t.setRedist(0, 0xb0, 0n)),
      spent(() => t.command('MOVALL', { RDbase: 0, RDbase2: 1 })),
      spent(() => t.machine.store(0x0800_0000, 4, 0n)),
      spent(() => t.machine.store(0x0800_0000, 4, 2n)),
      spent(() => t.setRedist(1, 0xb0, 0n)),
      spent(() => t.command('MAPC', { ICID: 0, RDbase: 2, V: 1 })),
      spent(() => t.setRedist(2, 0, 0n)),
    ]
    expect(costs.every((each) => each <= MOST_NS_EACH)).toBe(true)
    expect(t.kvm.vgic?.irq(0, 8192)).toMatchObject({ latch: false, target: 2, queuedOn: -1 })
  })
})
