/** debugfs vgic-state (arch/arm64/kvm/vgic/vgic-debug.c): rows as real KVM printed them, and every column moved once. */
import { describe, expect, it, test } from 'vitest'
import { RULE_SETS } from '../../pure/blueprint/host.ts'
import { TestVgic } from '../../testing/test-vgic.ts'
import { TestVgicV2 } from '../../testing/test-vgic-v2.ts'

const lines = (t: TestVgic | TestVgicV2): string[] => t.vgic.vgicState().split('\n')
const row = (t: TestVgic | TestVgicV2, type: string, intid: number, nth = 0): string | undefined =>
  lines(t).filter((line) => line.startsWith(`       ${type} ${`${intid}`.padStart(4)} `))[nth]

const HEAD = [
  'Distributor',
  '===========',
  'vgic_model:\tGICv3',
  'nr_spis:\t224',
  'nr_lpis:\t0',
  'enabled:\t0',
  '',
  'P=pending_latch, L=line_level, A=active',
  'E=enabled, H=hw, C=config (level=1, edge=0)',
  'G=group',
  '',
  'VCPU 0 TYP   ID TGT_ID PLAEHCG     HWID   TARGET SRC PRI VCPU_ID',
  '----------------------------------------------------------------',
  // Recorded on Linux 6.12, as all up to here.
  '       SGI    0      0 0001001        0        0   0   0      -1 ',
  '       SGI    1      0 0001001        0        0   0   0      -1 ',
]

describe('vgic-state', () => {
  test.each(RULE_SETS)('begins as recorded, under %s', (ruleSet) => {
    expect(lines(new TestVgic({ ruleSet })).slice(0, HEAD.length)).toEqual(HEAD)
  })

  it('has a block for each vCPU and one for the SPIs, and ends with a newline', () => {
    const all = lines(new TestVgic({ ids: [0, 1], nrIrqs: 64 }))
    expect(all.filter((line) => line.includes('TGT_ID')).map((line) => line.slice(0, 10))).toEqual([
      'VCPU 0 TYP',
      'VCPU 1 TYP',
      'SPI  0 TYP',
    ])
    expect(all).toHaveLength(10 + 3 * 3 + 2 * 32 + 32 + 1)
    expect(all.at(-1)).toBe('')
    expect(all.at(-2)).toBe('       SPI   63      0 0000001        0        0   0   0      -1 ')
  })

  it('tells of a GICv2 without LPIs, with masks as targets and the sources of SGIs', () => {
    const t = new TestVgicV2({ nrIrqs: 64 }).start()
    t.setDist(0x828, 0x0c, { width: 1 }).setDist(0xf00, 0x0002_0003, { cpu: 3 }).setDist(0xf00, 0x0002_0003)
    expect(lines(t).slice(2, 6)).toEqual(['vgic_model:\tGICv2', 'nr_spis:\t32', 'enabled:\t1', ''])
    expect(row(t, 'SGI', 3, 1)).toBe('       SGI    3      1 1001000        0        2   9   0       1 ')
    expect(row(t, 'PPI', 27, 3)).toBe('       PPI   27      3 0000010        0        8   0   0      -1 ')
    expect(row(t, 'SPI', 40)).toBe('       SPI   40      2 0000000        0        c   0   0      -1 ')
  })

  it('moves each flag and number of a row with what it stands for', () => {
    const t = new TestVgic().start()
    const spi = () => row(t, 'SPI', 40)
    t.setDist(0x428, 0xa8, 1)
    expect(spi()).toBe('       SPI   40      0 0000001        0        0   0 168      -1 ')
    t.setDist(0xc08, 0)
    t.vgic.spi(40).set(true)
    expect(spi()).toBe('       SPI   40      0 0100011        0        0   0 168      -1 ')
    t.setDist(0x6140, 2)
    t.setDist(0x104, 0x100)
    expect(spi()).toBe('       SPI   40      2 0101011        0        2   0 168       2 ')
    t.setDist(0x204, 0x100)
    expect(t.mrs(2, 'ICC_IAR1_EL1')).toBe(40n)
    expect(spi()).toBe('       SPI   40      2 1111011        0        2   0 168       2 ')
    t.setDist(0x84, 0)
    t.setDist(0x6140, 0x77)
    expect(spi()).toBe('       SPI   40     -1 1111010        0       77   0 168       2 ')
  })

  it("has the virtual timer as the host's own interrupt once the vCPU has run", () => {
    const t = new TestVgic()
    expect(row(t, 'PPI', 27)).toBe('       PPI   27      0 0000011        0        0   0   0      -1 ')
    t.vgic.vcpuRuns(0, [27, 30])
    expect(row(t, 'PPI', 27, 1)).toBe('       PPI   27      1 0000011        0        1   0   0      -1 ')
    expect(row(t, 'PPI', 27)).toBe('       PPI   27      0 0000111       27        0   0   0      -1 ')
  })

  test.each([
    ['mainline', '       PPI   27      1 0000011        0 ', '  50607', '       3'],
    ['patch-v1', '       PPI   27      1 0000011        0 ', '100050607', '100000003'],
    ['full-aff3', '       PPI   27      1 0000011        0 ', ' 1050607', ' 1000003'],
  ] as const)('shows as TARGET what %s keeps of an affinity', (ruleSet, start, cpu, spi) => {
    const t = new TestVgic({ ruleSet, affinities: { 1: 0x0105_0607, 2: 0x0100_0003 } })
    t.setDist(0x6140, 0x1_0000_0003n, 8)
    expect(row(t, 'PPI', 27, 1)?.slice(0, start.length)).toBe(start)
    expect(row(t, 'PPI', 27, 1)?.slice(start.length).trimStart()).toMatch(
      new RegExp(`^${cpu.trim()}   0   0      -1 $`),
    )
    expect(row(t, 'SPI', 40)).toContain(`        0 ${spi}   0   0      -1 `)
  })

  it('names vCPUs by their ids before v6.7', () => {
    for (const [base, id] of [
      ['6.1', ' 7'],
      ['6.8', ' 1'],
    ] as const) {
      const t = new TestVgic({ base, ids: [0, 7] }).start()
      t.setRedist(1, 0x10200, 4)
      expect(
        lines(t)
          .filter((line) => line.startsWith('VCPU'))
          .map((line) => line.slice(4, 6)),
      ).toEqual([' 0', id])
      expect(row(t, 'SGI', 2, 1)).toBe(`       SGI    2     ${id} 1001001        0        7   0   0      ${id} `)
    }
  })
})
