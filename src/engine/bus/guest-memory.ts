/** The guest's RAM for whoever reads and writes tables there by itself, little-endian; what lies elsewhere is refused. */
export interface GuestMemory {
  has(physical: number): boolean
  /** `undefined` outside RAM. */
  readByte(physical: number): number | undefined
  /** `false` outside RAM. */
  writeByte(physical: number, value: number): boolean
  /** Eight bytes; `undefined` if one of them is outside RAM. */
  readDoubleword(physical: number): bigint | undefined
  writeDoubleword(physical: number, value: bigint): boolean
}

const DOUBLEWORD_BYTES = 8

/** `ram`: that part of RAM, not a copy; `undefined` if it is not all RAM. */
export const guestMemory = (ram: (physical: number, length: number) => Uint8Array | undefined): GuestMemory => {
  const doubleword = (physical: number): DataView | undefined => {
    const bytes = ram(physical, DOUBLEWORD_BYTES)
    return bytes && new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  return {
    has: (physical) => ram(physical, 1) !== undefined,
    readByte: (physical) => ram(physical, 1)?.[0],
    writeByte(physical, value) {
      const bytes = ram(physical, 1)
      if (bytes !== undefined) bytes[0] = value
      return bytes !== undefined
    },
    readDoubleword: (physical) => doubleword(physical)?.getBigUint64(0, true),
    writeDoubleword(physical, value) {
      const view = doubleword(physical)
      view?.setBigUint64(0, value, true)
      return view !== undefined
    },
  }
}

/** A machine without RAM. */
export const noMemory: GuestMemory = guestMemory(() => undefined)
