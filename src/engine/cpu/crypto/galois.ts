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
export const rotateRight = (a: number, n: number): number => (a >>> n) | (a << (32 - n))

const product = new Int32Array(4)

/** Adds a * b without carries, words of 32 bits, to the product from word `at` on. */
function addProduct(a: number, b: number, at: number): void {
  let low = 0
  let high = 0
  for (let i = 0; i < 32; i++) {
    // All ones where the bit is set.
    const chosen = a & -((b >>> i) & 1)
    low ^= chosen << i
    high ^= (chosen >>> 1) >>> (31 - i)
  }
  product[at] = (product[at] ?? 0) ^ low
  product[at + 1] = (product[at + 1] ?? 0) ^ high
}

/** The four words of a product of two doublewords without carries, in an array that the next call uses again. */
export function carrylessProduct(aLow: number, aHigh: number, bLow: number, bHigh: number): Int32Array {
  product.fill(0)
  addProduct(aLow, bLow, 0)
  addProduct(aLow, bHigh, 1)
  addProduct(aHigh, bLow, 1)
  addProduct(aHigh, bHigh, 2)
  return product
}
