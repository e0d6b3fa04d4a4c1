/** The kinds of fields an event can have: how each lies in a trace's words, 32 bits a word. */

/** Where an event's words go. The numbers a field writes are taken modulo 2^32. */
export interface WordSink {
  word(value: number): void
}

export interface WordSource {
  /** The next word, as an unsigned number. */
  word(): number
}

export interface FieldKind<Value> {
  // Methods, so that a kind of a narrower value is a kind of any value.
  write(to: WordSink, value: Value): void
  read(from: WordSource): Value
}

export type Fields = Readonly<Record<string, FieldKind<unknown>>>
export type ValueOf<Kind> = Kind extends FieldKind<infer Value> ? Value : never
export type ValuesOf<Table extends Fields> = { readonly [Name in keyof Table]: ValueOf<Table[Name]> }

/** A whole number from 0 to 2^32 - 1. */
export const u32: FieldKind<number> = {
  write: (to, value) => to.word(value),
  read: (from) => from.word(),
}

const halves = new Uint32Array(2)
const whole = new BigUint64Array(halves.buffer)

/** An unsigned 64-bit value, low word first. */
export const u64: FieldKind<bigint> = {
  write: (to, value) => {
    whole[0] = value
    to.word(halves[0] ?? 0)
    to.word(halves[1] ?? 0)
  },
  read: (from) => {
    halves[0] = from.word()
    halves[1] = from.word()
    return whole[0] ?? 0n
  },
}

export const flag: FieldKind<boolean> = {
  write: (to, value) => to.word(value ? 1 : 0),
  read: (from) => from.word() !== 0,
}

const NOBODY = 0xffff_ffff

/** The index of a CPU, or `undefined` where there is none. */
export const maybeCpu: FieldKind<number | undefined> = {
  write: (to, value) => to.word(value ?? NOBODY),
  read: (from) => {
    const word = from.word()
    return word === NOBODY ? undefined : word
  },
}

/** One of a few names. A word that stands for none of them reads as the first. */
export const oneOf = <const Name extends string>(first: Name, ...others: readonly Name[]): FieldKind<Name> => {
  const names = [first, ...others]
  const numbers = new Map(names.map((name, number) => [name, number]))
  return {
    write: (to, value) => to.word(numbers.get(value) ?? 0),
    read: (from) => names[from.word()] ?? first,
  }
}

/** At most as many items as a machine has CPUs. */
const LONGEST = 512

export const list = <Item>(item: FieldKind<Item>): FieldKind<readonly Item[]> => ({
  write: (to, values) => {
    const length = Math.min(values.length, LONGEST)
    to.word(length)
    for (let i = 0; i < length; i++) {
      const value = values[i]
      if (value !== undefined) item.write(to, value)
    }
  },
  read: (from) => Array.from({ length: Math.min(from.word(), LONGEST) }, () => item.read(from)),
})

/** A reader of these fields, in their order; `into` may hold more. Called for each event there is: no copies. */
export const fieldReader = <Table extends Fields>(
  fields: Table,
): ((from: WordSource, into?: Record<string, unknown>) => ValuesOf<Table>) => {
  const names = Object.keys(fields)
  const kinds = Object.values(fields)
  const isComplete = (values: Record<string, unknown>, read: number): values is ValuesOf<Table> & typeof values =>
    read === names.length
  return (from, into = {}) => {
    let read = 0
    for (const name of names) into[name] = kinds[read++]?.read(from)
    if (!isComplete(into, read)) throw new Error('a field has no value')
    return into
  }
}

/** Several values under names. */
export const group = <Table extends Fields>(fields: Table): FieldKind<ValuesOf<Table>> => {
  const kinds = Object.entries(fields)
  const read = fieldReader(fields)
  return {
    write: (to, values) => {
      const named: Readonly<Record<string, unknown>> = values
      for (const [name, kind] of kinds) kind.write(to, named[name])
    },
    read: (from) => read(from),
  }
}

const MAX_TEXT = 240
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Text in UTF-8, cut off after 240 bytes. */
export const text: FieldKind<string> = {
  write: (to, value) => {
    const bytes = encoder.encode(value).subarray(0, MAX_TEXT)
    to.word(bytes.length)
    for (let i = 0; i < bytes.length; i += 4) {
      to.word(
        ((bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24)) >>>
          0,
      )
    }
  },
  read: (from) => {
    const bytes = new Uint8Array(Math.min(from.word(), MAX_TEXT))
    for (let i = 0; i < bytes.length; i += 4) {
      const word = from.word()
      for (let byte = 0; byte < 4 && i + byte < bytes.length; byte++) bytes[i + byte] = word >>> (8 * byte)
    }
    return decoder.decode(bytes)
  },
}
