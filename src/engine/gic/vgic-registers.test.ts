import { describe, expect, it, test } from 'vitest'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { RULE_SETS } from '../../pure/blueprint/host.ts'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { TestVgic } from '../../testing/test-vgic.ts'
import { isUserSysreg } from './user-sysregs.ts'

const { H0, H1 } = HOST_PRESETS
const TYPER = 0x8
const IROUTER_40 = 0x6000 + 8 * 40

const low = (t: TestVgic, count: number): bigint[] => Array.from({ length: count }, (_, cpu) => t.redist(cpu, TYPER))

describe('GICR_TYPER', () => {
  it('shows affinity, number and Last', () => {
    const t = new TestVgic()
    expect(t.redist(0, TYPER, 8)).toBe(0n)
    expect(t.redist(3, TYPER, 8)).toBe(0x3_0000_0310n)
  })

  test.each([
    ['mainline', H1, 0x0000_0001_0000_0100n],
    ['patch-v1', H1, 0x0100_0001_0000_0100n],
    ['full-aff3', H1, 0x0100_0001_0000_0100n],
    ['mainline', H0, 0x0000_0001_0000_0100n],
    ['patch-v1', H0, 0x0000_0001_0000_0100n],
    ['full-aff3', H0, 0x0100_0001_0000_0100n],
  ] as const)('of a CPU at 1.0.0.1 under %s', (ruleSet, host, typer) => {
    const t = new TestVgic({ ruleSet, host, affinities: { 1: 0x0100_0001 } })
    expect(t.redist(1, TYPER, 8)).toBe(typer)
  })

  it('is read by halves, and never by bytes or halfwords', () => {
    const t = new TestVgic({ affinities: { 1: 0x0005_0607 } })
    expect(t.redist(1, TYPER + 4)).toBe(0x0005_0607n)
    expect(t.redist(1, TYPER + 4, 2)).toBe(0n)
    expect(t.redist(1, TYPER + 4, 1)).toBe(0n)
    expect(t.redist(1, TYPER + 4, 8)).toBe(0n)
  })

  it('ignores what userspace writes', () => {
    const t = new TestVgic()
    expect(t.vgic.redistWrite(1, TYPER, 0xffff_ffff)).toEqual({ ok: true })
    expect(t.vgic.redistRead(1, TYPER)).toEqual({ ok: true, value: 0x100 })
  })

  const ids = [0, 3, 5, 4, 1, 2]
  it('has Last where a region ends and no other goes on', () => {
    const regions = [
      [0x10_0000, 2, 2],
      [0x24_0000, 2, 2],
      [0x20_0000, 2, 2],
    ] as const
    expect(low(new TestVgic({ ids, regions }), 6)).toEqual([0x000n, 0x310n, 0x500n, 0x410n, 0x100n, 0x200n])
  })
  it('has Last once in a region that grows', () => {
    expect(low(new TestVgic({ ids, regions: [[0x1_0000, 6, 0]] }), 6)).toEqual([
      0x000n,
      0x300n,
      0x500n,
      0x400n,
      0x100n,
      0x210n,
    ])
  })
  it('has Last where the next region is empty', () => {
    const first = [0x20_0000, 1, 1] as const
    expect(low(new TestVgic({ ids: [0], regions: [first, [0x22_0000, 0, 1]] }), 1)).toEqual([0x010n])
    expect(low(new TestVgic({ ids: [0, 1], regions: [first, [0x22_0000, 1, 1]] }), 2)).toEqual([0x000n, 0x110n])
  })
  it('numbers CPUs by id', () => {
    expect(new TestVgic({ ids: [0, 300] }).redist(1, TYPER, 8)).toBe(0x0000_120c_0001_2c10n)
  })
})

describe('GICD_IROUTER', () => {
  type Step = readonly [at: 'whole' | 'lo' | 'hi', value: bigint]
  const run = (t: TestVgic, steps: readonly Step[]): bigint => {
    for (const [at, value] of steps) {
      if (at === 'whole') t.setDist(IROUTER_40, value, 8)
      else t.setDist(IROUTER_40 + (at === 'hi' ? 4 : 0), value)
    }
    return t.dist(IROUTER_40, 8)
  }
  test.each<readonly [string, typeof H1 | typeof H0, readonly Step[], readonly [bigint, bigint, bigint]]>([
    ['a whole write', H1, [['whole', 0x1_0000_0002n]], [2n, 0x1_0000_0002n, 0x1_0000_0002n]],
    ['a whole write without A3V', H0, [['whole', 0x1_0000_0002n]], [2n, 0x1_0000_0002n, 0x1_0000_0002n]],
    [
      'a low half after a whole write',
      H1,
      [
        ['whole', 0x1_0000_0002n],
        ['lo', 3n],
      ],
      [3n, 3n, 0x1_0000_0003n],
    ],
    [
      'low, then high',
      H1,
      [
        ['lo', 2n],
        ['hi', 1n],
      ],
      [2n, 1n, 0x1_0000_0002n],
    ],
    [
      'low, then 0 in high',
      H1,
      [
        ['lo', 2n],
        ['hi', 0n],
      ],
      [2n, 0n, 2n],
    ],
    [
      'low, then 0 in high without A3V',
      H0,
      [
        ['lo', 2n],
        ['hi', 0n],
      ],
      [2n, 2n, 2n],
    ],
    ['IRM', H1, [['lo', 0x8000_0001n]], [1n, 1n, 1n]],
    ['other bits', H1, [['lo', 0xff00_0002n]], [2n, 2n, 2n]],
  ])('reads after %s', (_, host, steps, expected) => {
    const read = RULE_SETS.map((ruleSet) => run(new TestVgic({ ruleSet, host }), steps))
    expect(read).toEqual(expected)
  })

  it('is there for SPIs the distributor has, by words and doublewords', () => {
    const t = new TestVgic()
    t.setDist(0x6000 + 8 * 31, 1)
    t.setDist(0x6000 + 8 * 256, 1)
    t.setDist(IROUTER_40, 1, 1)
    t.setDist(IROUTER_40, 1, 2)
    expect([t.dist(0x6000 + 8 * 31), t.dist(0x6000 + 8 * 256), t.dist(IROUTER_40)]).toEqual([0n, 0n, 0n])
    expect([0x6140, 0x6142, 0x6800].map((offset) => t.vgic.distHas(offset))).toEqual([true, false, false])
  })

  test.each([
    ['mainline', 0, undefined],
    ['full-aff3', undefined, 2],
  ] as const)('never written, targets under %s', (ruleSet, target, moved) => {
    const t = new TestVgic({ ruleSet, affinities: { 0: 5 } })
    expect(t.vgic.irq(0, 40)?.target).toBe(target ?? -1)
    t.setDist(0x6000 + 8 * 41, 9)
    expect(t.vgic.irq(0, 41)?.target).toBe(-1)
    t.setMpidr(2, 9)
    expect(t.vgic.irq(0, 41)?.target).toBe(moved ?? -1)
  })
})

describe('the distributor', () => {
  it('identifies itself', () => {
    expect(RULE_SETS.map((ruleSet) => new TestVgic({ ruleSet }).dist(4))).toEqual([
      0x0048_0007n,
      0x0048_0007n,
      0x0148_0007n,
    ])
    expect(RULE_SETS.map((ruleSet) => new TestVgic({ ruleSet }).dist(8))).toEqual([
      0x4b00_343bn,
      0x4b00_343bn,
      0x4b00_443bn,
    ])
    expect(new TestVgic().dist(0xffe8)).toBe(0x3bn)
  })
  it('has CTLR with affinity routing and one Security state, and a STATUSR of ones', () => {
    const t = new TestVgic()
    expect(t.dist(0)).toBe(0x50n)
    t.setDist(0, 3)
    expect(t.dist(0)).toBe(0x52n)
    expect(t.dist(0x10)).toBe(0xffff_ffffn)
  })
  test.each([
    ['mainline', 0x4b00_243b, true, 0x4b00_243b, 0n],
    ['patch-v1', 0x4b00_243b, true, 0x4b00_343b, 6n],
    ['full-aff3', 0x4b00_243b, true, 0x4b00_243b, 0n],
    ['mainline', 0x4b00_743b, false, 0x4b00_343b, 6n],
    ['patch-v1', 0x4b00_743b, true, 0x4b00_343b, 6n],
    ['full-aff3', 0x4b00_743b, false, 0x4b00_443b, 6n],
    ['mainline', 0x4c00_343b, false, 0x4b00_343b, 6n],
  ] as const)('under %s takes 0x%x into GICD_IIDR: %s', (ruleSet, value, ok, after, ctlr) => {
    const t = new TestVgic({ ruleSet })
    expect(t.vgic.distWrite(8, value).ok).toBe(ok)
    expect(t.vgic.distRead(8)).toEqual({ ok: true, value: after })
    expect(t.redist(1, 0)).toBe(ctlr)
  })
  it('starts with SPIs as edges, SGIs enabled and PPIs as levels', () => {
    const t = new TestVgic()
    expect([t.dist(0xc08), t.dist(0xc00), t.dist(0x84)]).toEqual([0xaaaa_aaaan, 0n, 0xffff_ffffn])
    const sgi = (offset: number) => t.redist(0, 0x10000 + offset)
    expect([0x80, 0x100, 0xc00, 0xc04].map(sgi)).toEqual([0xffff_ffffn, 0xffffn, 0xaaaa_aaaan, 0n])
  })
  it('keeps five priority bits, by bytes and words', () => {
    const t = new TestVgic()
    t.setDist(0x400 + 40, 0xffff_ffff)
    t.setDist(0x400 + 42, 0x57, 1)
    expect(t.dist(0x400 + 40)).toBe(0xf850_f8f8n)
    t.setRedist(2, 0x10400, 0x0102_0340)
    expect(t.redist(2, 0x10400)).toBe(0x40n)
    expect(t.redist(1, 0x10400)).toBe(0n)
  })
  it('knows nothing at an offset that KVM does not have', () => {
    const t = new TestVgic()
    expect(t.vgic.distHas(0x4000)).toBe(false)
    expect(t.vgic.distRead(0x4000)).toEqual({ ok: true, value: 0 })
    expect(t.vgic.distWrite(0x4000, 1)).toEqual({ ok: true })
    expect(t.vgic.redistHas(0x10)).toBe(false)
    expect(t.vgic.redistHas(0x14)).toBe(true)
  })
})

describe('the record of a private interrupt', () => {
  it('keeps the affinity its CPU had when the GIC was made', () => {
    const t = new TestVgic({ affinities: { 1: 0x0100_0001 } })
    t.setMpidr(1, 7)
    expect(t.vgic.irq(1, 27)).toMatchObject({ affinity: 0x0100_0001, target: 1 })
  })
})

describe('LPI table registers', () => {
  it('make memory attributes what KVM supports', () => {
    const t = new TestVgic()
    expect(t.redist(0, 0x78, 8)).toBe(0x580n)
    expect(t.redist(0, 0x70, 8)).toBe(0n)
    t.setRedist(0, 0x70, 0xffff_ffff_ffff_ffffn, 8)
    t.setRedist(0, 0x78, 0xffff_ffffn)
    t.setRedist(0, 0x7c, 0xffff_ffffn)
    expect(t.redist(0, 0x70, 8)).toBe(0x000f_ffff_ffff_ff9fn)
    expect(t.redist(0, 0x78, 8)).toBe(0x000f_ffff_ffff_0f80n)
    // One PROPBASER for the VM, a PENDBASER for each CPU.
    expect(t.redist(1, 0x70, 8)).toBe(0x000f_ffff_ffff_ff9fn)
    expect(t.redist(1, 0x78, 8)).toBe(0x580n)
  })
})

describe('ISPENDR and ICPENDR', () => {
  it('show the guest latch and line, userspace the latch, which it assigns', () => {
    const t = new TestVgic()
    t.setDist(0xc08, 0) // INTID 32 to 47: levels
    t.vgic.spi(33).set(true)
    t.setDist(0x204, 1 << 8)
    expect(t.dist(0x204)).toBe(0x102n)
    expect(t.vgic.distRead(0x204)).toEqual({ ok: true, value: 0x100 })
    expect(t.vgic.levelInfo.read(0, 32)).toBe(2)
    t.vgic.distWrite(0x204, 4)
    expect(t.vgic.distRead(0x204)).toEqual({ ok: true, value: 4 })
    t.vgic.distWrite(0x284, 4)
    expect(t.vgic.distRead(0x204)).toEqual({ ok: true, value: 4 })
    t.setDist(0x284, 6)
    expect(t.dist(0x204)).toBe(2n)
  })
})

const set = (t: TestVgic, value: bigint) => {
  const answer = t.vgic.cpuSysregWrite(0, ICC.ICC_CTLR_EL1, value)
  return answer.ok ? 0 : answer.errno
}
const get = (t: TestVgic) => t.vgic.cpuSysregRead(0, ICC.ICC_CTLR_EL1)

describe('ICC_CTLR_EL1 of userspace', () => {
  test.each([
    ['mainline', H1, [], 0x8400n, []],
    ['mainline', H0, [0x8400n], 0x0400n, ['EINVAL']],
    ['patch-v1', H0, [0x8400n], 0x0400n, ['EINVAL']],
    ['full-aff3', H0, [0x8400n], 0x8400n, [0]],
    ['full-aff3', H1, [0x0400n], 0x0400n, [0]],
    ['mainline', H1, [0x8700n], 0x8400n, ['EINVAL']],
    ['mainline', H1, [0x8300n, 0x8400n], 0x8300n, [0, 'EINVAL']],
    ['mainline', H1, [0xc300n], 0x8300n, ['EINVAL']],
    ['full-aff3', H1, [0xc300n], 0x8400n, ['EINVAL']],
    ['mainline', H0, [0x8300n], 0x0300n, ['EINVAL']],
    ['full-aff3', H0, [0x8300n], 0x8300n, [0]],
  ] as const)('under %s', (ruleSet, host, writes, after, answers) => {
    const t = new TestVgic({ ruleSet, host })
    expect(writes.map((value) => set(t, value))).toEqual(answers)
    expect(get(t)).toEqual({ ok: true, value: after })
  })
  it('cannot give up A3V while a CPU has Aff3', () => {
    const t = new TestVgic({ ruleSet: 'full-aff3', affinities: { 1: 0x0100_0001 } })
    expect(set(t, 0x0400n)).toBe('EINVAL')
  })
  it('leaves the guest the priority bits of the hardware', () => {
    const t = new TestVgic()
    set(t, 0x8301n)
    expect(t.mrs(0, 'ICC_CTLR_EL1')).toBe(0x8401n)
  })
  it('has one word of active priorities with five bits', () => {
    const t = new TestVgic()
    expect(isUserSysreg(ICC.ICC_AP1R1_EL1)).toBe(true)
    expect(t.vgic.cpuSysregRead(0, ICC.ICC_AP1R1_EL1)).toMatchObject({ ok: false, errno: 'EINVAL' })
    expect(t.mrs(0, 'ICC_AP1R1_EL1')).toBeUndefined()
    expect(isUserSysreg(ICC.ICC_SGI1R_EL1)).toBe(false)
    expect(t.vgic.cpuSysregRead(0, ICC.ICC_SGI1R_EL1)).toMatchObject({ ok: false, errno: 'ENOENT' })
  })
})
