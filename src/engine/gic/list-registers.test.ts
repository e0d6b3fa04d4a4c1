/**
 * What a guest and a hypervisor see when there are more interrupts than list registers, as in Linux v6.1 to v6.12
 * (arch/arm64/kvm/vgic/vgic.c: vgic_flush_lr_state(), vgic_irq_cmp(); vgic-v3.c: vgic_v3_populate_lr()).
 */
import { describe, expect, it } from 'vitest'
import { ICH_LR } from '../../pure/arch/gic/ich.ts'
import { decodeField } from '../../pure/arch/register.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { TestVgic } from '../../testing/test-vgic.ts'
import { GICC, TestVgicV2 } from '../../testing/test-vgic-v2.ts'

const ISENABLER1 = 0x104
const ICENABLER1 = 0x184
const ISPENDR1 = 0x204
const ISACTIVER1 = 0x304
const IPRIORITYR = 0x400
const ICFGR2 = 0xc08
const SPURIOUS = 1023n
const FIRST = 40

/** SPIs 40, 41, ... with these priorities, all enabled, on one CPU of a host with so many list registers. */
const withSpis = (listRegs: number, priorities: readonly number[], edge = true): TestVgic => {
  const t = new TestVgic({ ids: [0], host: { ...HOST_PRESETS.H1, listRegs } }).start()
  for (const [i, priority] of priorities.entries()) t.setDist(IPRIORITYR + FIRST + i, priority, 1)
  t.setDist(ICFGR2, edge ? 0xaaaa_aaaa : 0)
  t.setDist(ISENABLER1, 0xff00)
  return t
}
const bits = (...spis: number[]): number => spis.reduce((all, spi) => all | (1 << (spi - 32)), 0)
const cpu = (t: TestVgic) => {
  const [found] = t.vgic.inspect().cpus
  if (found === undefined) throw new Error('there is no CPU')
  return found
}
/** `41 pending`, by list register. */
const registers = (t: TestVgic): string[] =>
  cpu(t).listRegisters.map((value) =>
    value === 0n
      ? '-'
      : `${decodeField(ICH_LR, 'vINTID', value)} ${['', 'pending', 'active', 'both'][Number(value >> 62n)]}`,
  )
const underflows = (t: TestVgic): boolean => (cpu(t).hcr & 2) !== 0
const acknowledge = (t: TestVgic): bigint | undefined => t.mrs(0, 'ICC_IAR1_EL1')

describe('list registers', () => {
  it.each([1, 2, 4, 16])('%i of them are there, and hold what is queued in its order while it fits', (listRegs) => {
    const t = withSpis(listRegs, [0xa0, 0x80])
    t.setDist(ISPENDR1, bits(40))
    expect(registers(t)).toEqual(['40 pending', ...Array.from({ length: listRegs - 1 }, () => '-')])
    t.setDist(ISPENDR1, bits(41))
    const both = listRegs === 1 ? ['41 pending'] : ['40 pending', '41 pending']
    expect(registers(t).slice(0, 2)).toEqual([...both, '-'].slice(0, Math.min(2, listRegs)))
    expect(underflows(t)).toBe(listRegs === 1)
  })

  it('hold the most urgent when not all fit, and KVM asks to be told when they run out', () => {
    const t = withSpis(2, [0xa0, 0x80, 0xc0, 0x60])
    t.setDist(ISPENDR1, bits(40, 41, 42, 43))
    expect([registers(t), cpu(t).apList, underflows(t)]).toEqual([['43 pending', '41 pending'], [43, 41, 40, 42], true])
    const taken: unknown[] = []
    for (let i = 0; i < 4; i++) {
      const intid = acknowledge(t)
      taken.push(intid)
      t.msr(0, 'ICC_EOIR1_EL1', intid ?? 0n)
    }
    expect([taken, registers(t), underflows(t)]).toEqual([[43n, 41n, 40n, 42n], ['-', '-'], false])
  })

  it('one is enough for any number of interrupts, nested ones included', () => {
    const t = withSpis(1, [0xa0, 0x80, 0x40])
    t.setDist(ISPENDR1, bits(40))
    expect(acknowledge(t)).toBe(40n)
    t.setDist(ISPENDR1, bits(42))
    // What is active keeps its register, so nothing can preempt it: KVM before v6.19 sorts it first.
    expect([registers(t), t.irq[0]]).toEqual([['40 active'], false])
    t.msr(0, 'ICC_EOIR1_EL1', 40)
    expect([registers(t), acknowledge(t)]).toEqual([['42 pending'], 42n])
  })

  it('are filled up by an interrupt of a group that is not enabled', () => {
    const t = withSpis(1, [0x40, 0x80])
    t.setDist(0x84, 0xffff_ffff & ~bits(40))
    t.setDist(ISPENDR1, bits(40, 41))
    expect([registers(t), t.irq[0], t.mrs(0, 'ICC_HPPIR1_EL1')]).toEqual([['40 pending'], false, SPURIOUS])
    t.setDist(ICENABLER1, bits(40))
    expect([registers(t), t.irq[0]]).toEqual([['41 pending'], true])
  })

  it('with EOImode 1 are held until ICC_DIR_EL1, though the priority has dropped', () => {
    const t = withSpis(2, [0x80, 0x80, 0x80])
    t.msr(0, 'ICC_CTLR_EL1', 2)
    t.setDist(ISPENDR1, bits(40, 41, 42))
    for (const intid of [40n, 41n]) {
      expect(acknowledge(t)).toBe(intid)
      t.msr(0, 'ICC_EOIR1_EL1', intid)
    }
    expect([registers(t), t.irq[0], acknowledge(t)]).toEqual([['40 active', '41 active'], false, SPURIOUS])
    t.msr(0, 'ICC_DIR_EL1', 41)
    expect([registers(t), acknowledge(t)]).toEqual([['40 active', '42 pending'], 42n])
  })

  it('have no place for what ICC_EOIR1_EL1 ends: it stays active, and is counted', () => {
    const t = withSpis(1, [0x80, 0x80])
    t.setDist(ISACTIVER1, bits(40, 41))
    expect(registers(t)).toEqual(['40 active'])
    t.msr(0, 'ICC_CTLR_EL1', 2)
    t.msr(0, 'ICC_DIR_EL1', 41)
    expect([t.dist(ISACTIVER1), cpu(t).hcr >>> 27]).toEqual([BigInt(bits(40, 41)), 1])
    t.msr(0, 'ICC_DIR_EL1', 40)
    t.msr(0, 'ICC_DIR_EL1', 41)
    expect([t.dist(ISACTIVER1), cpu(t).hcr >>> 27]).toEqual([0n, 1])
  })

  it('are pending and active at once for an edge, and never for a level', () => {
    for (const edge of [true, false]) {
      const t = withSpis(4, [0x80], edge)
      t.setDist(ISPENDR1, bits(40))
      expect(acknowledge(t)).toBe(40n)
      t.setDist(ISPENDR1, bits(40))
      expect(registers(t)[0]).toBe(edge ? '40 both' : '40 active')
      t.msr(0, 'ICC_EOIR1_EL1', 40)
      // What a write pended on a level is forgotten when its register is idle.
      expect(t.irq[0]).toBe(edge)
    }
  })

  it('say of a level that its end is a maintenance interrupt, after which the wire is sampled again', () => {
    const t = withSpis(4, [0x80], false)
    const wire = t.vgic.spi(40)
    wire.set(true)
    expect(decodeField(ICH_LR, 'pINTID', cpu(t).listRegisters[0] ?? 0n)).toBe(0x200n)
    expect(acknowledge(t)).toBe(40n)
    t.msr(0, 'ICC_EOIR1_EL1', 40)
    expect([acknowledge(t), t.dist(ISPENDR1)]).toEqual([40n, BigInt(bits(40))])
    wire.set(false)
    t.msr(0, 'ICC_EOIR1_EL1', 40)
    expect([acknowledge(t), t.dist(ISPENDR1)]).toEqual([SPURIOUS, 0n])
  })

  it('name the source of an SGI of a GICv2, one at a time', () => {
    const t = new TestVgicV2().start()
    for (const source of [3, 1]) t.setDist(0xf00, 0x0001_0004, { cpu: source })
    const seen = () => t.vgic.inspect().cpus[0]?.listRegisters[0] ?? 0n
    expect(seen() & 0xffff_ffffn).toBe(BigInt((1 << 10) | 4))
    const iar = t.gicc(0, GICC.IAR)
    expect([iar, seen() >> 62n]).toEqual([(1 << 10) | 4, 2n])
    t.setGicc(0, GICC.EOIR, iar)
    expect(seen() & 0xffff_ffffn).toBe(BigInt((3 << 10) | 4))
  })

  it('leave the virtual machine control register to the guest', () => {
    const t = withSpis(4, [])
    t.msr(0, 'ICC_BPR1_EL1', 5)
    t.msr(0, 'ICC_PMR_EL1', 0xf0)
    t.msr(0, 'ICC_CTLR_EL1', 2)
    // PMR f0, BPR0 2 (the least with five bits), BPR1 5, EOIM, FIQEn (always 1 behind system registers), ENG1.
    expect(cpu(t).vmcr.toString(16)).toBe('f054020a')
  })
})
