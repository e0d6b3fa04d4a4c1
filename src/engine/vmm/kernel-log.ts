/**
 * The guest kernel's log, read out of its RAM: what it said before any console worked, or when none works any more.
 * Needs no symbols: kernel/printk/printk_ringbuffer.h's structures are found by their shape. All of it is the
 * guest's memory and may hold anything, so nothing read is trusted before it is checked.
 */

export interface LogLine {
  /** include/linux/kern_levels.h: 0 (emergency) to 7 (debug). */
  readonly level: number
  readonly seconds: number
  readonly text: string
}

export type KernelLog =
  | { readonly ok: true; readonly lines: readonly LogLine[] }
  | { readonly ok: false; readonly what: string }

/** Guest RAM; `undefined` where there is none. */
export type ReadRam = (physical: number, length: number) => Uint8Array | undefined

export interface RamRange {
  readonly base: number
  readonly size: number
}

interface GuestRam extends RamRange {
  readonly read: ReadRam
}

/** struct printk_ringbuffer, with its prb_desc_ring and prb_data_ring. */
const RING = {
  countBits: 0x00,
  descs: 0x08,
  infos: 0x10,
  sizeBits: 0x30,
  data: 0x38,
  headLpos: 0x40,
  tailLpos: 0x48,
  size: 0x58,
} as const
/** struct prb_desc: state_var, text_blk_lpos.begin, text_blk_lpos.next. */
const DESC = { size: 24, state: 0, begin: 8, next: 16 } as const
/** struct printk_info (kernel/printk/printk_ringbuffer.h). */
const INFO = { size: 88, seq: 0, nanoseconds: 8, textLength: 16, levels: 19 } as const
/** Each block of text begins with the id of its descriptor. */
const BLOCK_ID = 8

/** enum desc_state, in the top two bits of state_var; the rest is the descriptor's id. */
const STATE_BITS = 62n
const ID_MASK = (1n << STATE_BITS) - 1n
const COMMITTED = 1n
const FINALIZED = 2n

/** CONFIG_LOG_BUF_SHIFT and log_buf_len= allow 2^12 to 2^31 bytes; PRB_AVGBITS is 5: a descriptor for 32 bytes. */
const COUNT_BITS = { min: 7, max: 20 } as const
const AVERAGE_BITS = 5
/** LPOS_DATALESS: bit 0 of a position says that the record has no text. */
const DATALESS = 1n
/** LOG_LEVEL in the low bits of `flags:5, level:3`. */
const LEVEL_SHIFT = 5

/** Kernel addresses of AArch64 have their upper bits set, whichever VA_BITS the kernel uses. */
const KERNEL_HALF = 0xffffn << 48n
const KERNEL_HALF_52 = 0xfffn << 52n

/** What init/main.c's first line is, on arm64 (arch/arm64/kernel/setup.c). */
const FIRST_LINE = /^Booting Linux on physical CPU 0x[0-9a-f]+/
const FIRST_BYTES = 'Booting Linux on physical CPU 0x'

const CHUNK = 2 ** 20
/** The longest text of a record, and more than any message in this many guesses of a hostile guest. */
const MAX_CANDIDATES = 64

interface Ring {
  readonly countBits: number
  readonly sizeBits: number
  readonly descs: bigint
  readonly infos: bigint
  readonly data: bigint
}

const isKernelAddress = (address: bigint): boolean =>
  (address & KERNEL_HALF_52) === KERNEL_HALF_52 && (address & 7n) === 0n && (address & KERNEL_HALF) !== 0n

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Calls `visit` with overlapping pieces of RAM, so that nothing of up to `overlap` bytes is cut in two. */
const scan = (ram: GuestRam, overlap: number, visit: (bytes: Uint8Array, physical: number) => boolean): void => {
  for (let at = 0; at < ram.size; at += CHUNK) {
    const bytes = ram.read(ram.base + at, Math.min(CHUNK + overlap, ram.size - at))
    if (bytes !== undefined && !visit(bytes, ram.base + at)) return
  }
}

const ringAt = (view: DataView, at: number): Ring | undefined => {
  const countBits = view.getUint32(at + RING.countBits, true)
  if (countBits < COUNT_BITS.min || countBits > COUNT_BITS.max) return undefined
  if (view.getUint32(at + RING.countBits + 4, true) !== 0) return undefined
  const sizeBits = view.getUint32(at + RING.sizeBits, true)
  if (sizeBits !== countBits + AVERAGE_BITS || view.getUint32(at + RING.sizeBits + 4, true) !== 0) return undefined
  const pointer = (offset: number): bigint => view.getBigUint64(at + offset, true)
  const ring = {
    countBits,
    sizeBits,
    descs: pointer(RING.descs),
    infos: pointer(RING.infos),
    data: pointer(RING.data),
  }
  return [ring.descs, ring.infos, ring.data].every(isKernelAddress) ? ring : undefined
}

interface Places {
  readonly rings: readonly Ring[]
  /** Where the first record's text stands. */
  readonly firstTexts: readonly number[]
}

const find = (ram: GuestRam): Places => {
  const rings: Ring[] = []
  const firstTexts: number[] = []
  const first = Uint8Array.from(FIRST_BYTES, (letter) => letter.charCodeAt(0))
  const isFirst = (bytes: Uint8Array, at: number): boolean => first.every((byte, i) => bytes[at + i] === byte)
  scan(ram, Math.max(RING.size, FIRST_BYTES.length + 16), (bytes, physical) => {
    const view = viewOf(bytes)
    const words = Math.min(CHUNK, bytes.length)
    for (let at = 0; at < words; at += 8) {
      const word = view.getUint32(at, true)
      if (word >= COUNT_BITS.min && word <= COUNT_BITS.max && at + RING.size <= bytes.length) {
        const ring = ringAt(view, at)
        if (ring !== undefined && rings.length < MAX_CANDIDATES) rings.push(ring)
      } else if (bytes[at] === first[0] && isFirst(bytes, at) && firstTexts.length < MAX_CANDIDATES) {
        const line = latin1(bytes.subarray(at, at + FIRST_BYTES.length + 16))
        if (FIRST_LINE.test(line)) firstTexts.push(physical + at)
      }
    }
    return true
  })
  return { rings, firstTexts }
}

const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')

/** UTF-8 where it is that; the guest may have written anything. Control characters show as what they are. */
const textOf = (bytes: Uint8Array): string => {
  const text = latin1(bytes)
  try {
    return decodeURIComponent(text.replace(/[%\u0080-\u00ff]/g, (letter) => `%${hexByte(letter)}`))
  } catch {
    return text
  }
}

const hexByte = (letter: string): string => letter.charCodeAt(0).toString(16).padStart(2, '0')

interface SequencedLine extends LogLine {
  readonly seq: bigint
}

/** Reads a ring whose addresses lie `offset` above RAM's; `undefined` where it does not hold together. */
const readRing = (ram: GuestRam, ring: Ring, offset: bigint): readonly SequencedLine[] | undefined => {
  const count = 2 ** ring.countBits
  const size = 2 ** ring.sizeBits
  const region = (address: bigint, length: number): Uint8Array | undefined => {
    const physical = address - offset
    if (physical < BigInt(ram.base) || physical + BigInt(length) > BigInt(ram.base + ram.size)) return undefined
    const bytes = ram.read(Number(physical), length)
    return bytes?.length === length ? bytes : undefined
  }
  const descs = region(ring.descs, count * DESC.size)
  const infos = region(ring.infos, count * INFO.size)
  const data = region(ring.data, size)
  if (descs === undefined || infos === undefined || data === undefined) return undefined
  const descView = viewOf(descs)
  const infoView = viewOf(infos)
  const dataView = viewOf(data)

  const lines: SequencedLine[] = []
  for (let k = 0; k < count; k += 1) {
    const state = descView.getBigUint64(k * DESC.size + DESC.state, true)
    if (state >> STATE_BITS !== COMMITTED && state >> STATE_BITS !== FINALIZED) continue
    const info = k * INFO.size
    const seq = infoView.getBigUint64(info + INFO.seq, true)
    const id = state & ID_MASK
    // The first id is DESC0_ID + 1, which is -count in 32 bits, and ids go up with the sequence numbers.
    if (id % BigInt(count) !== BigInt(k) || BigInt.asUintN(32, id + BigInt(count) - seq) !== 0n) continue
    const begin = descView.getBigUint64(k * DESC.size + DESC.begin, true)
    const next = descView.getBigUint64(k * DESC.size + DESC.next, true)
    const length = infoView.getUint16(info + INFO.textLength, true)
    const text = (begin & DATALESS) === 0n ? textAt(data, dataView, { begin, next, length, id }) : ''
    // A record that is being written, or whose text was overwritten by a newer one, is not there.
    if (text === undefined) continue
    const seconds = Number(infoView.getBigUint64(info + INFO.nanoseconds, true)) / 1e9
    lines.push({ seq, level: infoView.getUint8(info + INFO.levels) >> LEVEL_SHIFT, seconds, text })
  }
  return lines.toSorted((a, b) => (a.seq < b.seq ? -1 : a.seq > b.seq ? 1 : 0))
}

interface Block {
  readonly begin: bigint
  readonly next: bigint
  readonly length: number
  readonly id: bigint
}

const textAt = (data: Uint8Array, view: DataView, { begin, next, length, id }: Block): string | undefined => {
  const size = BigInt(data.length)
  // A block that would cross the end of the area stands at its beginning instead (get_data()).
  const wraps = begin / size !== next / size && next % size !== 0n
  const block = wraps ? 0 : Number(begin % size)
  const end = next % size === 0n ? data.length : Number(next % size)
  if (block + BLOCK_ID > data.length || (block & 7) !== 0) return undefined
  if (view.getBigUint64(block, true) !== id) return undefined
  const start = block + BLOCK_ID
  const available = Math.max(0, end - start)
  return textOf(data.subarray(start, start + Math.min(length, available)))
}

/** The kernel is mapped, and memory behind the linear map begins, at multiples of this (arch/arm64/mm). */
const OFFSET_STEP = 64 * 1024
/** Records looked at to see whether a ring's address may be meant. */
const PROBED = 4

/** Once the first message is overwritten, every offset that puts the ring into RAM is tried on a few records. */
const likelyOffsets = (ram: GuestRam, ring: Ring): readonly bigint[] => {
  const base = BigInt(ram.base)
  const offsets: bigint[] = []
  for (let place = Number(ring.descs % BigInt(OFFSET_STEP)); place < ram.size; place += OFFSET_STEP) {
    const descs = ram.read(ram.base + place, PROBED * DESC.size)
    if (descs === undefined) continue
    const view = viewOf(descs)
    const fits = Array.from({ length: PROBED }, (_, k) => view.getBigUint64(k * DESC.size, true)).every(
      (state, k) => state >> STATE_BITS !== 0n && (state & ID_MASK) % BigInt(2 ** ring.countBits) === BigInt(k),
    )
    if (fits) offsets.push(ring.descs - base - BigInt(place))
  }
  return offsets
}

interface Found {
  readonly ring: Ring
  readonly offset: bigint
  readonly lines: readonly SequencedLine[]
}

/** A ring fits when the records in it do; the one with the most wins, as the kernel may have moved to a larger one. */
const best = (ram: GuestRam, { rings, firstTexts }: Places): Found | undefined => {
  let most: Found | undefined
  const consider = (ring: Ring, offset: bigint): void => {
    const lines = readRing(ram, ring, offset) ?? []
    if (lines.length > (most?.lines.length ?? 0)) most = { ring, offset, lines }
  }
  const offsets = new Set(rings.flatMap(({ data }) => firstTexts.map((text) => data - BigInt(text - BLOCK_ID))))
  for (const offset of offsets) for (const ring of rings) consider(ring, offset)
  if (most === undefined) {
    for (const ring of rings) for (const offset of likelyOffsets(ram, ring)) consider(ring, offset)
  }
  return most
}

const shown = (lines: readonly SequencedLine[]): KernelLog => ({
  ok: true,
  lines: lines.map(({ level, seconds, text }) => ({ level, seconds, text })),
})

/** Reads the log of one machine, as often as somebody looks. */
export class KernelLogReader {
  private readonly ram: GuestRam
  private last: Found | undefined

  constructor(read: ReadRam, range: RamRange) {
    this.ram = { ...range, read }
  }

  read(): KernelLog {
    // All of RAM takes a while to search. A ring that grows is the one in use; and one whose records have times stays
    // it: the kernel moves to a larger one in setup_log_buf(), and knows no time before time_init() (init/main.c,
    // start_kernel()).
    const { last } = this
    const lines = last === undefined ? [] : (readRing(this.ram, last.ring, last.offset) ?? [])
    if (last !== undefined && lines.length > 0) {
      const timed = (last.lines.at(-1)?.seconds ?? 0) > 0
      if (timed || lines.length > last.lines.length) {
        this.last = { ...last, lines }
        return shown(lines)
      }
    }
    const places = find(this.ram)
    this.last = best(this.ram, places)
    if (this.last !== undefined) return shown(this.last.lines)
    if (places.firstTexts.length === 0) {
      return { ok: false, what: 'No kernel log is in RAM: no "Booting Linux on physical CPU" stands there.' }
    }
    return {
      ok: false,
      what: "RAM holds the kernel's first message, but no ring buffer in the form that Linux 5.10 and later have.",
    }
  }
}
