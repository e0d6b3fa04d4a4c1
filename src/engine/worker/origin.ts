/** What a machine began as, and begins as again where a person wants the same run once more. */
import type { Command } from '../../pure/protocol/commands.ts'
import type { GuestFiles } from '../vmm/vmm.ts'

/** What a machine is made of, and made of again when its guest resets it. */
export interface Build extends Omit<Extract<Command, { command: 'build' }>, 'command' | 'guest'> {
  readonly guest: GuestFiles
  /** What its real-time clock begins with. */
  readonly date: number
}

export type Origin =
  | { readonly kind: 'build'; readonly build: Build }
  | { readonly kind: 'snapshot'; readonly command: Extract<Command, { command: 'restore' }>; readonly its: boolean }

/** Whether saving it writes to its guest's RAM: what its ITS holds, and which LPIs are pending. */
export const savesToRam = (origin: Origin | undefined): boolean =>
  origin !== undefined && (origin.kind === 'snapshot' ? origin.its : origin.build.blueprint.its)

/** `beganAt`: not 0 where it came from a snapshot. */
export const tooEarly = (beganAt: number): string =>
  `This machine came from a snapshot of ${(beganAt / 1e9).toFixed(9)} s: what was before is not known.`
