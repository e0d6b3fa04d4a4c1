/** Where compiled code finds the tables of `pure/arch/a64/lookup-tables.ts`: one behind the other in the machine's memory. */
import { LOOKUP_TABLES } from '../../pure/arch/a64/lookup-tables.ts'
import type { LookupTable } from '../../pure/arch/a64/lookup-tables.ts'
import { lookupTables } from './layout.ts'

/** Bytes of an entry. */
const ENTRY = 4

const places = new Map<string, number>()
let end = lookupTables.START
for (const [name, table] of Object.entries(LOOKUP_TABLES)) {
  places.set(name, end)
  end += table.length * ENTRY
}
if (end > lookupTables.END) throw new Error('the tables do not fit their place')

/** Address of an entry. */
export function entryAddress(name: LookupTable, index: number): number {
  const place = places.get(name)
  if (place === undefined) throw new Error(`no table ${name}`)
  return place + index * ENTRY
}

export function writeLookupTables(memory: ArrayBuffer): void {
  for (const [name, table] of Object.entries(LOOKUP_TABLES))
    new Uint32Array(memory, places.get(name), table.length).set(table)
}
