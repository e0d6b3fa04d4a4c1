/** What the driver of compiled code has to do once that code has returned. */

/**
 * Why a slice ended. `yield`: the CPU gave its turn away, as one does that looks again and again at something;
 * `back`: somebody wants the slice back, for what is due earlier than was known or for a CPU that has become ready.
 */
export type SliceEnd = 'budget' | 'wait' | 'yield' | 'back' | 'off' | 'stop' | 'break'

export interface Abort {
  readonly kind: 'abort'
  readonly fetch: boolean
  readonly write: boolean
  /** Fault status code (ESR_ELx.ISS.DFSC or IFSC). */
  readonly dfsc: number
  readonly far: bigint
  /** The access was cache maintenance (ISS.CM). */
  readonly maintenance?: boolean
  /** PSTATE.BTYPE, where a branch led to the fault. */
  readonly branchType?: number
}

export type Pending =
  | { readonly kind: 'none' }
  | Abort
  /** A synchronous exception with this syndrome. */
  | {
      readonly kind: 'sync'
      readonly esr: number
      readonly returnTo: bigint
      readonly far?: bigint
      /** PSTATE.BTYPE, where it matters. */
      readonly branchType?: number
    }
  /** SVC: the instruction is done when its exception is taken. */
  | { readonly kind: 'svc'; readonly imm: number }
  | { readonly kind: 'jump'; readonly pc: bigint; readonly end?: SliceEnd; readonly branchType?: number }
  /** An exception has returned to where the PC says. */
  | { readonly kind: 'returned'; readonly branchType: number }
  /** The instruction under way is one that somebody may want to stop at. */
  | { readonly kind: 'break' }

export const NOTHING: Pending = { kind: 'none' }
export const BREAK: Pending = { kind: 'break' }
