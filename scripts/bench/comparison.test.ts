/** What several places said of the same parts becomes ratios, or a complaint where they computed different things. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { AGAINST_QEMU, Comparison } from './comparison.ts'
import { Listener } from './places/listener.ts'

/** What a guest that ran one part says, with the milliseconds that each repetition takes. */
const heard = (sum: string, ...repetitions: readonly number[]): Listener => {
  const listener = new Listener()
  let at = 0
  for (const ms of repetitions) {
    listener.feed('begin list 250\n', at)
    at += ms
    listener.feed(`end ${sum}\n`, at)
  }
  return listener
}

describe('a comparison', () => {
  afterEach(() => vi.restoreAllMocks())

  it('tells the first repetition from the fastest of the others, place by place', () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const comparison = new Comparison()
    comparison.add('QEMU', heard('2a', 400, 300, 200))
    comparison.add('Node', heard('2a', 800, 100, 150))
    comparison.add('Chromium', heard('2a', 200, 400, 400))
    const figures = comparison.printSpeeds(AGAINST_QEMU)
    expect(figures).toMatchObject({
      'list, Node / QEMU': 2,
      'list, Node / QEMU, cold': 0.5,
      'list, Chromium / QEMU': 0.5,
      'list, Chromium / QEMU, cold': 2,
    })
    expect(figures['geometric mean, Node / QEMU']).toBeCloseTo(2)
  })

  it('refuses another sum, in another place and in the next repetition', () => {
    const comparison = new Comparison()
    comparison.add('QEMU', heard('2a', 1))
    expect(() => comparison.add('Node', heard('2b', 1))).toThrow('list computes 2b in Node, and 2a elsewhere')
    const listener = heard('2a', 1)
    listener.feed('begin list 250\n', 5)
    expect(() => listener.feed('end 2b\n', 6)).toThrow('list computes 2a, then 2b')
  })

  it('leaves out what was heard in one piece: nothing was measured', () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const comparison = new Comparison()
    comparison.add('QEMU', heard('2a', 400, 300))
    comparison.add('Node', heard('2a', 0, 0))
    expect(comparison.printSpeeds(AGAINST_QEMU)).not.toHaveProperty('list, Node / QEMU')
  })
})
