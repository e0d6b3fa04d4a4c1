/** What a case is. */
import type { HostProfile, KernelBase, RuleSetId } from '../../pure/blueprint/host.ts'

/** Where and under which rules. */
export interface Env {
  readonly ruleSet: RuleSetId
  readonly base: KernelBase
  readonly host: HostProfile
}

/** What the oracle prints, by the id of its line. */
export type Probes = Readonly<Record<string, (env: Env) => string>>

/** One row: what it does, and what KVM answers. */
export interface KvmCase {
  readonly id: string
  readonly title: string
  readonly host: HostProfile
  readonly run: (env: Env) => string
  /** Column by column; an absent one is as the one to its left. `patch-v1` on the base it was written for, v6.8. */
  readonly mainline: string
  readonly patch?: string
  readonly full?: string
  /** mainline on v6.1, where it differs. */
  readonly older?: string
}
