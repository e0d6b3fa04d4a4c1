/** The guest's RAM for whoever reads and writes tables there by itself, little-endian; what lies elsewhere is refused. */
export interface GuestMemory {
  has(physical: number): boolean
  /** `undefined` outside RAM. */
  readByte(physical: number): number | undefined
  /** `false` outside RAM. */
  writeByte(physical: number, value: number): boolean
  /** Eight bytes at a multiple of 8; `undefined` outside RAM. */
  readDoubleword(physical: number): bigint | undefined
  writeDoubleword(physical: number, value: bigint): boolean
}

/** RAM is made of such pages, whole. */
const PAGE_BYTES = 0x1_0000
/** Tables are looked at entry by entry, a few of them in turn: so many pages are kept at hand. */
const AT_HAND = 8

/** `ram`: that part of RAM, not a copy; `undefined` if it is not all RAM. */
export const guestMemory = (ram: (physical: number, length: number) => Uint8Array | undefined): GuestMemory => {
  const pages: ({ readonly number: number; readonly view: DataView } | undefined)[] = Array.from({ length: AT_HAND })

  /** The page that an address lies in. */
  const reach = (physical: number): DataView | undefined => {
    const number = Math.floor(physical / PAGE_BYTES)
    const known = pages[number % AT_HAND]
    // A memory that grew leaves views of no length behind.
    if (known?.number === number && known.view.byteLength > 0) return known.view
    const bytes = ram(number * PAGE_BYTES, PAGE_BYTES)
    if (bytes === undefined) return undefined
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    pages[number % AT_HAND] = { number, view }
    return view
  }

  return {
    has: (physical) => reach(physical) !== undefined,
    readByte: (physical) => reach(physical)?.getUint8(physical % PAGE_BYTES),
    writeByte(physical, value) {
      const page = reach(physical)
      page?.setUint8(physical % PAGE_BYTES, value)
      return page !== undefined
    },
    readDoubleword: (physical) => reach(physical)?.getBigUint64(physical % PAGE_BYTES, true),
    writeDoubleword(physical, value) {
      const page = reach(physical)
      page?.setBigUint64(physical % PAGE_BYTES, value, true)
      return page !== undefined
    },
  }
}

/** A machine without RAM. */
export const noMemory: GuestMemory = guestMemory(() => undefined)
