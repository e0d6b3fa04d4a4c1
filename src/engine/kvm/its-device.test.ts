/**
 * The ITS device, as Documentation/virt/kvm/devices/arm-vgic-its.rst has it and arch/arm64/kvm/vgic/vgic-its.c does it;
 * KVM_SIGNAL_MSI as Documentation/virt/kvm/api.rst, 4.70.
 */
import { describe, expect, it } from 'vitest'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { DEVICE_TYPE, VGIC_ADDR, VGIC_CTRL, VGIC_GROUP } from '../../pure/uapi/vgic-attr.ts'
import { AT, INDIRECT, ITS, table, TestIts } from '../../testing/its/test-its.ts'
import { GICD, outcome, TestVm } from '../../testing/test-vm.ts'

const { ADDR, CTRL, ITS_REGS, DIST_REGS } = VGIC_GROUP
const L = 2 ** 40
const LPI = 8192
const VALID = 1n << 63n

const bare = (): TestVm => {
  const vm = new TestVm({ ruleSet: 'mainline' })
  vm.must(vm.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.ITS }))
  return vm
}
const setOn = (vm: TestVm, group: number, attr: bigint | number, value: bigint | number): string =>
  outcome(vm.kvm.execute({ call: 'KVM_SET_DEVICE_ATTR', its: 0, group, attr: BigInt(attr), value: BigInt(value) }))
const getOf = (vm: TestVm, group: number, attr: bigint | number): string => {
  const answer = vm.kvm.execute({ call: 'KVM_GET_DEVICE_ATTR', its: 0, group, attr: BigInt(attr) })
  return answer.ok ? (answer.value ?? 0n).toString(16) : answer.errno
}
const hasOn = (vm: TestVm, group: number, attr: bigint | number): string =>
  outcome(vm.kvm.execute({ call: 'KVM_HAS_DEVICE_ATTR', its: 0, group, attr: BigInt(attr) }))

describe('an ITS device', () => {
  it('wants a host with a GICv3, and nothing of the VM', () => {
    const create = (vm: TestVm, test = false): string =>
      outcome(vm.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.ITS, test }))
    expect(create(new TestVm({ ruleSet: 'mainline', host: HOST_PRESETS.H2, gic: 'none' }))).toBe('ENODEV')
    const early = new TestVm({ ruleSet: 'mainline', gic: 'none' })
    expect([create(early, true), create(early), create(early)]).toEqual(['0', '0', '0'])
    expect(early.kvm.devices.itses).toHaveLength(2)
    const late = new TestVm({ ruleSet: 'mainline' }).run()
    expect([create(late), late.machine.load(GICD + 4, 4)]).toEqual(['0', 0x7a_0007n])
  })

  it('is known before the GIC is', () => {
    const vm = new TestVm({
      ruleSet: 'mainline',
      beforeGic: ({ kvm }) => kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.ITS }),
    }).run()
    expect(vm.machine.load(GICD + 4, 4)).toBe(0x7a_0007n)
    expect(vm.machine.load(0x080a_0070, 8)).toBe(0x580n)
  })

  it('is written GICR_PROPBASER by its creation, whatever was there', () => {
    const vm = new TestVm({ ruleSet: 'mainline' }).run()
    vm.machine.store(0x080a_0070, 8, 0x4000_000fn)
    vm.must(vm.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.ITS }))
    expect(vm.machine.load(0x080a_0070, 8)).toBe(0x580n)
  })

  it('has one address, checked in order', () => {
    const vm = bare()
    const set = (base: number): string => setOn(vm, ADDR, VGIC_ADDR.ITS, base)
    expect(getOf(vm, ADDR, VGIC_ADDR.ITS)).toBe('ffffffffffffffff')
    // The rows of the vgic_init selftest (tools/testing/selftests/kvm/arm64/vgic_init.c: test_kvm_device()).
    expect([set(0x40_1000), set(L), set(L - 0x1_0000), set(0x40_0000), set(0x30_0000)]).toEqual([
      'EINVAL',
      'E2BIG',
      'E2BIG',
      '0',
      'EEXIST',
    ])
    expect(getOf(vm, ADDR, VGIC_ADDR.ITS)).toBe('400000')
    expect(vm.machine.load(0x40_ffe8, 4)).toBe(0x3bn)
  })

  it('cannot lie on the distributor here: a machine has one owner for each address', () => {
    const vm = bare().run()
    expect(setOn(vm, ADDR, VGIC_ADDR.ITS, GICD)).toBe('EINVAL')
    expect(getOf(vm, ADDR, VGIC_ADDR.ITS)).toBe('ffffffffffffffff')
  })

  it('has no other attribute', () => {
    const vm = bare()
    expect([hasOn(vm, ADDR, VGIC_ADDR.ITS), hasOn(vm, ADDR, VGIC_ADDR.V3_DIST), hasOn(vm, DIST_REGS, 0)]).toEqual([
      '0',
      'ENXIO',
      'ENXIO',
    ])
    expect([getOf(vm, ADDR, 2), setOn(vm, ADDR, 2, 0), getOf(vm, DIST_REGS, 0), setOn(vm, DIST_REGS, 0, 0)]).toEqual([
      'ENODEV',
      'ENODEV',
      'ENXIO',
      'ENXIO',
    ])
    const controls = [0n, 1n, 2n, 3n, 4n, 5n]
    expect(controls.map((attr) => hasOn(vm, CTRL, attr))).toEqual(['0', '0', '0', 'ENXIO', '0', 'ENXIO'])
    // vgic_its_ctrl() has no default: what it does not know is done.
    expect(controls.map((attr) => setOn(vm, CTRL, attr, 0))).toEqual(['0', '0', '0', '0', '0', '0'])
    expect(getOf(vm, CTRL, 0)).toBe('ENXIO')
  })

  it('that is not there is no file descriptor', () => {
    const vm = new TestVm({ ruleSet: 'mainline' })
    expect([getOf(vm, ADDR, 4), setOn(vm, CTRL, 0, 0), hasOn(vm, CTRL, 0)]).toEqual(['EBADF', 'EBADF', 'EBADF'])
  })
})

describe('ITS_REGS', () => {
  it('answers once there is an address; the offset is looked at before', () => {
    const vm = bare()
    expect([getOf(vm, ITS_REGS, 0x84), getOf(vm, ITS_REGS, 0x80), getOf(vm, ITS_REGS, 0x2000)]).toEqual([
      'EINVAL',
      'ENXIO',
      'ENXIO',
    ])
    setOn(vm, ADDR, VGIC_ADDR.ITS, 0x40_0000)
    expect([0, 4, 8, 0x80, 0x100, 0x108, 0x110, 0xffe8].map((offset) => getOf(vm, ITS_REGS, offset))).toEqual([
      '80000000',
      '4b00043b',
      '1ef71',
      '0',
      '1907000000000600',
      '1c07000000000600',
      '0',
      '3b',
    ])
  })

  it.each([
    [0x0, '0', '0'],
    [0x2, 'EINVAL', 'EINVAL'],
    [0x4, '0', '0'],
    [0xc, 'EINVAL', 'EINVAL'],
    [0x10, 'ENXIO', 'ENXIO'],
    [0x84, 'EINVAL', 'EINVAL'],
    [0x88, '0', '0'],
    [0x138, '0', '0'],
    [0x140, 'ENXIO', 'ENXIO'],
    [0xffcc, 'EINVAL', 'EINVAL'],
    [0xffc8, 'ENXIO', 'ENXIO'],
    [0xffd4, '0', '0'],
    [0xfffe, 'EINVAL', 'EINVAL'],
    [0x1_0040, 'ENXIO', 'ENXIO'],
  ])('of offset 0x%x is has %s, get %s', (offset, has, get) => {
    const t = new TestIts({ setUp: 'nothing' })
    expect(outcome(t.hasIts(ITS_REGS, offset))).toBe(has)
    expect(outcome(t.getIts(ITS_REGS, offset))).toBe(get)
    expect(outcome(t.setIts(ITS_REGS, offset, t.its(offset & ~7) & 0xffff_ffffn))).toBe(get)
  })

  it('chooses the layout of the tables with GITS_IIDR, of which there is one', () => {
    const t = new TestIts({ setUp: 'nothing' })
    const set = (value: bigint): string => outcome(t.setIts(ITS_REGS, 4, value))
    expect([set(0x4b00_043bn), set(0x4b00_143bn), set(0xf000n), set(0n)]).toEqual(['0', 'EINVAL', 'EINVAL', '0'])
    expect(t.its(4, 4)).toBe(0x4b00_043bn)
  })

  it('sets GITS_CREADR, unless the ITS is enabled or it lies beyond the ring', () => {
    const t = new TestIts({ setUp: 'nothing' })
    t.setItsRegister(0x80, VALID | BigInt(AT.ring))
    const set = (value: number): string => outcome(t.setIts(ITS_REGS, 0x90, BigInt(value)))
    expect([set(0x1000), set(0xfe0), t.its(0x90)]).toEqual(['EINVAL', '0', 0xfe0n])
    t.setIts(ITS_REGS, 0x100, table(AT.devices))
    t.setIts(ITS_REGS, 0x108, table(AT.collections))
    t.setIts(ITS_REGS, 0x88, 0xfe0n)
    t.setIts(ITS_REGS, 0, 1n)
    expect([set(0), t.its(0x90), t.its(0, 4)]).toEqual(['EBUSY', 0xfe0n, 0x8000_0001n])
  })

  it('ignores what is written to read-only registers', () => {
    const t = new TestIts({ setUp: 'nothing' })
    for (const offset of [8, 0xffe8]) expect(outcome(t.setIts(ITS_REGS, offset, 0n))).toBe('0')
    expect([t.its(8), t.its(0xffe8, 4)]).toEqual([0x1_ef71n, 0x3bn])
  })

  it('has commands done, as a guest has', () => {
    const t = new TestIts()
    t.mapDevice(3)
    t.setIts(ITS_REGS, 0, 0n)
    t.int(3, 0)
    expect(outcome(t.setIts(ITS_REGS, 0, 1n))).toBe('0')
    expect(t.its(0, 4)).toBe(0x8000_0001n)
  })
})

describe('KVM_SIGNAL_MSI', () => {
  const mapped = (): TestIts => {
    const t = new TestIts()
    t.configure(LPI)
    return t.mapDevice(7).mapCollection(0, 0).mapEvent(7, 0, LPI, 0)
  }

  it('checks in order: a GIC, the flags, an ITS, its address', () => {
    const none = new TestVm({ ruleSet: 'mainline', gic: 'none' })
    const without = new TestVm({ ruleSet: 'mainline' })
    const signal = (vm: TestVm, flags: number): string =>
      outcome(vm.kvm.execute({ call: 'KVM_SIGNAL_MSI', address: 0n, data: 0, flags, devid: 0 }))
    expect([signal(none, 1), signal(without, 2), signal(without, 1)]).toEqual(['EINVAL', 'EINVAL', 'ENODEV'])
    const t = mapped()
    expect(t.msi(7, 0, { flags: 0 })).toBe('EINVAL')
    expect([GICD, ITS - 4, ITS + 0x2_0000, AT.ring].map((address) => t.msi(7, 0, { address }))).toEqual(
      Array.from({ length: 4 }, () => 'EINVAL'),
    )
    // Any address of the two frames is the ITS.
    expect([ITS, ITS + 0x1_fffc].map((address) => t.msi(7, 0, { address }))).toEqual(['1', '1'])
  })

  it('answers 1 for delivered, 0 for what the guest blocks, and EBUSY where something is not enabled', () => {
    const t = mapped()
    expect([t.msi(7, 0), t.msi(7, 1), t.msi(6, 0)]).toEqual(['1', '0', '0'])
    t.setRedist(0, 0, 0n)
    expect(t.msi(7, 0)).toBe('EBUSY')
  })

  it('finds one of several ITSes by its address', () => {
    const t = mapped()
    t.must(t.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.ITS }))
    t.must(
      t.kvm.execute({ call: 'KVM_SET_DEVICE_ATTR', its: 1, group: ADDR, attr: VGIC_ADDR.ITS, value: 0x0a00_0000n }),
    )
    // Making it wrote GICR_PROPBASER; the LPI of the first stays configured as it was.
    expect([t.msi(7, 0, { address: 0x0a01_0040 }), t.msi(7, 0)]).toEqual(['EBUSY', '1'])
  })
})

describe('saved tables', () => {
  /** Two devices, three events, two collections. */
  const filled = (o: { devices?: bigint } = {}, base: '6.1' | '6.12' = '6.12'): TestIts => {
    const t = new TestIts({ setUp: 'lpis', base })
    t.setUpIts(o)
    for (let intid = LPI; intid < LPI + 4; intid++) t.configure(intid)
    t.mapDevice(9, 4).mapDevice(2, 5).mapCollection(3, 1).mapCollection(0, 2)
    return t
      .mapEvent(9, 0, LPI, 3)
      .mapEvent(2, 7, LPI + 1, 0)
      .mapEvent(2, 1, LPI + 2, 3)
  }
  const itt = (device: number, event: number): number => AT.itt + device * 0x1000 + event * 8

  it('lie in the guest as the documentation says', () => {
    const t = filled()
    expect(outcome(t.save())).toBe('0')
    const dte = (next: bigint, address: number, bits: bigint): bigint =>
      VALID | (next << 49n) | (BigInt(address >> 8) << 5n) | (bits - 1n)
    expect(t.doubleword(AT.devices + 2 * 8)).toBe(dte(7n, AT.itt + 0x2000, 5n))
    expect(t.doubleword(AT.devices + 9 * 8)).toBe(dte(0n, AT.itt + 0x9000, 4n))
    expect(t.doubleword(itt(2, 1))).toBe((6n << 48n) | (BigInt(LPI + 2) << 16n) | 3n)
    expect(t.doubleword(itt(2, 7))).toBe((BigInt(LPI + 1) << 16n) | 0n)
    expect(t.doubleword(itt(9, 0))).toBe((BigInt(LPI) << 16n) | 3n)
    expect([0, 8, 16].map((at) => t.doubleword(AT.collections + at))).toEqual([
      VALID | (1n << 16n) | 3n,
      VALID | (2n << 16n) | 0n,
      0n,
    ])
  })

  it('cap how far the next device is', () => {
    const t = new TestIts({ setUp: 'lpis' })
    t.setUpIts({ devices: table(AT.devices, 8) })
    t.mapDevice(0, 1, AT.itt).mapDevice(20_000, 1, AT.itt)
    t.save()
    expect((t.doubleword(AT.devices) >> 49n) & 0x3fffn).toBe(16383n)
  })

  it.each([
    ['one level', table(AT.devices)],
    ['two levels', table(AT.devices) | INDIRECT],
  ])('come back with %s', (_, devices) => {
    const t = filled({ devices: table(AT.devices) })
    const fresh = new TestIts({ setUp: 'lpis' })
    const page = AT.itt + 0x8_0000
    const source = devices === table(AT.devices) ? t : filledIndirect(page)
    source.msi(2, 7)
    source.must(source.setAttr(CTRL, VGIC_CTRL.SAVE_PENDING_TABLES, 0n))
    expect(outcome(source.save())).toBe('0')
    copyRam(source, fresh)
    fresh.setIts(ITS_REGS, 0x80, VALID | BigInt(AT.ring))
    fresh.setIts(ITS_REGS, 0x100, devices)
    fresh.setIts(ITS_REGS, 0x108, table(AT.collections))
    expect(outcome(fresh.restore())).toBe('0')
    fresh.setIts(ITS_REGS, 0, 1n)
    expect(fresh.taken()).toBe('2: 8193')
    expect([fresh.msi(9, 0), fresh.msi(2, 1), fresh.msi(2, 0)]).toEqual(['1', '1', '0'])
    expect(fresh.taken()).toBe('1: 8192 8194')
  })

  const filledIndirect = (page: number): TestIts => {
    const t = new TestIts({ setUp: 'lpis' })
    t.setUpIts({ devices: table(AT.devices) | INDIRECT })
    t.setDoubleword(AT.devices, VALID | BigInt(page))
    for (let intid = LPI; intid < LPI + 4; intid++) t.configure(intid)
    t.mapDevice(9, 4).mapDevice(2, 5).mapCollection(3, 1).mapCollection(0, 2)
    return t
      .mapEvent(9, 0, LPI, 3)
      .mapEvent(2, 7, LPI + 1, 0)
      .mapEvent(2, 1, LPI + 2, 3)
  }

  const copyRam = (from: TestIts, to: TestIts): void => {
    const [source, target] = [from, to].map((t) => t.machine.ram(0x4000_0000, 0x80_0000))
    if (source !== undefined) target?.set(source)
  }

  /** An ITS that was reset after it saved its tables, which were then changed by `harm`. */
  const restored = (harm: (t: TestIts) => void): TestIts => {
    const t = filled()
    t.save()
    t.setIts(CTRL, VGIC_CTRL.ITS_RESET, 0n)
    t.setIts(ITS_REGS, 0x100, table(AT.devices))
    t.setIts(ITS_REGS, 0x108, table(AT.collections))
    harm(t)
    return t
  }

  it.each<readonly [string, (t: TestIts) => void]>([
    ['nothing', () => {}],
    ['no tables', (t) => [0x100, 0x108].forEach((offset) => t.setIts(ITS_REGS, offset, 0n))],
    ['an entry of no event', (t) => t.setDoubleword(itt(9, 0), 0n)],
  ])('are restored with %s', (_, change) => {
    expect(outcome(restored(change).restore())).toBe('0')
  })

  it.each<readonly [string, (t: TestIts) => void, string]>([
    ['a collection twice', (t) => t.setDoubleword(AT.collections + 8, t.doubleword(AT.collections)), 'EEXIST'],
    [
      'a collection without a redistributor',
      (t) => t.setDoubleword(AT.collections, VALID | (9n << 16n) | 3n),
      'EINVAL',
    ],
    ['a collection beyond its table', (t) => t.setDoubleword(AT.collections, VALID | 8192n), 'EINVAL'],
    ['no collections', (t) => t.setDoubleword(AT.collections, 0n), 'EINVAL'],
    ['an SPI', (t) => t.setDoubleword(itt(9, 0), (8191n << 16n) | 3n), 'EINVAL'],
    ['an entry beyond its table', (t) => t.setDoubleword(itt(9, 0), (16n << 48n) | (8192n << 16n) | 3n), 'EINVAL'],
    ['EventIDs of 17 bits', (t) => t.setDoubleword(AT.devices + 16, t.doubleword(AT.devices + 16) | 16n), 'EINVAL'],
    ['events outside RAM', (t) => t.setDoubleword(AT.devices + 16, VALID | (0x1_0000_00n << 5n)), 'EFAULT'],
    ['devices outside RAM', (t) => t.setIts(ITS_REGS, 0x100, table(0x1000_0000)), 'EFAULT'],
    ['collections outside RAM', (t) => t.setIts(ITS_REGS, 0x108, table(0x1000_0000)), 'EFAULT'],
  ])('are refused with %s, and nothing of them is left', (_, harm, answer) => {
    const t = restored(harm)
    expect(outcome(t.restore())).toBe(answer)
    const { translations } = t.kvm.devices.itses[0]?.its ?? {}
    expect([translations?.devices.size, translations?.collections.size, translations?.count]).toEqual([0, 0, 0])
  })

  it('are not written where there is no place for them', () => {
    const t = filled({}, '6.1')
    t.setItsRegister(0, 0n, 4)
    t.setItsRegister(0x100, table(0x1000_0000))
    expect(outcome(t.save())).toBe('EINVAL')
    t.setItsRegister(0x100, table(AT.devices))
    t.setItsRegister(0x108, table(0x1000_0000))
    expect(outcome(t.save())).toBe('EFAULT')
  })

  it('cannot say that an event has no collection; Linux itself does not ask', () => {
    const t = filled()
    t.command('MAPC', { ICID: 3, RDbase: 0, V: 0 })
    expect(outcome(t.save())).toBe('EINVAL')
  })

  it('remember collections that are not mapped', () => {
    const t = new TestIts()
    t.configure(LPI)
    t.mapDevice(7).mapEvent(7, 0, LPI, 4)
    t.save()
    expect(t.doubleword(AT.collections)).toBe(VALID | (0xffff_ffffn << 16n) | 4n)
    t.setIts(CTRL, VGIC_CTRL.ITS_RESET, 0n)
    t.setUpIts()
    t.setItsRegister(0, 0n, 4)
    expect(outcome(t.restore())).toBe('0')
    expect(t.kvm.devices.itses[0]?.its.translations.collections.get(4)?.rdbase).toBeUndefined()
  })

  it('of pending LPIs are written bit by bit', () => {
    const t = filled()
    t.setTableBit(1, LPI)
    t.msi(2, 7)
    const save = (): string => outcome(t.setAttr(CTRL, VGIC_CTRL.SAVE_PENDING_TABLES, 0n))
    expect([save(), t.tableBit(1, LPI), t.tableBit(2, LPI + 1), t.tableBit(1, LPI + 2)]).toEqual(['0', 0, 1, 0])
    t.setRedist(2, 0, 0n)
    t.setRedist(2, 0x78, 0x1000_0000n, 8)
    expect(save()).toBe('EFAULT')
  })
})

describe('ITS_RESET', () => {
  it('leaves what the documentation promises', () => {
    const t = new TestIts()
    t.configure(LPI)
    t.mapDevice(7).mapCollection(0, 0).mapEvent(7, 0, LPI, 0)
    const before = [t.its(0x100), t.its(0x108)]
    expect(outcome(t.setIts(CTRL, VGIC_CTRL.ITS_RESET, 0n))).toBe('0')
    expect(t.its(0, 4)).toBe(0x8000_0000n)
    expect([t.its(0x80), t.its(0x88), t.its(0x90)]).toEqual([0n, 0n, 0n])
    expect([t.its(0x100), t.its(0x108)]).toEqual(before.map((value) => value & ~VALID))
    expect(t.kvm.vgic?.irq(0, LPI)).toBeUndefined()
  })
})
