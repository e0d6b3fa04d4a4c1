/** What was measured is held against the targets; what was not is not told. */
import { describe, expect, it } from 'vitest'
import { judged } from './targets.ts'

describe('the targets', () => {
  it('are met at their own value and missed beyond it', () => {
    const rows = judged({
      boot: { 'chromium 1': 2, 'qemu 1': 2, 'interpreter MIPS': 99 },
      interrupts: { 'gicd-read, Chromium, ns': 101 },
    })
    expect(rows.slice(1)).toEqual([
      ["boot of 1 CPU, times QEMU's time", '1.00', 'at most 1', 'met'],
      ['MIPS of the interpreter in a boot', '99.00', 'at least 100', 'MISSED'],
      ["read of the distributor's register, ns", '101', 'at most 100', 'MISSED'],
    ])
  })

  it('look at the slowest part, warm, and not at the mean', () => {
    const rows = judged({
      v86: {
        'list, Chromium / v86 in Chromium': 3,
        'state, Chromium / v86 in Chromium': 2.5,
        'state, Chromium / v86 in Chromium, cold': 0.5,
        'geometric mean, Chromium / v86 in Chromium': 1,
      },
    })
    expect(rows.slice(1)).toEqual([["the slowest part, times v86's speed", '2.50', 'at least 2', 'met']])
  })

  it('are silent where nothing was measured', () => {
    expect(judged({ ui: { heap: 1 }, boot: { 'qemu 1': 2 } })).toEqual([])
  })
})
