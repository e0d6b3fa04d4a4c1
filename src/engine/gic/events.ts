/** What the GIC tells whoever draws a timeline. */
import type { Affinity } from '../../pure/arch/affinity.ts'

export interface SgiMiss {
  readonly affinity: Affinity
  readonly why: string
}

export type GicEvent =
  | {
      readonly kind: 'sgiSent'
      readonly cpu: number
      readonly register: 'ICC_SGI1R_EL1' | 'ICC_ASGI1R_EL1' | 'ICC_SGI0R_EL1'
      readonly value: bigint
      readonly intid: number
      readonly targets: readonly number[]
      readonly misses: readonly SgiMiss[]
    }
  /** `cpu` is undefined where no CPU has the affinity the interrupt is routed to. */
  | { readonly kind: 'irqPending'; readonly intid: number; readonly cpu: number | undefined }
  | { readonly kind: 'acknowledged'; readonly cpu: number; readonly intid: number; readonly priority: number }
  | { readonly kind: 'eoi'; readonly cpu: number; readonly intid: number; readonly deactivated: boolean }

export type GicEventSink = (event: GicEvent) => void
