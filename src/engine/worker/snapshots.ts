/** Snapshots for the page: what is in a file, and how the machine in it differs from the one that runs. */
import { diffImages } from '../../pure/image/diff.ts'
import type { VmImage } from '../../pure/image/image.ts'
import type { AnswerTo } from '../../pure/protocol/commands.ts'
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
