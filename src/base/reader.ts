/** Reading documents from outside: what is wrong is one sentence that names the field and what is there. */

/** Thrown while a document is read: the first thing that is wrong ends the reading. */
export class Wrong extends Error {}

/** A value as a sentence names it; what is inside an object or a list is not looked at. */
export const quoted = (value: unknown): string => {
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 40 ? `${text.slice(0, 37)}...` : text
}

export const record = (field: string, value: unknown): ReadonlyMap<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Wrong(`${field} must be an object; it is ${quoted(value)}.`)
  }
  return new Map(Object.entries(value))
}

export const oneOf = <const T>(field: string, known: readonly T[], value: unknown): T => {
  const found = known.find((candidate) => candidate === value)
  if (found === undefined) throw new Wrong(`${field} must be one of ${known.join(', ')}; it is ${quoted(value)}.`)
  return found
}

export const integer = (field: string, min: number, max: number, value: unknown, unit = ''): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new Wrong(`${field} must be a whole number from ${min} to ${max}${unit}; it is ${quoted(value)}.`)
  }
  return value
}

export const truth = (field: string, value: unknown): boolean => {
  if (typeof value !== 'boolean') throw new Wrong(`${field} must be true or false; it is ${quoted(value)}.`)
  return value
}

export const onlyKnown = (field: string, map: ReadonlyMap<string, unknown>, known: readonly string[]): void => {
  const extra = [...map.keys()].find((key) => !known.includes(key))
  if (extra !== undefined) throw new Wrong(`${field} has "${extra}", which is not one of ${known.join(', ')}.`)
}

export interface NotRead {
  readonly ok: false
  readonly what: string
}

/** Runs a reader; what it found wrong becomes an answer. */
export const readWith = <T>(read: () => T): T | NotRead => {
  try {
    return read()
  } catch (error) {
    if (error instanceof Wrong) return { ok: false, what: error.message }
    throw error
  }
}

export const list = (field: string, value: unknown): readonly unknown[] => {
  if (!Array.isArray(value)) throw new Wrong(`${field} must be a list; it is ${quoted(value)}.`)
  return value
}

/** A number of any size, as `0x…`. */
export const bigHex = (field: string, bits: number, value: unknown): bigint => {
  if (typeof value !== 'string' || !/^0x[0-9a-f]+$/.test(value) || BigInt(value) >> BigInt(bits) !== 0n) {
    throw new Wrong(`${field} must be a number of ${bits} bits, as 0x and digits; it is ${quoted(value)}.`)
  }
  return BigInt(value)
}
