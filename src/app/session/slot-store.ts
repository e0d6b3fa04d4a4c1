/** Snapshots as the browser keeps them, from one visit to the next. Their bytes lie in blobs, which cost the page nothing. */
import * as z from 'zod/mini'
import { parseBlueprint } from '../../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { sentence } from './desk.ts'
import type { Loaded } from './guests.ts'

/** A machine that is kept. */
export interface KeptSlot {
  /** When it was kept, in milliseconds since 1970; no two are the same. */
  readonly id: number
  readonly name: string
  readonly file: Blob
  readonly blueprint: Blueprint
  readonly virtualNs: number
}

/** One of which no more can be told than its name and what is wrong with it. */
export interface SpoiltSlot {
  readonly id: number
  readonly name: string
  readonly what: string
}

export interface KeptSlots {
  readonly slots: readonly KeptSlot[]
  readonly spoilt: readonly SpoiltSlot[]
}

/** Each answers what the browser has against it, as a sentence. */
export interface SlotStore {
  /** In no order. */
  all(): Promise<Loaded<KeptSlots>>
  keep(slot: KeptSlot): Promise<Loaded<undefined>>
  forget(id: number): Promise<Loaded<undefined>>
}

const VERSION = 1

const rowSchema = z.object({
  version: z.literal(VERSION),
  id: z.number(),
  name: z.string(),
  file: z.instanceof(Blob),
  blueprint: z.unknown(),
  virtualNs: z.number(),
})

const named = z.object({ name: z.string(), version: z.unknown() })

/** Reads what was kept under a number; what another version kept, or nobody, is told by its name. */
export const readSlot = (id: number, row: unknown): KeptSlot | SpoiltSlot => {
  const known = named.safeParse(row)
  const name = known.success ? known.data.name : `Snapshot ${id}`
  const spoilt = (what: string): SpoiltSlot => ({ id, name, what })
  if (known.success && known.data.version !== VERSION) {
    return spoilt(`It is of version ${String(known.data.version)}, and this page knows version ${VERSION}.`)
  }
  const read = rowSchema.safeParse(row)
  if (!read.success) return spoilt(`It is damaged at "${read.error.issues[0]?.path.join('.') ?? ''}".`)
  const blueprint = parseBlueprint(read.data.blueprint)
  if (!blueprint.ok) return spoilt(`Its machine is not understood: ${blueprint.what}`)
  const { file, virtualNs } = read.data
  return { id, name, file, blueprint: blueprint.blueprint, virtualNs }
}

const DATABASE = 'gicscope'
const DATABASE_VERSION = 1
const ROWS = 'snapshots'

const answered = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error ?? new Error('no reason is given')))
  })

const opened = (factory: IDBFactory): Promise<IDBDatabase> => {
  const request = factory.open(DATABASE, DATABASE_VERSION)
  request.addEventListener('upgradeneeded', () => request.result.createObjectStore(ROWS))
  return answered(request)
}

/** What is written is there once its transaction is complete: a disk that is full is found out by then. */
const completed = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    const fail = (): void => reject(transaction.error ?? new Error('no reason is given'))
    transaction.addEventListener('complete', () => resolve())
    transaction.addEventListener('abort', fail)
    transaction.addEventListener('error', fail)
  })

/** `indexedDb` may throw, as it does where a browser keeps nothing for a page. */
export const createSlotStore = (indexedDb: () => IDBFactory): SlotStore => {
  const rows = async <T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => Promise<T>): Promise<Loaded<T>> => {
    try {
      const database = await opened(indexedDb())
      try {
        const transaction = database.transaction(ROWS, mode)
        const done = completed(transaction)
        const [value] = await Promise.all([act(transaction.objectStore(ROWS)), done])
        return { ok: true, value }
      } finally {
        database.close()
      }
    } catch (error) {
      return { ok: false, what: sentence(error) }
    }
  }
  return {
    all: () =>
      rows('readonly', async (store) => {
        const [ids, values] = await Promise.all([answered(store.getAllKeys()), answered(store.getAll())])
        const read = ids.map((id, i) => readSlot(Number(id), values[i]))
        return {
          slots: read.filter((slot) => 'file' in slot),
          spoilt: read.filter((slot) => 'what' in slot),
        }
      }),
    keep: (slot) =>
      rows('readwrite', async (store) => {
        await answered(store.add({ version: VERSION, ...slot }, slot.id))
        return undefined
      }),
    forget: (id) => rows('readwrite', (store) => answered(store.delete(id))),
  }
}
