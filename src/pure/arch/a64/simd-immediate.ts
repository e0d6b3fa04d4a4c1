/** AdvSIMDExpandImm and VFPExpandImm (Arm ARM, shared/functions/vector and shared/functions/float). */

const replicate = (value: bigint, bits: number): bigint => {
  let out = 0n
  for (let i = 0; i < 64; i += bits) out |= value << BigInt(i)
  return out
}

/** The bits of the floating-point number that an 8-bit immediate stands for. */
export function expandFloat(imm8: number, width: 16 | 32 | 64): bigint {
  const exponentBits = width === 16 ? 5 : width === 32 ? 8 : 11
  const fractionBits = width - 1 - exponentBits
  const sign = BigInt(imm8 >> 7)
  const b = (imm8 >> 6) & 1
  // NOT(b) : Replicate(b, E - 3) : imm8<5:4>
  const exponent =
    ((b ^ 1) << (exponentBits - 1)) | ((b === 1 ? 2 ** (exponentBits - 3) - 1 : 0) << 2) | ((imm8 >> 4) & 3)
  return (
    (sign << BigInt(width - 1)) |
    (BigInt(exponent) << BigInt(fractionBits)) |
    (BigInt(imm8 & 15) << BigInt(fractionBits - 4))
  )
}

/** The 64 bits, inverted where the instruction inverts them (MVNI, BIC). */
export function expandImmediate(op: number, cmode: number, imm8: number): bigint {
  const value = BigInt(imm8)
  const finish = (bits: bigint): bigint => (op === 1 ? BigInt.asUintN(64, ~bits) : bits)
  switch (cmode >> 1) {
    case 0:
    case 1:
    case 2:
    case 3:
      return finish(replicate(value << BigInt(8 * (cmode >> 1)), 32))
    case 4:
    case 5:
      return finish(replicate(value << BigInt(8 * ((cmode >> 1) & 1)), 16))
    case 6:
      // Ones are shifted in.
      return finish(replicate((cmode & 1) === 0 ? (value << 8n) | 0xffn : (value << 16n) | 0xffffn, 32))
    default:
      if ((cmode & 1) === 1) return op === 0 ? replicate(expandFloat(imm8, 32), 32) : expandFloat(imm8, 64)
      if (op === 0) return replicate(value, 8)
      let bytes = 0n
      for (let i = 0; i < 8; i++) if (((imm8 >> i) & 1) === 1) bytes |= 0xffn << BigInt(8 * i)
      return bytes
  }
}
