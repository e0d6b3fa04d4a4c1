/** Where the machine of some options comes from: files that it boots, or a snapshot that it goes on with. */
import { readFileSync } from 'node:fs'
import { parseSnapshot } from '../engine/vmm/snapshot.ts'
import { restoreVmm } from '../engine/vmm/restore-vmm.ts'
import { createVmm } from '../engine/vmm/vmm.ts'
import type { Made, VmmOptions } from '../engine/vmm/vmm.ts'
import type { GicVersion } from '../pure/blueprint/blueprint.ts'
import { parseOrder } from '../pure/image/order-text.ts'
import { ordersFor } from '../pure/image/orders.ts'
import { guestFiles } from './guest-files.ts'
import { blueprintOf, restoredBlueprint } from './machine.ts'
import type { Options } from './options.ts'

const seconds = (): number => Math.floor(Date.now() / 1000)

export type Start = Pick<VmmOptions, 'onConsole' | 'engine' | 'trace' | 'metered' | 'wallClockSeconds'>

/** Where a machine comes from: how to make it, and how to make it anew when its guest resets. */
export type Source =
  | { readonly ok: true; readonly make: (start: Start) => Made; readonly again: (start: Start) => Made }
  | { readonly ok: false; readonly what: string }

const booting = (options: Options): Source => {
  const machine = blueprintOf(options)
  if (!machine.ok) return machine
  const { blueprint } = machine
  const found = guestFiles(blueprint, options)
  if (!found.ok) return found
  const make = (start: Start): Made =>
    createVmm({ wallClockSeconds: seconds(), ...start, blueprint, guest: found.files })
  return { ok: true, make, again: make }
}

type Bytes = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly what: string }

const bytesOf = (file: string): Bytes => {
  try {
    return { ok: true, bytes: readFileSync(file) }
  } catch (error) {
    return { ok: false, what: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** An order by its name, or from a file. */
const orderOf = (asked: string, version: GicVersion): ReturnType<typeof parseOrder> => {
  const known = ordersFor(version)[asked]
  if (known !== undefined) return { ok: true, order: known }
  const read = bytesOf(asked)
  if (!read.ok) {
    const names = Object.keys(ordersFor(version)).join(', ')
    return { ok: false, what: `--restore-order: ${read.what}; the orders for a GICv${version} are ${names}.` }
  }
  const parsed = parseOrder(new TextDecoder().decode(read.bytes), version, asked)
  return parsed.ok ? parsed : { ok: false, what: `${asked}: ${parsed.what}` }
}

const restoring = (options: Options, file: string): Source => {
  const read = bytesOf(file)
  if (!read.ok) return read
  const parsed = parseSnapshot(read.bytes)
  if (!parsed.ok) return { ok: false, what: `${file}: ${parsed.what}` }
  const { snapshot } = parsed
  const machine = restoredBlueprint(options, snapshot.blueprint)
  if (!machine.ok) return machine
  const { ruleSet, base, host } = machine.blueprint
  const ordered = orderOf(options.restoreOrder ?? 'documented', snapshot.image.gic.version)
  if (!ordered.ok) return ordered
  const { order } = ordered
  return {
    ok: true,
    make: (start) => restoreVmm({ ...start, snapshot, onto: { ruleSet, base, host }, order }),
    again: () => ({ ok: false, what: 'The guest reset itself; a restored machine has no files to boot from.' }),
  }
}

export const sourceOf = (options: Options): Source =>
  options.restore === undefined ? booting(options) : restoring(options, options.restore)
