import { describe, expect, it } from 'vitest'
import { typerAffinity } from '../../../pure/arch/affinity.ts'
import { walkFrames } from '../../../pure/rules/walk.ts'
import type { WalkFrame } from '../../../pure/rules/walk.ts'
import { knowledgeAt, momentsOf } from './moments.ts'

const frames: readonly WalkFrame[] = [0, 1, 2].map((place) => ({
  base: 0x080a0000 + place * 0x20000,
  region: 0,
  typer: typerAffinity.encode(place) | (place === 2 ? 0x10n : 0n),
  pidr2: 0x3bn,
}))
const moments = (wanted: number) => momentsOf(walkFrames(wanted, frames), wanted, frames)

describe('the moments of a walk', () => {
  it('tell each read and end where the frame is found', () => {
    expect(moments(1).map(({ text }) => text)).toEqual([
      'GICR_PIDR2 reads 0x3b: a redistributor of GICv3 is here.',
      'GICR_TYPER says 0.0.0.0, not 0.0.0.1.',
      'On by 128 KiB, to 0x80c0000.',
      'GICR_TYPER says 0.0.0.1: this is the one.',
    ])
  })

  it('end with what is missing where nothing is found', () => {
    expect(moments(0x0100_0002).at(-1)).toEqual({
      place: undefined,
      mood: 'bad',
      text: 'No frame of the region says 1.0.0.2.',
    })
  })

  it('leave what comes later unseen', () => {
    expect(knowledgeAt(moments(1), 1, 3)).toEqual(['here', 'unseen', 'unseen'])
    expect(knowledgeAt(moments(1), 3, 3)).toEqual(['passed', 'found', 'unseen'])
  })
})
