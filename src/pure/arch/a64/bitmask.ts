/** Bit patterns of the logical and bitfield instructions (Arm ARM, shared pseudocode DecodeBitMasks). */

export const ones = (n: number): bigint => (1n << BigInt(n)) - 1n

/** Sign-extends the low `bits` bits of a number. */
export const signExtend = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits)

/** A bitmask immediate, or `undefined` for a reserved encoding. */
export function decodeBitmask(n: number, imms: number, immr: number, width: 32 | 64): bigint | undefined {
  if (width === 32 && n === 1) return undefined
  const combined = (n << 6) | (~imms & 0x3f)
  if (combined < 2) return undefined
  const length = 31 - Math.clz32(combined)
  const size = 1 << length
  const levels = size - 1
  const s = imms & levels
  const r = immr & levels
  if (s === levels) return undefined
  const run = ones(s + 1)
  const element = r === 0 ? run : ((run >> BigInt(r)) | (run << BigInt(size - r))) & ones(size)
  let mask = 0n
  for (let i = 0; i < width; i += size) mask |= element << BigInt(i)
  return mask
}

/** The bits that a bitfield move writes: those of the field, at its place in the destination. */
export const bitfieldMask = (immr: number, imms: number, width: 32 | 64): bigint =>
  imms >= immr ? ones(imms - immr + 1) : ones(imms + 1) << BigInt(width - immr)

/** The fields of a bitmask immediate; `undefined` for a value that is none (the inverse of `decodeBitmask`). */
export function encodeBitmask(value: bigint, width: 32 | 64): { N: number; s: number; r: number } | undefined {
  value = BigInt.asUintN(width, value)
  if (value === 0n || value === ones(width)) return undefined
  let size: number = width
  for (;;) {
    const half = BigInt(size / 2)
    if (size === 2 || (value & ones(size / 2)) !== ((value >> half) & ones(size / 2))) break
    size /= 2
  }
  const element = value & ones(size)
  // Rotated left until a run of ones ends at bit 0: as far as the run was rotated right.
  for (let r = 0; r < size; r++) {
    const turned = r === 0 ? element : ((element << BigInt(r)) | (element >> BigInt(size - r))) & ones(size)
    if ((turned & (turned + 1n)) !== 0n) continue
    const run = turned.toString(2).length
    return { N: size === 64 ? 1 : 0, s: ((~(size * 2 - 1) & 0x3f) | (run - 1)) & 0x3f, r }
  }
  return undefined
}
