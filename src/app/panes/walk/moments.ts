/** A walk as moments to show one after the other: what is read, what it means, and what of the frames has been seen. */
import { affinityText } from '../../../pure/arch/affinity.ts'
import type { Affinity } from '../../../pure/arch/affinity.ts'
import type { Walk, WalkFrame, WalkStep } from '../../../pure/rules/walk.ts'

export interface Moment {
  /** The frame it is about; `undefined` for the end of the whole walk. */
  readonly place: number | undefined
  readonly text: string
  readonly mood: 'read' | 'good' | 'bad'
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`
const KIB = 1024

const textOf = (step: WalkStep, wanted: Affinity): Moment => {
  const { place } = step
  switch (step.step) {
    case 'pidr2':
      return step.ok
        ? { place, mood: 'read', text: `GICR_PIDR2 reads ${hex(step.value)}: a redistributor of GICv3 is here.` }
        : {
            place,
            mood: 'bad',
            text: `GICR_PIDR2 reads ${hex(step.value)}: no redistributor is here, and the search ends.`,
          }
    case 'typer': {
      const said = affinityText(step.affinity)
      return step.matches
        ? { place, mood: 'good', text: `GICR_TYPER says ${said}: this is the one.` }
        : { place, mood: 'read', text: `GICR_TYPER says ${said}, not ${affinityText(wanted)}.` }
    }
    case 'last':
      return { place, mood: 'read', text: 'GICR_TYPER.Last is set: this region ends here.' }
    case 'stride':
      return { place, mood: 'read', text: `On by ${step.bytes / KIB} KiB, to ${hex(step.to)}.` }
  }
}

export const momentsOf = ({ steps, end }: Walk, wanted: Affinity, frames: readonly WalkFrame[]): readonly Moment[] => {
  const moments = steps.map((step) => textOf(step, wanted))
  if (end.end === 'found') return moments
  const regions = new Set(frames.map(({ region }) => region)).size
  const text =
    end.end === 'astray'
      ? `At ${hex(end.address)} is no frame: the stride and the frames disagree.`
      : `No frame of ${regions === 1 ? 'the region' : `${regions} regions`} says ${affinityText(wanted)}.`
  return [...moments, { place: undefined, mood: 'bad', text }]
}

/** What is known of each frame at a moment: what was read of it, or nothing yet. */
export type Knowledge = 'unseen' | 'passed' | 'here' | 'found'

export const knowledgeAt = (moments: readonly Moment[], at: number, frames: number): readonly Knowledge[] => {
  const known = Array.from({ length: frames }, (): Knowledge => 'unseen')
  for (const { place } of moments.slice(0, at + 1)) if (place !== undefined) known[place] = 'passed'
  const now = moments[at]
  if (now?.place !== undefined) known[now.place] = now.mood === 'good' ? 'found' : 'here'
  return known
}
