import { describe, expect, it } from 'vitest'
import { typerAffinity } from '../arch/affinity.ts'
import { PIDR2_GICV3 } from '../arch/gic/identification.ts'
import { walkFrames } from './walk.ts'
import type { WalkFrame } from './walk.ts'

const LAST = 1n << 4n
const VLPIS = 1n << 1n
const KIB = 1024

const frame = (place: number, affinity: number, flags = 0n, region = 0): WalkFrame => ({
  base: 0x080a0000 + place * 128 * KIB,
  region,
  typer: typerAffinity.encode(affinity) | flags,
  pidr2: PIDR2_GICV3,
})

const kinds = (wanted: number, frames: readonly WalkFrame[]): string =>
  walkFrames(wanted, frames)
    .steps.map(({ step, place }) => `${step} ${place}`)
    .join(', ')

describe("a guest's search for a redistributor", () => {
  it('reads PIDR2 once a region, then TYPER after TYPER until one matches', () => {
    const frames = [frame(0, 0), frame(1, 1), frame(2, 2, LAST)]
    expect(kinds(1, frames)).toBe('pidr2 0, typer 0, stride 0, typer 1')
    expect(walkFrames(1, frames).end).toEqual({ end: 'found', place: 1 })
  })

  it('ends at Last without a match', () => {
    const frames = [frame(0, 0), frame(1, 1, LAST)]
    expect(kinds(0x0100_0001, frames)).toBe('pidr2 0, typer 0, stride 0, typer 1, last 1')
    expect(walkFrames(0x0100_0001, frames).end).toEqual({ end: 'missed' })
  })

  it('ends at a Last that stands too early, as on a Phytium board under hvisor', () => {
    // MPIDRs 200, 201, 0, 100 in logical order; frames lie 0, 100, 200, 201, and the driver put Last on the second.
    const frames = [frame(0, 0), frame(1, 0x100, LAST), frame(2, 0x200), frame(3, 0x201)]
    expect(walkFrames(0x200, frames).end).toEqual({ end: 'missed' })
  })

  it('goes on with the next region after Last', () => {
    const frames = [frame(0, 0, LAST), frame(8, 1, LAST, 1)]
    expect(kinds(1, frames)).toBe('pidr2 0, typer 0, last 0, pidr2 1, typer 1')
  })

  it('steps 256 KiB over a frame with virtual LPIs, and so astray where frames are 128 KiB', () => {
    const frames = [frame(0, 0, VLPIS), frame(1, 1, LAST)]
    expect(walkFrames(1, frames).end).toEqual({ end: 'astray', address: 0x080a0000 + 256 * KIB })
  })

  it('gives up where PIDR2 says that there is no redistributor', () => {
    const frames = [{ ...frame(0, 0, LAST), pidr2: 0n }, frame(8, 1, LAST, 1)]
    expect(kinds(1, frames)).toBe('pidr2 0')
  })
})
