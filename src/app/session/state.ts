/** What the page knows. Everything that follows from it is computed where it is shown. */
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import type { Edit } from '../../pure/blueprint/edits.ts'
import type { OrderId } from '../../pure/image/orders.ts'
import type { PlanCall, RegisterDifference, RestoreStopView } from '../../pure/protocol/commands.ts'
import type { EngineId, KernelLogView, LogLine, MachineView, RunView } from '../../pure/protocol/views.ts'
import type { ScenarioId } from '../../pure/scenarios/library.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import type { BookId } from '../../pure/uapi/registers/book.ts'
import type { FileRole, GuestEntry, Loading } from './guests.ts'
import type { KeptSlot, SpoiltSlot } from './slot-store.ts'
import type { LogEvent } from './trace/log.ts'

export interface CallRecord {
  readonly id: number
  /** The plan that built the machine, or the person at the page. */
  readonly by: 'plan' | 'you'
  /** Virtual nanoseconds. */
  readonly at: number
  readonly call: KvmCall
  readonly answer: KvmAnswer
  /** What is in effect afterwards, read back. */
  readonly effective?: bigint
}

/** What can be taken back: an edit of the document, or calls on the machine that runs. */
export type Step =
  | { readonly kind: 'edit'; readonly edit: Edit }
  | { readonly kind: 'calls'; readonly calls: readonly KvmCall[]; readonly inverse: readonly KvmCall[] }

/** A machine that ran before the present one, and what its kernel had said by then. */
export interface EarlierBoot {
  readonly blueprint: Blueprint
  readonly lines: readonly LogLine[]
}

/** A file that a person dropped. The worker keeps what is in it. */
export interface OwnFile {
  /** The person's name for it. */
  readonly name: string
  /** The worker's. */
  readonly kept: string
}

/** What the registers pane shows: it stays when a layout shows the pane elsewhere. */
export interface RegistersView {
  readonly book: BookId
  /** What is searched for. */
  readonly words: string
  /** The register by its name. */
  readonly selected: string | undefined
}

/** The last mistake made on purpose. */
export interface Injected {
  readonly what: string
  /** What KVM answered; `undefined`: it could not be made. */
  readonly answer: KvmAnswer | undefined
  /** What takes it back, where it was made. */
  readonly step: Step | undefined
}

/** A machine that is kept, to go on with, beside the one that runs. */
export interface Slot extends KeptSlot {
  /** In which registers the machine that runs differs, some of `total`; none runs: `undefined`. */
  readonly differences: readonly RegisterDifference[] | undefined
  readonly total: number
  /** What the browser has against keeping it after this visit. */
  readonly unkept: string | undefined
}

/** In which order a machine is put together again: one that is known by its name, or an own one. */
export interface RestoreOrder {
  readonly chosen: OrderId | 'own'
  /** The own one, as `pure/image/order-text.ts` reads it. */
  readonly text: string
}

/** Where KVM refused to put a machine together again. */
export interface RefusedRestore {
  readonly slot: number
  readonly stop: RestoreStopView
}

export interface SessionState {
  /** The machine of the next boot. */
  readonly draft: Blueprint
  /** The machine that was built. */
  readonly running: Blueprint | undefined
  readonly engine: EngineId
  readonly scenario: ScenarioId | undefined
  readonly undo: readonly Step[]
  readonly redo: readonly Step[]
  /** Nothing yet while the list is being fetched. */
  readonly guests: readonly GuestEntry[] | undefined
  readonly own: Readonly<Partial<Record<FileRole, OwnFile>>>
  /** The text of the embedded program, where a person changed it. */
  readonly program: string | undefined
  readonly loading: Loading | undefined
  readonly run: RunView | undefined
  readonly machine: MachineView | undefined
  readonly calls: readonly CallRecord[]
  /** The calls of a build that ended at a refusal, until one succeeds. */
  readonly refusedPlan: readonly PlanCall[] | undefined
  readonly log: KernelLogView | undefined
  /** Those of this visit that had a kernel log, the last first. */
  readonly earlier: readonly EarlierBoot[]
  /** The newest first. */
  readonly slots: readonly Slot[]
  /** Those that cannot be gone on with. */
  readonly spoilt: readonly SpoiltSlot[]
  readonly order: RestoreOrder
  /** Until the next restore. */
  readonly refusedRestore: RefusedRestore | undefined
  /** The last thing that went wrong, as a sentence. */
  readonly trouble: string | undefined
  /** What was wrong when the page opened: it stays until a person puts it away, whatever boots meanwhile. */
  readonly notices: readonly string[]
  readonly selected: number
  /** Addresses, in order. */
  readonly breakpoints: readonly bigint[]
  /** Virtual time per wall time, at most; `undefined`: as fast as it goes. */
  readonly speed: number | undefined
  /** The moment of virtual time that a pane last pointed at; another object each time. */
  readonly moment: { readonly at: number } | undefined
  readonly registers: RegistersView
  /** The interrupt that is looked at. */
  readonly intid: number | undefined
  /** The event that is selected on the timeline, while that is shown. */
  readonly event: LogEvent | undefined
  readonly injected: Injected | undefined
}

export const initialState: SessionState = {
  draft: defaultBlueprint,
  running: undefined,
  engine: 'translator',
  scenario: 'default',
  undo: [],
  redo: [],
  guests: undefined,
  own: {},
  program: undefined,
  loading: undefined,
  run: undefined,
  machine: undefined,
  calls: [],
  refusedPlan: undefined,
  log: undefined,
  earlier: [],
  slots: [],
  spoilt: [],
  order: { chosen: 'documented', text: '' },
  refusedRestore: undefined,
  trouble: undefined,
  notices: [],
  selected: 0,
  breakpoints: [],
  speed: undefined,
  moment: undefined,
  registers: { book: 'GICD', words: '', selected: undefined },
  intid: undefined,
  event: undefined,
  injected: undefined,
}
