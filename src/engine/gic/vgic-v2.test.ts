/** The vGICv2 as a guest and as userspace see it (arch/arm64/kvm/vgic/vgic-mmio-v2.c; GIC architecture IHI 0048). */
import { describe, expect, it } from 'vitest'
import { GICC, TestVgicV2 } from '../../testing/test-vgic-v2.ts'

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')

const IGROUPR1 = 0x84
const ISENABLER1 = 0x104
const ISPENDR0 = 0x200
const ISPENDR1 = 0x204
const ICPENDR0 = 0x280
const ISACTIVER1 = 0x304
const IPRIORITYR = 0x400
const ITARGETSR = 0x800
const SGIR = 0xf00
const CPENDSGIR = 0xf10
const SPENDSGIR = 0xf20
/** SPI 40 in a bank of one bit each. */
const SPI_40 = 1 << 8
const SPURIOUS = 1023

/** All edge, enabled, and routed to CPU 0. */
const withSpi = (t: TestVgicV2, intid: number): TestVgicV2 => t.setDist(ISENABLER1, 1 << (intid - 32))

describe('a GICv2 distributor', () => {
  it('says how many CPUs and interrupts there are, and who made it', () => {
    const t = new TestVgicV2()
    expect([0, 4, 8].map((offset) => hex(t.dist(offset)))).toEqual(['00000000', '00000067', '4b00343b'])
    t.setDist(4, -1).setDist(8, -1).setDist(0, -1)
    expect([0, 4, 8].map((offset) => hex(t.dist(offset)))).toEqual(['00000001', '00000067', '4b00343b'])
  })

  it('has no identification registers, and nothing between its banks', () => {
    const t = new TestVgicV2()
    for (const offset of [0xc, 0x10, 0xd00, 0xfe8, 0xffc]) {
      t.setDist(offset, -1)
      expect([offset, t.dist(offset)]).toEqual([offset, 0])
    }
  })

  it('begins with every interrupt in Group 0 and with no target', () => {
    const t = new TestVgicV2()
    expect([t.dist(0x80), t.dist(IGROUPR1), t.dist(ITARGETSR + 40)]).toEqual([0, 0, 0])
    t.setDist(IGROUPR1, SPI_40)
    expect(t.dist(IGROUPR1)).toBe(SPI_40)
  })

  it('shows each CPU itself as the target of its private interrupts, and lets nobody change that', () => {
    const t = new TestVgicV2()
    for (let cpu = 0; cpu < 4; cpu++) {
      t.setDist(ITARGETSR, -1, { cpu }).setDist(ITARGETSR + 28, 0, { cpu })
      const own = hex((0x0101_0101 << cpu) >>> 0)
      expect([t.dist(ITARGETSR, { cpu }), t.dist(ITARGETSR + 28, { cpu })].map(hex)).toEqual([own, own])
    }
  })

  it('keeps of a target mask the CPUs that are there, byte by byte', () => {
    const t = new TestVgicV2({ ids: [0, 1, 2] })
    t.setDist(ITARGETSR + 40, -1)
    expect(hex(t.dist(ITARGETSR + 40))).toBe('07070707')
    t.setDist(ITARGETSR + 41, 0xfa, { width: 1 })
    expect(hex(t.dist(ITARGETSR + 40))).toBe('07070207')
    expect(t.dist(ITARGETSR + 41, { width: 1 })).toBe(2)
    t.setDist(ITARGETSR + 40, 0x0103, { width: 2 })
    expect(hex(t.dist(ITARGETSR + 40))).toBe('07070207')
  })

  it('has five bits of priority and nothing beyond its last interrupt', () => {
    const t = new TestVgicV2({ nrIrqs: 96 })
    t.setDist(IPRIORITYR + 92, -1).setDist(IPRIORITYR + 94, 0x2d, { width: 1 })
    expect(hex(t.dist(IPRIORITYR + 92))).toBe('f828f8f8')
    for (const bank of [IPRIORITYR, ITARGETSR]) {
      t.setDist(bank + 96, -1)
      expect(t.dist(bank + 96)).toBe(0)
    }
  })

  it('sends an SPI to the lowest CPU of its mask, and to the first for an empty one', () => {
    for (const [mask, cpu] of [
      [0x06, 1],
      [0x0c, 2],
      [0, 0],
    ] as const) {
      const t = withSpi(new TestVgicV2().start(), 40)
      t.setDist(ITARGETSR + 40, mask, { width: 1 }).setDist(ISPENDR1, SPI_40)
      expect([mask, t.irq.indexOf(true), t.irq.filter(Boolean).length]).toEqual([mask, cpu, 1])
      expect(t.gicc(cpu, GICC.IAR)).toBe(40)
      expect(t.dist(ISACTIVER1)).toBe(SPI_40)
      t.setGicc(cpu, GICC.EOIR, 40)
      expect([t.dist(ISACTIVER1), t.irq.includes(true)]).toEqual([0, false])
    }
  })
})

describe('an SGI of a GICv2', () => {
  const received = (t: TestVgicV2, intid: number): number[] =>
    [...t.irq.keys()].filter((cpu) => t.vgic.irq(cpu, intid)?.latch)
  const sgir = (intid: number, targets: number, filter = 0): number => intid | (targets << 16) | (filter << 24)

  it('goes to the list, to all others, or to the writer', () => {
    const t = new TestVgicV2().start()
    t.setDist(SGIR, sgir(5, 0xf6), { cpu: 0 })
    t.setDist(SGIR, sgir(6, 0x04, 1), { cpu: 1 })
    t.setDist(SGIR, sgir(7, 0, 2), { cpu: 2 })
    t.setDist(SGIR, sgir(8, 0xff, 3), { cpu: 2 })
    expect([5, 6, 7, 8].map((intid) => received(t, intid))).toEqual([[1, 2], [0, 2, 3], [2], []])
  })

  it('is delivered once for each source, and says which', () => {
    const t = new TestVgicV2().start()
    for (const cpu of [3, 1, 2]) t.setDist(SGIR, sgir(4, 0x01), { cpu })
    expect(t.dist(SPENDSGIR + 4, { width: 1 })).toBe(0b1110)
    const seen: number[] = []
    while (t.irq[0] === true) {
      expect(t.gicc(0, GICC.HPPIR) & 0x3ff).toBe(4)
      const iar = t.gicc(0, GICC.IAR)
      expect(t.gicc(0, GICC.IAR)).toBe(SPURIOUS)
      seen.push(iar)
      t.setGicc(0, GICC.EOIR, iar)
    }
    expect(seen).toEqual([1, 2, 3].map((source) => 4 | (source << 10)))
    expect(t.dist(SPENDSGIR + 4, { width: 1 })).toBe(0)
  })

  it('pends from CPUs that GICD_SPENDSGIR names until GICD_CPENDSGIR takes the last one away', () => {
    const t = new TestVgicV2().start()
    t.setDist(SPENDSGIR, 0x0003_0000, { cpu: 1 })
    expect([hex(t.dist(CPENDSGIR, { cpu: 1 })), t.dist(SPENDSGIR), t.irq]).toEqual([
      '00030000',
      0,
      [false, true, false, false],
    ])
    t.setDist(CPENDSGIR + 2, 1, { cpu: 1, width: 1 })
    expect([t.dist(SPENDSGIR + 2, { cpu: 1, width: 1 }), t.irq[1]]).toEqual([2, true])
    t.setDist(CPENDSGIR + 2, 2, { cpu: 1, width: 1 })
    expect(t.irq[1]).toBe(false)
  })

  it('does not pend by GICD_ISPENDR, from a guest', () => {
    const t = new TestVgicV2().start()
    t.setDist(ISPENDR0, 0x0001_0010)
    expect(hex(t.dist(ISPENDR0))).toBe('00010000')
    t.setDist(SGIR, sgir(4, 1)).setDist(ICPENDR0, 0x10)
    expect(hex(t.dist(ISPENDR0))).toBe('00010010')
  })

  it('of many sources is seen before anything less urgent', () => {
    const t = withSpi(new TestVgicV2({ ids: [0, 1, 2, 3] }).start(1 | (1 << 9)), 40)
    t.setDist(IPRIORITYR + 40, 0x80, { width: 1 }).setDist(IPRIORITYR + 4, 0x40, { width: 1 })
    t.setDist(ISPENDR1, SPI_40)
    for (const cpu of [1, 2]) t.setDist(SGIR, sgir(4, 0x01), { cpu })
    const first = t.gicc(0, GICC.IAR)
    t.setGicc(0, GICC.EOIR, first)
    // EOImode 1: the SGI is still active, and so its second source and what is less urgent wait.
    expect([first, t.gicc(0, GICC.IAR)]).toEqual([4 | (1 << 10), SPURIOUS])
    t.setGicc(0, 0x1000, first)
    expect([t.gicc(0, GICC.IAR), t.gicc(0, GICC.IAR)]).toEqual([4 | (2 << 10), SPURIOUS])
  })
})

describe('a GICv2 CPU interface', () => {
  it('tells of Group 1 without acknowledging it, unless AckCtl is set', () => {
    const t = withSpi(new TestVgicV2().start(3), 40)
    t.setDist(IGROUPR1, SPI_40).setDist(ISPENDR1, SPI_40)
    expect([t.irq[0], t.gicc(0, GICC.HPPIR), t.gicc(0, GICC.IAR), t.gicc(0, 0x28)]).toEqual([true, 1022, 1022, 40])
    expect(t.gicc(0, GICC.AIAR)).toBe(40)
    t.setGicc(0, 0x24, 40).setDist(ISPENDR1, SPI_40).setGicc(0, GICC.CTLR, 7)
    expect([t.gicc(0, GICC.HPPIR), t.gicc(0, GICC.IAR)]).toEqual([40, 40])
    t.setGicc(0, GICC.EOIR, 40)
    expect(t.dist(ISACTIVER1)).toBe(0)
  })

  it('signals Group 0 as an FIQ if it is told to', () => {
    const t = withSpi(new TestVgicV2().start(), 40).setDist(ISPENDR1, SPI_40)
    expect([t.irq[0], t.fiq[0]]).toEqual([true, false])
    t.setGicc(0, GICC.CTLR, 1 | (1 << 3))
    expect([t.irq[0], t.fiq[0]]).toEqual([false, true])
  })

  it('has 32 priorities, and binary points from 2 and 3 on', () => {
    const t = new TestVgicV2().start()
    expect([GICC.PMR, GICC.RPR, GICC.BPR, GICC.ABPR].map((at) => t.gicc(0, at))).toEqual([0xf8, 0xff, 2, 3])
    t.setGicc(0, GICC.BPR, 7).setGicc(0, GICC.ABPR, 0)
    expect([t.gicc(0, GICC.BPR), t.gicc(0, GICC.ABPR)]).toEqual([7, 3])
  })

  it('nests by priority, and remembers what is active in one register', () => {
    const t = withSpi(withSpi(new TestVgicV2().start(), 40), 41)
    t.setDist(IPRIORITYR + 40, 0x80, { width: 1 }).setDist(IPRIORITYR + 41, 0x40, { width: 1 })
    t.setDist(ISPENDR1, SPI_40)
    expect(t.gicc(0, GICC.IAR)).toBe(40)
    t.setDist(ISPENDR1, SPI_40 << 1)
    expect([t.irq[0], t.gicc(0, GICC.IAR), t.gicc(0, GICC.RPR)]).toEqual([true, 41, 0x40])
    expect(hex(t.gicc(0, 0xd0))).toBe(hex((1 << 16) | (1 << 8)))
    t.setGicc(0, GICC.EOIR, 41).setGicc(0, GICC.EOIR, 40)
    expect([t.gicc(0, GICC.RPR), t.gicc(0, 0xd0)]).toEqual([0xff, 0])
  })

  it("is the host's, which says so", () => {
    expect(hex(new TestVgicV2().gicc(0, 0xfc))).toBe('0202143b')
  })

  it('lets a WFI end for what is pending, whatever its group is', () => {
    const t = withSpi(new TestVgicV2().start(0), 40).setDist(ISPENDR1, SPI_40)
    expect([t.irq[0], t.wake[0]]).toEqual([false, true])
    t.setGicc(0, GICC.PMR, 0)
    expect(t.wake[0]).toBe(false)
  })
})

describe("userspace's column", () => {
  const read = (t: TestVgicV2, offset: number, cpu = 0): string => {
    const answer = t.vgic.distributorRegisters.userRead(offset, cpu)
    return answer.ok ? hex(answer.value) : answer.errno
  }
  const write = (t: TestVgicV2, offset: number, value: number, cpu = 0): string => {
    const answer = t.vgic.distributorRegisters.userWrite(offset, value, cpu)
    return answer.ok ? '0' : answer.errno
  }

  it('may write groups only once it has written GICD_IIDR', () => {
    const t = new TestVgicV2()
    expect([write(t, IGROUPR1, SPI_40), read(t, IGROUPR1)]).toEqual(['0', '00000000'])
    expect([write(t, 8, 0x4c00_343b), write(t, 8, 0x4b00_743b)]).toEqual(['EINVAL', 'EINVAL'])
    expect([write(t, IGROUPR1, SPI_40), read(t, IGROUPR1)]).toEqual(['0', '00000000'])
    expect([write(t, 8, 0x4b00_243b), read(t, 8)]).toEqual(['0', '4b00243b'])
    expect([write(t, IGROUPR1, SPI_40), read(t, IGROUPR1)]).toEqual(['0', '00000100'])
  })

  it('knows revision 3 under full-aff3 too: there is no affinity that a fourth could be about', () => {
    const t = new TestVgicV2({ ruleSet: 'full-aff3' })
    expect([read(t, 8), write(t, 8, 0x4b00_443b)]).toEqual(['4b00343b', 'EINVAL'])
  })

  it('sets and clears pending states; of an SGI, the CPU itself becomes the source', () => {
    const t = new TestVgicV2({ ids: [0, 1, 5] })
    expect(write(t, ISPENDR0, 0x10, 2)).toBe('0')
    expect([read(t, ISPENDR0, 2), read(t, ICPENDR0, 2), read(t, SPENDSGIR + 4, 2)]).toEqual([
      '00000010',
      '00000010',
      '00000020',
    ])
    write(t, SPENDSGIR + 4, 0x3, 2)
    write(t, ICPENDR0, 0x10, 2)
    expect([read(t, ISPENDR0, 2), read(t, SPENDSGIR + 4, 2)]).toEqual(['00000000', '00000000'])
    write(t, ISPENDR1, SPI_40)
    write(t, ISPENDR1, 0)
    expect(read(t, ISPENDR1)).toBe('00000100')
  })

  it('sees a CPU interface in which priorities have five bits', () => {
    const t = new TestVgicV2().start(0x21f)
    const { interfaceRegisters: registers } = t.vgic
    const at = (offset: number): string => {
      const answer = registers.userRead(offset, 1)
      return answer.ok ? hex(answer.value) : answer.errno
    }
    t.setGicc(1, GICC.PMR, 0xa5)
    expect([0, 4, 8, 0x1c, 0xd0, 0xd4, 0xfc].map(at)).toEqual([
      '0000021f',
      '00000014',
      '00000000',
      '00000000',
      '00000000',
      '00000000',
      '04b2043b',
    ])
    registers.userWrite(4, 0x1f, 1)
    expect(t.gicc(1, GICC.PMR)).toBe(0xf8)
    expect([0, 4, 8, 0x1c, 0xd0, 0xdc, 0xfc].map((offset) => registers.has(offset))).not.toContain(false)
    expect([0xc, 0x10, 0x14, 0x1000, 2].map((offset) => registers.has(offset))).not.toContain(true)
  })
})
