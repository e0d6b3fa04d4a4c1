/** What a guest's commands do, each as its command in IHI 0069, 5.3, and where that leaves room, as KVM. */
import { describe, expect, it } from 'vitest'
import type { TestIts } from '../../../testing/its/test-its.ts'
import { AT, INDIRECT, table, TestIts as Vm } from '../../../testing/its/test-its.ts'

const LPI = 8192
const NOWHERE = 0x1_0000_0000

/** Device 7 with 32 events; collection n at CPU n; event 0 is LPI 8192 of collection 0. */
const mapped = (o: ConstructorParameters<typeof Vm>[0] = {}): TestIts => {
  const t = new Vm(o)
  for (let intid = LPI; intid < LPI + 8; intid++) t.configure(intid)
  t.mapDevice(7)
  for (const { index } of t.machine.cpus) t.mapCollection(index, index)
  return t.mapEvent(7, 0, LPI, 0)
}

/** The target of an LPI, or that there is none. */
/** Its record, when no vCPU's list holds on to it any more. */
const lpi = (t: TestIts, intid = LPI) => t.exit().kvm.vgic?.irq(0, intid)

describe('INT and a message', () => {
  it('make the LPI pending at the CPU of its collection', () => {
    const t = mapped()
    t.int(7, 0)
    expect(t.taken()).toBe('0: 8192')
    expect(t.msi(7, 0)).toBe('1')
    expect(t.machine.cpus.map(({ irqLevel }) => irqLevel)).toEqual([true, false, false, false])
    expect(t.taken()).toBe('0: 8192')
    expect(t.taken()).toBe('')
  })

  it('are one interrupt until it is acknowledged', () => {
    const t = mapped()
    t.int(7, 0).int(7, 0)
    t.msi(7, 0)
    expect(t.taken()).toBe('0: 8192')
  })

  it('may come again before the end of the one before: an LPI is never active', () => {
    const t = mapped()
    t.int(7, 0)
    const IAR1 = 0xc660
    expect(t.machine.mrs(0, IAR1)).toBe(8192n)
    expect(lpi(t)).toMatchObject({ active: false, queuedOn: -1 })
    t.int(7, 0)
    // The running priority holds it back until it drops.
    expect(t.machine.mrs(0, IAR1)).toBe(1023n)
    t.machine.msr(0, 0xc661, 8192n)
    expect(t.taken()).toBe('0: 8192')
  })

  it.each([
    ['of a device that is not mapped', 8, 0, '0'],
    ['of an event that is not mapped', 7, 1, '0'],
    ['of an event with more bits than any', 7, 0x1_0000, '0'],
    ['of a mapped one', 7, 0, '1'],
  ])('%s', (_, device, event, answer) => {
    const t = mapped()
    expect(t.msi(device, event)).toBe(answer)
    t.int(device, event)
    expect(t.taken()).toBe(answer === '1' ? '0: 8192' : '')
  })

  it('wait for the ITS and for LPIs at the redistributor to be enabled', () => {
    const t = mapped()
    t.setRedist(0, 0, 0n)
    expect(t.msi(7, 0)).toBe('EBUSY')
    t.int(7, 0)
    t.setRedist(0, 0, 1n)
    t.setItsRegister(0, 0n, 4)
    expect(t.msi(7, 0)).toBe('EBUSY')
    expect(t.taken()).toBe('')
    t.setItsRegister(0, 1n, 4)
    expect(t.msi(7, 0)).toBe('1')
  })

  it('arrive in the order of priority, five bits of it', () => {
    const t = mapped()
    t.configure(LPI + 1, 0x40)
    t.configure(LPI + 2, 0x84)
    t.mapEvent(7, 1, LPI + 1, 0).mapEvent(7, 2, LPI + 2, 0)
    t.int(7, 2).int(7, 0).int(7, 1)
    expect(lpi(t, LPI + 2)?.priority).toBe(0x84)
    expect(t.taken()).toBe('0: 8193 8194 8192')
  })
})

describe('MAPD', () => {
  it('wants a place in the device table and no more than 16 bits', () => {
    const t = mapped()
    t.mapDevice(8191).mapDevice(8192).mapDevice(1, 16).mapDevice(2, 17)
    expect([...(t.kvm.devices.itses[0]?.its.translations.devices.keys() ?? [])]).toEqual([7, 8191, 1])
  })

  it('again forgets the events', () => {
    const t = mapped()
    t.mapDevice(7)
    expect(t.msi(7, 0)).toBe('0')
    expect(lpi(t)).toBeUndefined()
  })

  it('without V forgets the device, and zeroes its place in the table', () => {
    const t = mapped()
    t.setDoubleword(AT.devices + 7 * 8, 0x1234n)
    t.command('MAPD', { DeviceID: 7, Size: 1, ITT_addr: 0, V: 0 })
    expect(t.doubleword(AT.devices + 7 * 8)).toBe(0n)
    expect(t.msi(7, 0)).toBe('0')
    expect(lpi(t)).toBeUndefined()
  })

  it('finds places through two levels', () => {
    const t = new Vm({ setUp: 'lpis' })
    t.setUpIts({ devices: table(AT.devices) | INDIRECT })
    t.setDoubleword(AT.devices + 8, (1n << 63n) | BigInt(AT.itt))
    t.setDoubleword(AT.devices + 16, BigInt(AT.itt))
    t.setDoubleword(AT.devices + 24, (1n << 63n) | BigInt(NOWHERE))
    for (const id of [0, 8191, 8192, 16383, 16384, 3 * 8192, 65535, 65536]) t.mapDevice(id, 5, AT.itt)
    expect([...(t.kvm.devices.itses[0]?.its.translations.devices.keys() ?? [])]).toEqual([8192, 16383])
  })
})

describe('MAPC', () => {
  it('moves the LPIs of a collection with it, pending ones as well', () => {
    const t = mapped()
    t.int(7, 0).mapCollection(0, 2)
    expect(lpi(t)?.target).toBe(2)
    expect(t.taken()).toBe('2: 8192')
  })

  it('wants a redistributor, and a place in the table', () => {
    const t = mapped()
    t.mapCollection(0, 4).mapCollection(8191, 1).mapCollection(8192, 1)
    const collections = t.kvm.devices.itses[0]?.its.translations.collections
    expect(collections?.get(0)?.rdbase).toBe(0)
    expect([...(collections?.keys() ?? [])]).toEqual([0, 1, 2, 3, 8191])
  })

  it('without V leaves the events without a redistributor for good', () => {
    const t = mapped()
    t.command('MAPC', { ICID: 0, RDbase: 0, V: 0 })
    expect(t.msi(7, 0)).toBe('0')
    t.mapCollection(0, 0)
    expect(t.msi(7, 0)).toBe('0')
    t.command('MOVI', { DeviceID: 7, EventID: 0, ICID: 1 }).command('DISCARD', { DeviceID: 7, EventID: 0 })
    expect(lpi(t)).toMatchObject({ target: 0 })
  })

  it.each([
    ['6.1', 0, 9],
    ['6.12', 5, 9],
  ] as const)('counts redistributors on the base %s by', (base, first, second) => {
    const t = new Vm({ base, ids: [5, 9] })
    t.configure(LPI)
    t.mapDevice(7).mapCollection(0, first).mapEvent(7, 0, LPI, 0)
    expect(lpi(t)?.target).toBe(0)
    t.mapCollection(0, base === '6.1' ? 1 : second)
    expect(lpi(t)?.target).toBe(1)
    t.mapCollection(0, base === '6.1' ? second : 0)
    expect(lpi(t)?.target).toBe(1)
  })
})

describe('MAPTI and MAPI', () => {
  it.each([
    ['the first LPI', 1, 8192, true],
    ['the last LPI', 1, 65535, true],
    ['an SPI', 1, 8191, false],
    ['no LPI', 1, 65536, false],
    ['the last event', 31, 8193, true],
    ['no event', 32, 8193, false],
  ])('map %s', (_, event, intid, there) => {
    const t = mapped()
    t.mapEvent(7, event, intid, 1)
    expect(lpi(t, intid) !== undefined && intid >= LPI).toBe(there)
    expect(t.msi(7, event)).toBe(there ? '1' : '0')
  })

  it('know as many LPIs as GICR_PROPBASER.IDbits says', () => {
    const t = new Vm()
    for (const { index } of t.machine.cpus) t.setRedist(index, 0, 0n)
    t.setRedist(0, 0x70, BigInt(AT.configuration) | 13n, 8)
    t.mapDevice(7).mapCollection(0, 0).mapEvent(7, 0, 16383, 0).mapEvent(7, 1, 16384, 0)
    expect([lpi(t, 16383)?.target, lpi(t, 16384)]).toEqual([0, undefined])
  })

  it('take the LPI of the same number', () => {
    const t = mapped()
    t.mapDevice(7, 16).command('MAPI', { DeviceID: 7, EventID: 8195, ICID: 3 })
    expect(t.msi(7, 8195)).toBe('1')
    expect(t.taken()).toBe('3: 8195')
  })

  it('leave what is mapped as it is', () => {
    const t = mapped()
    t.mapEvent(7, 0, LPI + 1, 1)
    t.int(7, 0)
    expect(t.taken()).toBe('0: 8192')
  })

  it('remember a collection that is mapped later; the LPI still has no CPU then', () => {
    const t = new Vm()
    t.configure(LPI)
    t.mapDevice(7).mapEvent(7, 0, LPI, 4)
    expect([t.msi(7, 0), lpi(t)?.target]).toEqual(['0', -1])
    t.mapCollection(4, 1)
    expect([t.msi(7, 0), t.taken()]).toEqual(['1', '1: 8192'])
  })

  it('of one LPI for two events: it stays where it was, and is gone with the second', () => {
    const t = mapped()
    t.mapEvent(7, 1, LPI, 2).int(7, 1)
    expect(t.taken()).toBe('0: 8192')
    t.command('DISCARD', { DeviceID: 7, EventID: 0 })
    expect(lpi(t)).toBeDefined()
    t.command('DISCARD', { DeviceID: 7, EventID: 1 })
    expect(lpi(t)).toBeUndefined()
  })

  it('take the pending bit out of the table', () => {
    const t = mapped()
    t.setTableBit(1, LPI + 1)
    t.mapEvent(7, 1, LPI + 1, 1)
    expect([t.tableBit(1, LPI + 1), t.taken()]).toEqual([0, '1: 8193'])
  })

  it('fail where the LPI tables are not in RAM', () => {
    const t = new Vm({ setUp: 'nothing' })
    t.run()
    t.setUpIts()
    t.mapDevice(7)
      .mapCollection(0, 0)
      .mapEvent(7, 0, LPI, 0)
      .mapEvent(7, 1, LPI + 1, 9)
    expect(t.kvm.devices.itses[0]?.its.translations.count).toBe(0)
    expect([...(t.kvm.devices.itses[0]?.its.translations.collections.keys() ?? [])]).toEqual([0])
  })

  it('fail where the table of events is not in RAM', () => {
    const t = new Vm()
    t.mapDevice(7, 5, NOWHERE).mapCollection(0, 0).mapEvent(7, 0, LPI, 0)
    expect(lpi(t)).toBeUndefined()
  })
})

describe('MOVI and MOVALL', () => {
  it('move an event, and what is pending', () => {
    const t = mapped()
    t.int(7, 0).command('MOVI', { DeviceID: 7, EventID: 0, ICID: 3 })
    expect(t.taken()).toBe('3: 8192')
    t.command('MOVI', { DeviceID: 7, EventID: 0, ICID: 9 })
      .command('MOVI', { DeviceID: 7, EventID: 1, ICID: 1 })
      .int(7, 0)
    expect(t.taken()).toBe('3: 8192')
  })

  it('move the LPIs of one redistributor', () => {
    const t = mapped()
    t.mapEvent(7, 1, LPI + 1, 1)
      .int(7, 0)
      .int(7, 1)
    t.command('MOVALL', { RDbase: 0, RDbase2: 2 })
    expect(t.taken()).toBe('1: 8193, 2: 8192')
    // The collections are where they were: an event that is moved goes back there.
    t.command('MOVI', { DeviceID: 7, EventID: 0, ICID: 0 }).int(7, 0)
    expect(t.taken()).toBe('0: 8192')
  })

  it('does nothing from a redistributor to itself, or where there is none', () => {
    const t = mapped()
    t.int(7, 0)
    for (const [RDbase, RDbase2] of [
      [1, 1],
      [0, 4],
      [4, 0],
    ] as const)
      t.command('MOVALL', { RDbase, RDbase2 })
    expect(t.taken()).toBe('0: 8192')
  })
})

describe('DISCARD and CLEAR', () => {
  it('forgets the event, and zeroes its place in the table', () => {
    const t = mapped()
    t.setDoubleword(AT.itt + 7 * 0x1000, 1n)
    t.command('DISCARD', { DeviceID: 7, EventID: 0 })
    expect([t.msi(7, 0), lpi(t), t.doubleword(AT.itt + 7 * 0x1000)]).toEqual(['0', undefined, 0n])
  })

  it('what is queued already is still delivered, as KVM holds on to it', () => {
    const t = mapped()
    t.int(7, 0).command('DISCARD', { DeviceID: 7, EventID: 0 })
    expect(t.taken()).toBe('0: 8192')
    expect(lpi(t)).toBeUndefined()
  })

  it('clears what is pending', () => {
    const t = mapped()
    t.int(7, 0).command('CLEAR', { DeviceID: 7, EventID: 0 })
    expect(t.taken()).toBe('')
  })
})

describe('INV, INVALL, GICR_INVLPIR and GICR_INVALLR', () => {
  const invalidations: readonly (readonly [string, (t: TestIts) => void])[] = [
    ['INV', (t) => t.command('INV', { DeviceID: 7, EventID: 0 })],
    ['INVALL', (t) => t.command('INVALL', { ICID: 0 })],
    ['GICR_INVLPIR of any redistributor', (t) => t.setRedist(2, 0xa0, BigInt(LPI), 8)],
    ['GICR_INVALLR', (t) => t.setRedist(0, 0xb0, 0n)],
  ]
  it.each(invalidations)('%s reads the configuration again', (_, invalidate) => {
    const t = mapped()
    t.int(7, 0).configure(LPI, 0x20, false)
    expect(lpi(t)).toMatchObject({ enabled: true, priority: 0x80 })
    invalidate(t)
    expect(lpi(t)).toMatchObject({ enabled: false, priority: 0x20, latch: true })
    expect(t.taken()).toBe('')
    t.configure(LPI, 0x20)
    invalidate(t)
    expect(t.taken()).toBe('0: 8192')
  })

  const misses: readonly (readonly [string, (t: TestIts) => void])[] = [
    ['INV of another event', (t) => t.command('INV', { DeviceID: 7, EventID: 1 })],
    ['INVALL of another collection', (t) => t.command('INVALL', { ICID: 1 })],
    ['INVALL of one that is not mapped', (t) => t.command('INVALL', { ICID: 9 })],
    ['the upper half of GICR_INVLPIR', (t) => t.setRedist(0, 0xa4, BigInt(LPI))],
    ['GICR_INVALLR of another redistributor', (t) => t.setRedist(1, 0xb0, 0n)],
    ['GICR_INVALLR without LPIs', (t) => (t.setRedist(0, 0, 0n), t.setRedist(0, 0xb0, 0n))],
  ]
  it.each(misses)('%s does not', (_, miss) => {
    const t = mapped()
    t.configure(LPI, 0x20, false)
    miss(t)
    expect(lpi(t)).toMatchObject({ enabled: true, priority: 0x80 })
  })
})

describe('GICR_CTLR.EnableLPIs', () => {
  it('takes the pending table for true', () => {
    const t = mapped()
    t.mapEvent(7, 1, LPI + 1, 0).int(7, 1)
    t.setRedist(0, 0, 0n)
    expect(t.taken()).toBe('')
    t.setTableBit(0, LPI)
    t.setRedist(0, 0, 1n)
    expect([t.taken(), t.tableBit(0, LPI)]).toEqual(['0: 8192', 1])
  })

  it('does not read it with GICR_PENDBASER.PTZ', () => {
    const t = mapped()
    t.setRedist(0, 0, 0n)
    t.setTableBit(0, LPI)
    t.setRedist(0, 0x78, (1n << 62n) | BigInt(AT.pending), 8)
    expect(t.redist(0, 0x78, 8) >> 62n).toBe(0n)
    t.setRedist(0, 0, 1n)
    expect(t.taken()).toBe('')
  })

  it('disabled, takes the pending state from what waits at the CPU, and only from that', () => {
    const t = mapped()
    t.configure(LPI + 1, 0x80, false)
    t.mapEvent(7, 1, LPI + 1, 0)
      .int(7, 0)
      .int(7, 1)
    t.setRedist(0, 0, 0n)
    expect([lpi(t)?.latch, lpi(t, LPI + 1)?.latch]).toEqual([false, true])
  })
})

describe('the ring of commands', () => {
  it('goes on at its start, after as many commands as it has room for', () => {
    const t = new Vm({ setUp: 'lpis' })
    t.setUpIts({ ringPages: 1 })
    for (let id = 0; id < 300; id++) t.mapDevice(id, 5, AT.itt)
    expect(t.kvm.devices.itses[0]?.its.translations.devices.size).toBe(300)
    expect([t.its(0x90), t.its(0x88)]).toEqual([BigInt((300 % 128) * 32), BigInt((300 % 128) * 32)])
  })

  it('passes over what is no command, and over what lies outside RAM', () => {
    const t = mapped()
    for (const code of [0n, 0x02n, 0x29n, 0xffn]) t.raw([code, 0n, 0n, 0n])
    expect(t.msi(7, 0)).toBe('1')
    t.setItsRegister(0, 0n, 4)
    t.setItsRegister(0x80, (1n << 63n) | BigInt(NOWHERE))
    t.setItsRegister(0, 1n, 4)
    t.setItsRegister(0x88, 0x40n)
    expect(t.its(0x90)).toBe(0x40n)
  })

  it('waits while the ITS is off', () => {
    const t = mapped()
    t.setItsRegister(0, 0n, 4)
    t.int(7, 0)
    expect([t.its(0, 4), t.taken()]).toEqual([0n, ''])
    t.setItsRegister(0, 1n, 4)
    expect([t.its(0, 4), t.taken()]).toEqual([0x8000_0001n, '0: 8192'])
  })
})
