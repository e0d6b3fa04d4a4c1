import { describe, expect, it } from 'vitest'
import { mpidrOf, resetAffinity } from '../../../pure/arch/affinity.ts'
import { cpuOf, cutLine, mentionsIn } from './mentions.ts'

const there = {
  cpus: [0, 1, 2].map((index) => ({ index, mpidr: mpidrOf(index === 2 ? 0x0100_0002 : resetAffinity(index)) })),
  frames: [0, 1, 2].map((cpu) => ({ base: 0x080a0000 + cpu * 0x20000, cpu })),
}
const meant = (line: string): readonly (number | undefined)[] => mentionsIn(line).map(({ of }) => cpuOf(of, there))

describe('what a line of Linux speaks of', () => {
  // Lines as Debian's kernels print them.
  it.each([
    ['GICv3: CPU1: found redistributor 1 region 0:0x00000000080c0000', [1, 1]],
    ['CPU2: mpidr 100000002 has no re-distributor!', [2, 2]],
    ['CPU1: Booted secondary processor 0x0000000001 [0x411fd070]', [1, 1]],
    ['WARNING: CPU: 2 PID: 0 at drivers/irqchip/irq-gic-v3.c:1018 gic_populate_rdist+0x60/0x70', [2]],
    ['CPU7: no such CPU here', [undefined]],
    ['Memory: 205000K/262144K available', []],
  ])('%s', (line, cpus) => expect(meant(line)).toEqual(cpus))

  it('finds interrupts by their number', () => {
    const intids = (line: string) => mentionsIn(line).flatMap(({ of }) => (of.kind === 'intid' ? [of.intid] : []))
    expect(intids('hwirq 33 is wrong')).toEqual([33])
    expect(intids('SPI 8 goes to nobody')).toEqual([40])
    expect(intids(' 13:        12          0     GICv3  27 Level     arch_timer')).toEqual([27])
    expect(intids('  9:          0          0     GIC-0  34 Level     rtc-pl031')).toEqual([34])
    expect(intids('Memory: 33 Level')).toEqual([])
  })

  it('loses nothing of the line when it is cut', () => {
    const line = 'GICv3: CPU1: found redistributor 1 region 0:0x00000000080c0000'
    expect(
      cutLine(line)
        .map((part) => (typeof part === 'string' ? part : part.text))
        .join(''),
    ).toBe(line)
  })
})
