/** How the disassembler writes vector registers, their elements and lists, and the immediates beside them. */
import { ARRANGEMENTS, MAX_LIST, SCALARS, floatOf } from './assembler/kinds-simd.ts'
import { hex } from './shower.ts'
import type { Context, Shower } from './shower.ts'
import { expandImmediate } from './simd-immediate.ts'

/** Three and more are written as a range, unless they wrap around. */
function list(first: number, count: number, shape: string): string {
  const name = (i: number): string => `v${(first + i) % 32}.${shape}`
  if (count > 2 && first + count <= 32) return `{${name(0)}-${name(count - 1)}}`
  return `{${Array.from({ length: count }, (_, i) => name(i)).join(', ')}}`
}

/** The same number in each of the fields. */
const sameRegister = (c: Context): number | undefined =>
  [...c.letters].every((letter) => c.f[letter] === c.at(0)) ? c.at(0) : undefined

const field = (c: Context, letter: string): number => c.f[letter] ?? 0

/** See `byElement` of `kinds-simd.ts`. */
const byElement =
  (size: number, shape = 'bhsd'.charAt(size)): Shower =>
  (c) => {
    const [m, M, L, H] = ['m', 'M', 'L', 'H'].map((letter) => field(c, letter))
    const number = size === 1 ? m : ((M ?? 0) << 4) | (m ?? 0)
    const index =
      size === 3 ? H : size === 2 ? ((H ?? 0) << 1) | (L ?? 0) : ((H ?? 0) << 2) | ((L ?? 0) << 1) | (M ?? 0)
    return `v${number}.${shape}[${index}]`
  }

const complexElement =
  (size: 1 | 2): Shower =>
  (c) => {
    const index = size === 1 ? (field(c, 'H') << 1) | field(c, 'L') : field(c, 'H')
    return `v${(field(c, 'M') << 4) | field(c, 'm')}.${'bhsd'.charAt(size)}[${index}]`
  }

const imm8 = (c: Context): number => (c.letters.length < 2 ? c.at(0) : (c.at(0) << 5) | c.at(1))

const float: Shower = (c) => {
  const value = floatOf(imm8(c))
  return `#${Number.isInteger(value) ? value.toFixed(1) : value}`
}

const all: Record<string, Shower> = {
  upper: (c) => `v${c.at(0)}.d[1]`,
  fzero: () => '#0.0',
  float,
  byte: (c) => `#${hex(imm8(c))}`,
  mask: (c) => `#${hex(expandImmediate(1, 14, imm8(c)))}`,
  fbits: (c) => `#${64 - c.at(0)}`,
  fbits32: (c) => `#${64 - c.at(0)}`,
  elj0: (c) => `v${c.at(0)}.b[${c.at(1)}]`,
  elj1: (c) => `v${c.at(0)}.h[${c.at(1) >> 1}]`,
  elj2: (c) => `v${c.at(0)}.s[${c.at(1) >> 2}]`,
  elj3: (c) => `v${c.at(0)}.d[${c.at(1) >> 3}]`,
  ix4b: byElement(2, '4b'),
  complex1: complexElement(1),
  complex2: complexElement(2),
  rot90: (c) => `#${90 * c.at(0)}`,
  rot180: (c) => `#${90 + 180 * c.at(0)}`,
  imm2: (c) => `#${c.at(0)}`,
  imm6: (c) => `#${hex(c.at(0))}`,
}
for (const letter of SCALARS) all[`f${letter}`] = (c) => `${letter}${c.at(0)}`
for (const shape of ARRANGEMENTS) {
  all[`v${shape}`] = (c) => {
    const number = sameRegister(c)
    return number === undefined ? undefined : `v${number}.${shape}`
  }
  for (let count = 1; count <= MAX_LIST; count++) all[`list${count}${shape}`] = (c) => list(c.at(0), count, shape)
}
for (const [size, letter] of [...'bhsd'].entries()) {
  const bits = 8 << size
  all[`el${letter}`] = (c) => `v${c.at(0)}.${letter}[${c.at(1)}]`
  all[`ix${size}`] = byElement(size)
  all[`left${bits}`] = (c) => `#${c.at(0)}`
  all[`right${bits}`] = (c) => `#${bits - c.at(0)}`
  for (let count = 1; count <= MAX_LIST; count++)
    all[`lane${count}${letter}`] = (c) =>
      `${list(c.at(0), count, letter)}[${((c.at(1) << 3) | (c.at(2) << 2) | c.at(3)) >> size}]`
}
for (let amount = 0; amount <= 64; amount++) all[`exact${amount}`] = () => `#${amount}`
for (const amount of [0, 8, 16, 24]) {
  all[`lsl${amount}`] = () => (amount === 0 ? '' : `lsl #${amount}`)
  all[`msl${amount}`] = () => `msl #${amount}`
}

export const simdShowers: Readonly<Record<string, Shower>> = all
