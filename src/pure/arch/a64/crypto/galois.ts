/** Arithmetic on bytes as polynomials over GF(2), of which the ciphers' substitution boxes are made. */

/** a * b modulo a polynomial of degree 8, which is given with its leading bit. */
export function multiply(a: number, b: number, modulus: number): number {
  let product = 0
  for (; b !== 0; b >>= 1) {
    if ((b & 1) === 1) product ^= a
    a <<= 1
    if (a > 0xff) a ^= modulus
  }
  return product
}

/** The inverse; of 0 it is 0. */
export function inverse(a: number, modulus: number): number {
  // a^254, since a^255 is 1.
  let result = 1
  for (let i = 0; i < 254; i++) result = multiply(result, a, modulus)
  return result
}

export const parity = (a: number): number => {
  a ^= a >> 4
  a ^= a >> 2
  return (a ^ (a >> 1)) & 1
}

export const rotateByte = (a: number, left: number): number => ((a << left) | (a >> (8 - left))) & 0xff
export const rotateLeft = (a: number, n: number): number => (a << n) | (a >>> (32 - n))
