/** The functions of an ELF file, by its symbol table (Tool Interface Standard, ELF; 64 bits, little-endian). */

export interface ElfFunction {
  readonly name: string
  readonly address: bigint
  /** Bytes; 0: it says nothing, and goes on to the next. */
  readonly size: bigint
}

const MAGIC = 0x464c457f
const CLASS_64 = 2
const SHT_SYMTAB = 2
const STT_FUNC = 2
const SYMBOL_SIZE = 24

const latin1 = new TextDecoder('latin1')

/** By rising address; `undefined`: it is no such file. Empty where it has been stripped. */
export const elfFunctions = (bytes: Uint8Array): readonly ElfFunction[] | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 64 || view.getUint32(0, true) !== MAGIC || bytes[4] !== CLASS_64) return undefined
  const offset = (at: number): number => Number(view.getBigUint64(at, true))
  const [start, size, count] = [offset(0x28), view.getUint16(0x3a, true), view.getUint16(0x3c, true)]
  const section = (index: number): { type: number; at: number; bytes: number; link: number } => {
    const at = start + index * size
    return {
      type: view.getUint32(at + 4, true),
      at: offset(at + 0x18),
      bytes: offset(at + 0x20),
      link: view.getUint32(at + 0x28, true),
    }
  }
  const functions: ElfFunction[] = []
  try {
    for (let index = 0; index < count; index++) {
      const table = section(index)
      if (table.type !== SHT_SYMTAB) continue
      const names = section(table.link)
      for (let at = table.at; at < table.at + table.bytes; at += SYMBOL_SIZE) {
        if (((bytes[at + 4] ?? 0) & 15) !== STT_FUNC) continue
        const from = names.at + view.getUint32(at, true)
        const name = latin1.decode(bytes.subarray(from, bytes.indexOf(0, from)))
        functions.push({ name, address: view.getBigUint64(at + 8, true), size: view.getBigUint64(at + 16, true) })
      }
    }
  } catch (error) {
    // What the headers point at lies outside the file.
    if (error instanceof RangeError) return undefined
    throw error
  }
  return functions.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0))
}

/** The function that an address is in. */
export const functionAt = (functions: readonly ElfFunction[], address: bigint): string | undefined => {
  const after = functions.findIndex((f) => f.address > address)
  const f = functions.at(after < 0 ? -1 : after - 1)
  if (f === undefined || after === 0 || address < f.address) return undefined
  return f.size > 0n && address >= f.address + f.size ? undefined : f.name
}
