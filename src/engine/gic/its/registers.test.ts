/** The registers of an ITS and of LPIs; values with all digits were read on real KVM (Linux 6.1 and 6.12). */
import { describe, expect, it } from 'vitest'
import { AT, INDIRECT, table, TestIts } from '../../../testing/its/test-its.ts'
import { TestVm } from '../../../testing/test-vm.ts'

const ALL_ONES = 0xffff_ffff_ffff_ffffn
const CTLR = 0x0
const CBASER = 0x80
const CWRITER = 0x88
const CREADR = 0x90
const BASER0 = 0x100
const BASER1 = 0x108
const fresh = (): TestIts => new TestIts({ setUp: 'nothing' })

describe('the registers of an ITS', () => {
  it('hold at first what they hold on real KVM', () => {
    const t = fresh()
    expect(t.its(CTLR, 4)).toBe(0x8000_0000n)
    expect(t.its(0x4, 4)).toBe(0x4b00_043bn)
    expect(t.its(0x8)).toBe(0x1_ef71n)
    expect(t.its(CBASER)).toBe(0n)
    expect(t.its(BASER0)).toBe(0x1907_0000_0000_0600n)
    expect(t.its(BASER1)).toBe(0x1c07_0000_0000_0600n)
    expect(t.its(0x110)).toBe(0n)
    expect(t.its(0xffe8, 4)).toBe(0x3bn)
  })

  it('identify an Arm part with a page of 64 KiB', () => {
    const t = fresh()
    const offsets = [0xffd0, 0xffe0, 0xffe4, 0xffe8, 0xffec, 0xfff0, 0xfff4, 0xfff8, 0xfffc]
    expect(offsets.map((offset) => t.its(offset, 4))).toEqual([
      0x40n,
      0x92n,
      0xb4n,
      0x3bn,
      0n,
      0x0dn,
      0xf0n,
      0x05n,
      0xb1n,
    ])
  })

  it('keep their type, their entry size and pages of 64 KiB, and the attributes that KVM supports', () => {
    const t = fresh()
    for (const offset of [BASER0, BASER1, 0x110, CBASER]) t.setItsRegister(offset, ALL_ONES)
    // InnerCache 7, OuterCache 0, Type 1 or 4, eight bytes an entry, Page_Size 2; collections are never indirect.
    expect(t.its(BASER0)).toBe(0xf907_ffff_ffff_feffn)
    expect(t.its(BASER1)).toBe(0xbc07_ffff_ffff_feffn)
    expect(t.its(0x110)).toBe(0n)
    expect(t.its(CBASER)).toBe(0xff1f_ffff_ffff_0fffn)
  })

  it('are written and read by halves', () => {
    const t = fresh()
    t.setItsRegister(BASER0, 0x4002_0003n, 4)
    t.setItsRegister(BASER0 + 4, 0xc000_0000n, 4)
    expect(t.its(BASER0)).toBe(0xd907_0000_4002_0203n)
    expect([t.its(BASER0, 4), t.its(BASER0 + 4, 4)]).toEqual([0x4002_0203n, 0xd907_0000n])
    expect(t.machine.load(0x0808_0000 + BASER0, 2)).toBe(0n)
    expect(t.machine.load(0x0808_0000 + BASER0 + 4, 8)).toBe(0n)
  })

  it('enable it only where it has a ring and both tables', () => {
    const parts = [
      [BASER0, table(AT.devices)],
      [BASER1, table(AT.collections)],
      [CBASER, table(AT.ring)],
    ] as const
    for (const [missing] of parts) {
      const t = fresh()
      for (const [offset, value] of parts) if (offset !== missing) t.setItsRegister(offset, value)
      t.setItsRegister(CTLR, 1n, 4)
      expect(t.its(CTLR, 4)).toBe(0x8000_0000n)
    }
    const t = new TestIts()
    expect(t.its(CTLR, 4)).toBe(0x8000_0001n)
  })

  it('are read-only while it is enabled', () => {
    const t = new TestIts()
    const before = [BASER0, BASER1, CBASER].map((offset) => t.its(offset))
    for (const offset of [BASER0, BASER1, CBASER]) t.setItsRegister(offset, 0n)
    expect([BASER0, BASER1, CBASER].map((offset) => t.its(offset))).toEqual(before)
  })

  it('take GITS_CWRITER only within the ring, in steps of a command', () => {
    const t = new TestIts()
    t.setItsRegister(0, 0n, 4)
    t.setItsRegister(CWRITER, 0xffe0n)
    expect(t.its(CTLR, 4)).toBe(0n)
    t.setItsRegister(CWRITER, 0x1_0000n)
    expect(t.its(CWRITER)).toBe(0xffe0n)
    t.setItsRegister(CWRITER, 0xfff0_0000_0000_005fn)
    expect(t.its(CWRITER)).toBe(0x40n)
    t.setItsRegister(CREADR, 0x40n)
    expect(t.its(CREADR)).toBe(0n)
    t.setItsRegister(CBASER, t.its(CBASER))
    expect([t.its(CREADR), t.its(CWRITER), t.its(CTLR, 4)]).toEqual([0n, 0n, 0x8000_0000n])
  })

  it('forget devices or collections with a table that is not valid', () => {
    const t = new TestIts()
    t.configure(8192)
    t.mapDevice(1).mapCollection(0, 0).mapEvent(1, 0, 8192, 0)
    t.setItsRegister(CTLR, 0n, 4)
    t.setItsRegister(BASER1, 0n)
    t.setUpIts()
    expect(t.msi(1, 0)).toBe('0')
    t.mapCollection(0, 0)
    // The event belongs to no collection now, whichever is mapped again.
    expect(t.msi(1, 0)).toBe('0')
    t.setItsRegister(CTLR, 0n, 4)
    t.setItsRegister(BASER0, 0n)
    t.setUpIts({ devices: table(AT.devices) | INDIRECT })
    expect(t.kvm.devices.itses[0]?.its.translations.devices.size).toBe(0)
  })

  it.each([
    ['6.1', '1'],
    ['6.12', '0'],
  ] as const)('on the base %s a table that becomes larger keeps what is mapped: %s', (base, answer) => {
    const t = new TestIts({ base })
    t.configure(8192)
    t.mapDevice(1).mapCollection(0, 0).mapEvent(1, 0, 8192, 0)
    t.setItsRegister(CTLR, 0n, 4)
    t.setItsRegister(BASER0, t.its(BASER0))
    t.setItsRegister(CTLR, 1n, 4)
    expect(t.msi(1, 0)).toBe('1')
    t.setItsRegister(CTLR, 0n, 4)
    t.setItsRegister(BASER0, t.its(BASER0) + 1n)
    t.setItsRegister(CTLR, 1n, 4)
    expect(t.msi(1, 0)).toBe(answer)
  })

  it('have nothing at GITS_TRANSLATER for a CPU', () => {
    const t = new TestIts()
    t.configure(8192)
    t.mapDevice(0).mapCollection(0, 0).mapEvent(0, 0, 8192, 0)
    t.machine.store(0x0808_0000 + 0x1_0040, 4, 0n)
    expect(t.machine.load(0x0808_0000 + 0x1_0040, 4)).toBe(0n)
    expect(t.taken()).toBe('')
  })
})

describe('the GIC of a VM with an ITS', () => {
  it('says so', () => {
    const t = fresh()
    expect(t.run().machine.load(0x0800_0004, 4)).toBe(0x007a_0007n)
    expect(t.redist(3, 8)).toBe(0x311n)
    const without = new TestVm({ ruleSet: 'mainline' }).run()
    expect(without.machine.load(0x0800_0004, 4)).toBe(0x0048_0007n)
    expect(without.machine.load(0x080a_0000 + 3 * 0x20000 + 8, 4)).toBe(0x310n)
  })

  it('has GICR_PROPBASER and GICR_PENDBASER, which do not change while LPIs are enabled', () => {
    const t = fresh()
    t.run()
    expect([t.redist(0, 0x70, 8), t.redist(0, 0x78, 8)]).toEqual([0x580n, 0x580n])
    t.setRedist(0, 0x70, ALL_ONES, 8)
    t.setRedist(0, 0x78, ALL_ONES, 8)
    expect(t.redist(1, 0x70, 8)).toBe(0x000f_ffff_ffff_ff9fn)
    expect(t.redist(0, 0x78, 8)).toBe(0x000f_ffff_ffff_0f80n)
    t.setRedist(0, 0, 0xffff_ffffn)
    expect(t.redist(0, 0)).toBe(7n)
    t.setRedist(0, 0x70, 0n, 8)
    t.setRedist(0, 0x78, 0n, 8)
    expect(t.redist(0, 0x70, 8)).toBe(0x000f_ffff_ffff_ff9fn)
    expect(t.redist(0, 0x78, 8)).toBe(0x000f_ffff_ffff_0f80n)
    // Another CPU, whose LPIs are not enabled, may still write the one GICR_PROPBASER there is.
    t.setRedist(1, 0x70, 0x4004_000fn, 8)
    expect(t.redist(0, 0x70, 8)).toBe(0x4004_018fn)
  })

  it('cannot enable LPIs without one', () => {
    const without = new TestVm({ ruleSet: 'mainline' }).run()
    without.machine.store(0x080a_0000, 4, 1n)
    expect(without.machine.load(0x080a_0000, 4)).toBe(6n)
  })
})
