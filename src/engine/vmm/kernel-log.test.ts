import * as fc from '../../testing/property.ts'
import { describe, expect, it } from 'vitest'
import { KernelLogReader } from './kernel-log.ts'
import type { KernelLog } from './kernel-log.ts'

const BASE = 0x4000_0000
const SIZE = 4 * 2 ** 20
/** Kernel address minus RAM address. */
const OFFSET = 0xffff_8000_0800_0000n - BigInt(BASE)
const FIRST = 'Booting Linux on physical CPU 0x0000000000 [0x411fd070]'

interface Layout {
  readonly ring: number
  readonly descs: number
  readonly infos: number
  readonly data: number
  readonly countBits: number
  readonly offset: bigint
}

const LAYOUT: Layout = { ring: 0x1008, descs: 0x2000, infos: 0x20000, data: 0x80000, countBits: 7, offset: OFFSET }

interface Message {
  readonly text: string
  readonly level?: number
  readonly nanoseconds?: bigint
}

/** What kernel/printk/printk_ringbuffer.c would leave in RAM after these messages. */
const write = (ram: Uint8Array, layout: Layout, messages: readonly Message[]): void => {
  const view = new DataView(ram.buffer)
  const count = 2 ** layout.countBits
  const sizeBits = layout.countBits + 5
  const size = 2 ** sizeBits
  const kernel = (place: number): bigint => BigInt(BASE + place) + layout.offset
  view.setUint32(layout.ring, layout.countBits, true)
  view.setBigUint64(layout.ring + 0x08, kernel(layout.descs), true)
  view.setBigUint64(layout.ring + 0x10, kernel(layout.infos), true)
  view.setUint32(layout.ring + 0x30, sizeBits, true)
  view.setBigUint64(layout.ring + 0x38, kernel(layout.data), true)
  // BLK0_LPOS: positions begin one whole area below 2^64.
  let lpos = 2n ** 64n - BigInt(size)
  for (const [seq, { text, level = 6, nanoseconds = 0n }] of messages.entries()) {
    const k = seq % count
    const desc = layout.descs + k * 24
    const info = layout.infos + k * 88
    const id = BigInt.asUintN(32, BigInt(seq - count))
    const bytes = new TextEncoder().encode(text)
    const length = Math.ceil((8 + bytes.length) / 8) * 8
    const begin = lpos
    let block = Number(begin % BigInt(size))
    let next = BigInt.asUintN(64, begin + BigInt(length))
    if (block + length > size) {
      // The block would cross the end: its text stands at the beginning.
      next = BigInt.asUintN(64, begin + BigInt(size - block) + BigInt(length))
      block = 0
    }
    lpos = next
    view.setBigUint64(desc, (2n << 62n) | id, true)
    view.setBigUint64(desc + 8, begin, true)
    view.setBigUint64(desc + 16, next, true)
    view.setBigUint64(info, BigInt(seq), true)
    view.setBigUint64(info + 8, nanoseconds, true)
    view.setUint16(info + 16, bytes.length, true)
    view.setUint8(info + 19, level << 5)
    view.setBigUint64(layout.data + block, id, true)
    ram.set(bytes, layout.data + block + 8)
  }
}

/** How many bytes were asked for tells whether all of RAM was searched. */
const readerOf = (ram: Uint8Array) => {
  let asked = 0
  const reader = new KernelLogReader(
    (physical, length) => {
      asked += length
      const at = physical - BASE
      return at >= 0 && at + length <= ram.length ? ram.subarray(at, at + length) : undefined
    },
    { base: BASE, size: ram.length },
  )
  return { read: () => reader.read(), searches: () => Math.floor(asked / ram.length) }
}

const read = (ram: Uint8Array): KernelLog => readerOf(ram).read()

const texts = (log: KernelLog): readonly string[] => (log.ok ? log.lines.map(({ text }) => text) : [log.what])

describe("the guest kernel's log", () => {
  it('has each message with its level and its time, in order', () => {
    const ram = new Uint8Array(SIZE)
    write(ram, LAYOUT, [
      { text: FIRST },
      { text: 'CPU1: mpidr 1 has no re-distributor!', level: 4, nanoseconds: 1_500_000_000n },
      { text: 'Grüße' },
    ])
    expect(read(ram)).toEqual({
      ok: true,
      lines: [
        { level: 6, seconds: 0, text: FIRST },
        { level: 4, seconds: 1.5, text: 'CPU1: mpidr 1 has no re-distributor!' },
        { level: 6, seconds: 0, text: 'Grüße' },
      ],
    })
  })

  it('goes on where the ring begins anew, without what was overwritten', () => {
    const ram = new Uint8Array(SIZE)
    // The area (4 KiB) wraps before the descriptors (128) do.
    const messages = [
      { text: FIRST },
      ...Array.from({ length: 110 }, (_, i) => ({ text: `message ${i} ${'.'.repeat(i % 40)}` })),
    ]
    write(ram, LAYOUT, messages)
    const lines = texts(read(ram))
    expect(lines.at(-1)).toBe(messages.at(-1)?.text)
    expect(lines.length).toBeGreaterThan(60)
    expect(lines).toEqual(messages.slice(-lines.length).map(({ text }) => text))
  })

  it('is that of the larger ring once the kernel has moved it to memory at other addresses', () => {
    const ram = new Uint8Array(SIZE)
    const messages = [{ text: FIRST }, { text: 'two' }, { text: 'three' }]
    write(ram, LAYOUT, messages.slice(0, 2))
    const moved = { ring: 0x1800, descs: 0x100000, infos: 0x120000, data: 0x200000, countBits: 9 }
    write(ram, { ...moved, offset: 0xffff_0000_0000_0000n - BigInt(BASE) }, messages)
    expect(texts(read(ram))).toEqual(messages.map(({ text }) => text))
  })

  it('is searched for once while it grows, and as soon as its records have times', () => {
    const ram = new Uint8Array(SIZE)
    const { read: again, searches } = readerOf(ram)
    const messages: Message[] = [{ text: FIRST }]
    write(ram, LAYOUT, messages)
    again()
    again()
    expect(searches()).toBe(2)
    messages.push({ text: 'one and a half' })
    write(ram, LAYOUT, messages)
    expect(texts(again())).toEqual(messages.map((message) => message.text))
    for (const text of ['two', 'three', 'four']) {
      messages.push({ text, nanoseconds: 1000n })
      write(ram, LAYOUT, messages)
      expect(texts(again())).toEqual(messages.map((message) => message.text))
    }
    expect(texts(again())).toHaveLength(messages.length)
    expect(searches()).toBe(2)
  })

  it('is followed to a larger ring, and found again where another kernel has begun', () => {
    const ram = new Uint8Array(SIZE)
    const { read: again } = readerOf(ram)
    write(ram, LAYOUT, [{ text: FIRST }, { text: 'two' }])
    again()
    const moved = { ...LAYOUT, ring: 0x1800, descs: 0x100000, infos: 0x120000, data: 0x200000, countBits: 9 }
    write(ram, moved, [{ text: FIRST }, { text: 'two' }, { text: 'three', nanoseconds: 1n }])
    expect(texts(again())).toEqual([FIRST, 'two', 'three'])
    ram.fill(0)
    write(ram, LAYOUT, [{ text: FIRST }])
    expect(texts(again())).toEqual([FIRST])
  })

  it('leaves out a record that is being written', () => {
    const ram = new Uint8Array(SIZE)
    write(ram, LAYOUT, [{ text: FIRST }, { text: 'half' }, { text: 'whole' }])
    ram[LAYOUT.descs + 24 + 7] = 0
    expect(texts(read(ram))).toEqual([FIRST, 'whole'])
  })

  it('is missed with a sentence where no kernel has spoken', () => {
    expect(read(new Uint8Array(SIZE))).toEqual({
      ok: false,
      what: 'No kernel log is in RAM: no "Booting Linux on physical CPU" stands there.',
    })
  })

  it('is missed with a sentence where its ring has another form', () => {
    const ram = new Uint8Array(SIZE)
    ram.set(new TextEncoder().encode(FIRST), 0x3000)
    expect(read(ram)).toEqual({
      ok: false,
      what: "RAM holds the kernel's first message, but no ring buffer in the form that Linux 5.10 and later have.",
    })
  })

  it('of a guest that wrote anything into it is read or refused, and never throws', () => {
    const ram = new Uint8Array(SIZE)
    write(ram, LAYOUT, [{ text: FIRST }, { text: 'two' }])
    const places = fc.oneof(
      fc.integer({ min: LAYOUT.ring, max: LAYOUT.ring + 0x58 }),
      fc.integer({ min: LAYOUT.descs, max: LAYOUT.descs + 48 }),
      fc.integer({ min: LAYOUT.infos, max: LAYOUT.infos + 176 }),
      fc.integer({ min: LAYOUT.data, max: LAYOUT.data + 100 }),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(places, fc.integer({ min: 0, max: 255 })), { maxLength: 6 }), (changes) => {
        const spoilt = ram.slice(0, 2 ** 20)
        for (const [at, byte] of changes) spoilt[at] = byte
        const log = read(spoilt)
        for (const line of log.ok ? log.lines : []) expect(line.text.length).toBeLessThanOrEqual(2 ** 12)
      }),
      { numRuns: 60 },
    )
  })
})
