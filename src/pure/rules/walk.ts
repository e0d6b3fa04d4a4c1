/**
 * A guest's search for the redistributor of a CPU, step by step, as Linux makes it (drivers/irqchip/irq-gic-v3.c:
 * gic_iterate_rdists() and __gic_populate_rdist()).
 */
import { typerAffinity } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { GICR_SIZE, GICR_TYPER } from '../arch/gic/gicr.ts'
import { decodeField } from '../arch/register.ts'

/** A redistributor as the walk meets it. */
export interface WalkFrame {
  readonly base: number
  readonly region: number
  /** GICR_TYPER as it reads. */
  readonly typer: bigint
  /** GICR_PIDR2 as it reads. */
  readonly pidr2: bigint
}

export type WalkStep =
  /** The first thing read of a region: whether a redistributor of GICv3 or GICv4 is there at all. */
  | { readonly step: 'pidr2'; readonly place: number; readonly value: bigint; readonly ok: boolean }
  | { readonly step: 'typer'; readonly place: number; readonly affinity: Affinity; readonly matches: boolean }
  /** GICR_TYPER.Last: nothing more is looked at in this region. */
  | { readonly step: 'last'; readonly place: number }
  /** On to where the next frame must be: 128 KiB on, 256 KiB where there are virtual LPIs. */
  | { readonly step: 'stride'; readonly place: number; readonly bytes: number; readonly to: number }

export type WalkEnd =
  | { readonly end: 'found'; readonly place: number }
  /** Every region was walked to its Last, or broke off. */
  | { readonly end: 'missed' }
  /** The stride led to where no frame is. */
  | { readonly end: 'astray'; readonly address: number }

export interface Walk {
  readonly steps: readonly WalkStep[]
  readonly end: WalkEnd
}

/** GICR_PIDR2.ArchRev, bits 7:4: 3 for GICv3, 4 for GICv4. */
const ARCH_REV = { mask: 0xf0n, v3: 0x30n, v4: 0x40n } as const

/** `frames` in address order; a region begins where its number changes. */
export const walkFrames = (wanted: Affinity, frames: readonly WalkFrame[]): Walk => {
  const steps: WalkStep[] = []
  const firsts = frames.flatMap(({ region }, place) => (frames[place - 1]?.region === region ? [] : [place]))
  for (const first of firsts) {
    const { pidr2, base } = frames[first] ?? { pidr2: 0n, base: 0 }
    const revision = pidr2 & ARCH_REV.mask
    const ok = revision === ARCH_REV.v3 || revision === ARCH_REV.v4
    steps.push({ step: 'pidr2', place: first, value: pidr2, ok })
    // "No redistributor present": the other regions are not looked at either.
    if (!ok) break
    let address = base
    for (;;) {
      const place = frames.findIndex((frame) => frame.base === address)
      const frame = frames[place]
      if (frame === undefined) return { steps, end: { end: 'astray', address } }
      const affinity = typerAffinity.decode(frame.typer)
      const matches = affinity === wanted
      steps.push({ step: 'typer', place, affinity, matches })
      if (matches) return { steps, end: { end: 'found', place } }
      if (decodeField(GICR_TYPER, 'Last', frame.typer) === 1n) {
        steps.push({ step: 'last', place })
        break
      }
      const bytes = decodeField(GICR_TYPER, 'VLPIS', frame.typer) === 1n ? 2 * GICR_SIZE : GICR_SIZE
      address += bytes
      steps.push({ step: 'stride', place, bytes, to: address })
    }
  }
  return { steps, end: { end: 'missed' } }
}
