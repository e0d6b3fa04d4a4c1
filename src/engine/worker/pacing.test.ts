import { describe, expect, it } from 'vitest'
import { Pacing } from './pacing.ts'

const MS = 1e6

describe('pacing', () => {
  it('lets an idle guest skip no further than wall time went', () => {
    const pacing = new Pacing()
    pacing.begin(0)
    pacing.end(0, 0, false)
    let skipped = 0
    for (let ms = 4; ms <= 1000; ms += 4) {
      const { skipNs } = pacing.begin(ms)
      skipped += skipNs
      pacing.end(ms, skipNs, false)
    }
    expect(skipped).toBe(1000 * MS)
  })

  it('lets a boot make up for the time it was busy', () => {
    const pacing = new Pacing()
    pacing.begin(0)
    pacing.end(5000, 1000 * MS, true)
    expect(pacing.begin(5000).skipNs).toBe(5000 * MS)
  })

  it('keeps waits long once someone types', () => {
    const pacing = new Pacing()
    pacing.begin(0)
    pacing.end(5000, 1000 * MS, true)
    pacing.touch()
    expect(pacing.begin(5000).skipNs).toBe(100 * MS)
  })

  it('never owes time to a guest that was faster than the wall', () => {
    const pacing = new Pacing()
    pacing.begin(0)
    pacing.end(8, 20 * MS, true)
    pacing.begin(8)
    pacing.end(8, 0, false)
    const { skipNs } = pacing.begin(12)
    expect(skipNs).toBeGreaterThan(0)
    expect(skipNs).toBeLessThanOrEqual(12 * MS)
  })

  it('does not count time in which the machine was paused', () => {
    const pacing = new Pacing()
    pacing.begin(0)
    pacing.end(0, 0, false)
    pacing.hold()
    expect(pacing.begin(60_000).skipNs).toBe(0)
  })

  it('settles on chunks of about eight milliseconds', () => {
    const pacing = new Pacing()
    const mips = 400
    let wall = 0
    let took = 0
    for (let turn = 0; turn < 20; turn++) {
      const { maxNs } = pacing.begin(wall)
      took = maxNs / mips / 1000
      wall += took
      pacing.end(wall, maxNs, true)
    }
    expect(took).toBeGreaterThan(6)
    expect(took).toBeLessThan(10)
  })
})
