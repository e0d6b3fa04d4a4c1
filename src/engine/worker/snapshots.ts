/** Snapshots for the page: what is in a file, and how the machine in it differs from the one that runs. */
import { diffImages } from '../../pure/image/diff.ts'
import type { VmImage } from '../../pure/image/image.ts'
import { parseOrder } from '../../pure/image/order-text.ts'
import type { RestoreStop } from '../../pure/image/restore.ts'
import type { AnswerTo, Command, RestoreStopView } from '../../pure/protocol/commands.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import type { RestoreOptions } from '../vmm/restore-vmm.ts'
import { parseSnapshot } from '../vmm/snapshot.ts'

/** Differences that are told; of more, how many there are. */
const TOLD = 200

/** `running`: what KVM holds of the machine that runs, where one does. */
export const readSnapshot = (file: Uint8Array, running: VmImage | undefined): AnswerTo<'readSnapshot'> => {
  const read = parseSnapshot(file)
  if (!read.ok) return read
  const { blueprint, image, run } = read.snapshot
  const told = { ok: true, blueprint, virtualNs: run.now } as const
  if (running === undefined) return { ...told, total: 0 }
  const all = diffImages(running, image)
  const differences = all.slice(0, TOLD).map(({ what, before, after }) => ({
    what,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  }))
  return { ...told, total: all.length, differences }
}

type Wanted =
  | {
      readonly ok: true
      readonly wanted: Pick<RestoreOptions, 'snapshot' | 'onto' | 'order'>
      /** Of the machine that goes on. */
      readonly blueprint: Blueprint
    }
  | { readonly ok: false; readonly what: string }

/** What a restore is to do, or why it cannot. */
export const wantedRestore = ({ file, onto, order }: Extract<Command, { command: 'restore' }>): Wanted => {
  const read = parseSnapshot(file)
  if (!read.ok) return read
  const { snapshot } = read
  const parsed = order === undefined ? undefined : parseOrder(order, snapshot.image.gic.version, 'the page')
  if (parsed?.ok === false) return { ok: false, what: `The order of restoring: ${parsed.what}` }
  const place = onto === undefined ? undefined : { ruleSet: onto.ruleSet, base: onto.base, host: onto.host }
  return {
    ok: true,
    wanted: {
      snapshot,
      ...(place === undefined ? {} : { onto: place }),
      ...(parsed === undefined ? {} : { order: parsed.order }),
    },
    blueprint: { ...snapshot.blueprint, ...place },
  }
}

export const stopView = ({ step, errno, why, source, had }: RestoreStop): RestoreStopView => ({
  what: step.what,
  call: step.call,
  answer: { ok: false, errno, why, source },
  ...(step.wanted === undefined ? {} : { wanted: step.wanted }),
  ...(had === undefined ? {} : { had }),
})
