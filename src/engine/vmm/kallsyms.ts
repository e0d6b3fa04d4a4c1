/**
 * The guest kernel's own symbols, found in its RAM without knowing where they are (kernel/kallsyms.c,
 * scripts/kallsyms.c). The table of tokens is found by its digits, the index behind it proves it; markers, names and
 * addresses are found from there, and the markers prove the names.
 */

export interface Symbols {
  readonly count: number
  /** The name of the symbol at or before an address, and how far after it the address is. */
  at(address: bigint): { readonly name: string; readonly offset: number } | undefined
  /** The addresses of all symbols of this name: functions that are static to a file may share one. */
  find(name: string): readonly bigint[]
}

export type FoundSymbols =
  | { readonly ok: true; readonly symbols: Symbols }
  | { readonly ok: false; readonly what: string }

const TOKENS = 256
const BLOCK = 256
/** A block of names is no longer than this: KSYM_NAME_LEN is 512, and names are compressed. */
const LONGEST_BLOCK = BLOCK * 256
/** `0` to `9`, each a token of its own: Linux leaves characters that occur in names to themselves. */
const DIGITS = Uint8Array.from([...'0123456789'].flatMap((digit) => [digit.charCodeAt(0), 0]))
const ascii = new TextDecoder('latin1')

const aligned = (at: number, to: number): number => Math.ceil(at / to) * to

const same = (bytes: Uint8Array, at: number, wanted: Uint8Array): boolean => {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
  return true
}

interface Tokens {
  readonly start: number
  /** Behind the index. */
  readonly end: number
  readonly texts: readonly string[]
}

/** The tokens from `start` on, if an index of their places follows them. */
const tokensAt = (bytes: Uint8Array, view: DataView, start: number): Tokens | undefined => {
  const texts: string[] = []
  const places: number[] = []
  let at = start
  while (texts.length < TOKENS) {
    const end = bytes.indexOf(0, at)
    if (end < 0 || end - at > 64) return undefined
    places.push(at - start)
    texts.push(ascii.decode(bytes.subarray(at, end)))
    at = end + 1
  }
  for (let index = aligned(at, 2); index < at + 16 && index + 2 * TOKENS <= bytes.length; index += 2) {
    if (places.every((place, i) => view.getUint16(index + 2 * i, true) === place))
      return { start, end: index + 2 * TOKENS, texts }
  }
  return undefined
}

const findTokens = (bytes: Uint8Array, view: DataView): Tokens | undefined => {
  const [first = 0] = DIGITS
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (!same(bytes, at, DIGITS)) continue
    // As many tokens stand before that of `0` as its code says.
    let start = at
    for (let token = first; token > 0 && start > 0; token--) start = bytes.lastIndexOf(0, start - 2) + 1
    const tokens = tokensAt(bytes, view, start)
    if (tokens !== undefined) return tokens
  }
  return undefined
}

/** Rising offsets of every 256th name, the first of them 0. */
interface Markers {
  readonly at: number
  readonly offsets: readonly number[]
}

/** The markers that end at a place, if they do. */
const markersBefore = (view: DataView, end: number): Markers | undefined => {
  const offsets: number[] = []
  let above = view.getUint32(end - 4, true) + 1
  for (let at = end - 4; at >= 0; at -= 4) {
    const marker = view.getUint32(at, true)
    if (marker >= above || above - marker > LONGEST_BLOCK) return undefined
    offsets.push(marker)
    above = marker
    if (marker === 0) return offsets.length > 1 ? { at, offsets: offsets.toReversed() } : undefined
  }
  return undefined
}

/** The length of a name in bytes and where it begins: in two bytes where one is too few (since v6.1). */
const nameAt = (bytes: Uint8Array, at: number): { readonly from: number; readonly length: number } => {
  const low = bytes[at] ?? 0
  if ((low & 0x80) === 0) return { from: at + 1, length: low }
  return { from: at + 2, length: (low & 0x7f) | ((bytes[at + 1] ?? 0) << 7) }
}

const after = (bytes: Uint8Array, at: number, names: number): number => {
  for (let n = 0; n < names; n++) {
    const { from, length } = nameAt(bytes, at)
    at = from + length
  }
  return at
}

interface Names {
  readonly start: number
  /** Where the number of them lies. */
  readonly countAt: number
  readonly count: number
}

/** Names begin where the markers say that every 256th of them begins, and end just before the markers. */
const namesBefore = (
  bytes: Uint8Array,
  view: DataView,
  { at: markersAt, offsets: markers }: Markers,
): Names | undefined => {
  const last = markers.at(-1) ?? 0
  const whole = (markers.length - 1) * BLOCK
  for (
    let start = Math.floor((markersAt - last) / 4) * 4;
    start > markersAt - last - LONGEST_BLOCK && start >= 8;
    start -= 4
  ) {
    for (const countAt of [start - 8, start - 4]) {
      const count = view.getUint32(countAt, true)
      if (count <= whole || count > whole + BLOCK) continue
      if (
        markers.slice(0, -1).some((marker, i) => after(bytes, start + marker, BLOCK) !== start + (markers[i + 1] ?? 0))
      )
        continue
      const end = after(bytes, start + last, count - whole)
      if (end <= markersAt && markersAt - end < 16) return { start, countAt, count }
    }
  }
  return undefined
}

/**
 * Between markers and tokens there may be three bytes for each name, their alphabetical order (since v6.2, and in
 * stable kernels before): the markers end somewhere there.
 */
const LONGEST_ORDER = 3 << 20

const findNames = (
  bytes: Uint8Array,
  view: DataView,
  tokensStart: number,
): (Names & { readonly markers: readonly number[] }) | undefined => {
  for (let end = Math.floor(tokensStart / 4) * 4; end > Math.max(8, tokensStart - LONGEST_ORDER); end -= 4) {
    const markers = markersBefore(view, end)
    const names = markers && namesBefore(bytes, view, markers)
    if (markers !== undefined && names !== undefined) return { ...names, markers: markers.offsets }
  }
  return undefined
}

const KERNEL_HALF = 0xffffn

/** Offsets from a base: before the number of names, or (since v6.4) behind the tokens. */
const findAddresses = (
  view: DataView,
  { countAt, count }: Names,
  tokensEnd: number,
): { readonly base: bigint; readonly offsets: number } | undefined => {
  const size = 4 * count
  const baseBefore = Math.floor((countAt - 8) / 8) * 8
  const offsetsBehind = aligned(tokensEnd, 8)
  const places = [
    { baseAt: offsetsBehind + aligned(size, 8), offsets: offsetsBehind },
    { baseAt: offsetsBehind - 4 + aligned(size, 8), offsets: offsetsBehind - 4 },
    { baseAt: baseBefore, offsets: baseBefore - aligned(size, 8) },
  ]
  for (const { baseAt, offsets } of places) {
    if (offsets < 0 || baseAt % 4 !== 0 || baseAt + 8 > view.byteLength || offsets + size > view.byteLength) continue
    const base = view.getBigUint64(baseAt, true)
    if (base >> 48n !== KERNEL_HALF) continue
    let rises = true
    for (let i = 1; i < count && rises; i++)
      rises = view.getUint32(offsets + 4 * i, true) >= view.getUint32(offsets + 4 * i - 4, true)
    if (rises) return { base, offsets }
  }
  return undefined
}

const NOT_FOUND = 'No symbols: the guest has no kallsyms of Linux in its memory, or not yet.'

/** `ram`: the part of RAM that holds the kernel. It is read again for each answer, and not copied. */
export const findSymbols = (ram: Uint8Array): FoundSymbols => {
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength)
  const tokens = findTokens(ram, view)
  if (tokens === undefined) return { ok: false, what: NOT_FOUND }
  const names = findNames(ram, view, tokens.start)
  const addresses = names && findAddresses(view, names, tokens.end)
  if (names === undefined || addresses === undefined) {
    return { ok: false, what: 'No symbols: the kernel lays out its kallsyms in a way that is not known here.' }
  }
  const { base, offsets } = addresses
  const { count, start, markers } = names

  const offsetOf = (symbol: number): number => view.getUint32(offsets + 4 * symbol, true)
  const textOf = (at: number): string => {
    const { from, length } = nameAt(ram, at)
    let text = ''
    for (let i = 0; i < length; i++) text += tokens.texts[ram[from + i] ?? 0] ?? ''
    // The first letter is the symbol's type.
    return text.slice(1)
  }

  return {
    ok: true,
    symbols: {
      count,
      at: (address) => {
        const away = address - base
        if (away < 0n || away > 0xffff_ffffn) return undefined
        const wanted = Number(away)
        let low = 0
        let high = count
        while (low < high) {
          const middle = (low + high) >>> 1
          if (offsetOf(middle) <= wanted) low = middle + 1
          else high = middle
        }
        // The last symbol is the kernel's end: nothing is after it.
        if (low === 0 || low === count) return undefined
        let symbol = low - 1
        // Of several at one address the first is the one that the kernel itself prints.
        while (symbol > 0 && offsetOf(symbol - 1) === offsetOf(symbol)) symbol--
        const block = start + (markers[Math.floor(symbol / BLOCK)] ?? 0)
        return { name: textOf(after(ram, block, symbol % BLOCK)), offset: wanted - offsetOf(symbol) }
      },
      find: (name) => {
        const all: bigint[] = []
        let at = start
        for (let symbol = 0; symbol < count; symbol++) {
          if (textOf(at) === name) all.push(base + BigInt(offsetOf(symbol)))
          at = after(ram, at, 1)
        }
        return all
      },
    },
  }
}
