/**
 * Kinds of operands: each takes one written operand and fills in the fields of the row by their letters.
 * Patterns of `mnemonics.ts` name them, `kind:letters`.
 */
import { encodeBitmask } from '../bitmask.ts'
import { amountOf, expected, hex, range, set, why } from './kind.ts'
import type { Kind } from './kind.ts'
import { baseMemory, extendedMemory, indexMemory, offsetMemory, splitOffsetMemory } from './kinds-memory.ts'
import { simdKinds } from './kinds-simd.ts'
import { systemKinds } from './kinds-system.ts'
import { modifiers } from './operand.ts'
import { conditions } from './system-names.ts'

const register = (width: 32 | 64, sp: boolean): Kind => {
  const wrong = expected(`${width === 64 ? 'an X' : 'a W'} register${sp ? ` or ${width === 64 ? 'SP' : 'WSP'}` : ''}`)
  return (m, operand, letters) => {
    if (operand?.kind !== 'register' || operand.width !== width) return wrong
    if (operand.number === 31 && operand.sp !== sp) return wrong
    for (const letter of letters) set(m, letter, operand.number)
    return undefined
  }
}

/** Only SP itself: what makes the difference between two forms of MOV and ADD. */
const stackPointer =
  (width: 32 | 64): Kind =>
  (m, operand, letters) =>
    operand?.kind === 'register' && operand.sp && operand.width === width
      ? set(m, letters, 31)
      : expected(width === 64 ? 'SP' : 'WSP')

/** One of a pair of adjacent registers, the first even: the letter's field is half of its number. */
const pairRegister =
  (width: 32 | 64, odd: 0 | 1): Kind =>
  (m, operand, letter) => {
    if (operand?.kind !== 'register' || operand.width !== width || operand.sp)
      return expected(`${width === 64 ? 'an X' : 'a W'} register`)
    if (odd === 0 && operand.number % 2 !== 0) return why(`The first register of a pair is an even one, not '${operand.name}'.`)
    if (odd === 1 && operand.number !== 2 * (m.fields[letter] ?? 0) + 1)
      return why(`'${operand.name}' does not follow the register before it.`)
    return set(m, letter, operand.number >> 1)
  }

const IMM12 = 0xfff

/** The immediate of ADD and SUB: letters are that of the immediate and that of its shift. */
const addImmediate =
  (negated: boolean): Kind =>
  (m, operand, letters) => {
    if (operand?.kind !== 'value') return expected('an immediate')
    let value = m.value(operand.expression)
    if (value === undefined) return expected('an immediate')
    if (negated && value >= 0n)
      return why(`The immediate ${value} is out of range: 0 to 4095, or a multiple of 4096 to 16773120.`)
    if (negated) value = -value
    const shifted = value > BigInt(IMM12)
    const unit = shifted ? value >> 12n : value
    if (value < 0n || unit > BigInt(IMM12) || (shifted && value % 4096n !== 0n)) {
      return why(`The immediate ${value} is out of range: 0 to 4095, or a multiple of 4096 to 16773120.`)
    }
    set(m, letters[0], Number(unit))
    return set(m, letters[1], shifted ? 1 : 0)
  }

const addShift: Kind = (m, operand, letter) => {
  if (operand === undefined) return undefined
  const amount = amountOf(m, operand, 'lsl')
  if (amount !== 0n && amount !== 12n) return expected('lsl #0 or lsl #12')
  if (amount === 0n) return undefined
  if (m.fields[letter] === 1) return why('An immediate above 4095 has its lsl #12 already.')
  return set(m, letter, 1)
}

/** A shifted register's shift: letters of kind and amount. */
const shift =
  (width: 32 | 64, rotate: boolean): Kind =>
  (m, operand, letters) => {
    if (operand === undefined) return undefined
    const kind = operand.kind === 'modifier' ? modifiers.shifts.indexOf(operand.name) : -1
    if (operand.kind !== 'modifier' || operand.amount === undefined || kind < 0 || (kind === 3 && !rotate)) {
      return expected(rotate ? 'a shift (lsl, lsr, asr, ror) and its amount' : 'a shift (lsl, lsr, asr) and its amount')
    }
    const amount = m.value(operand.amount)
    if (amount === undefined) return expected('the amount of the shift')
    if (amount < 0n || amount >= BigInt(width)) return why(`The shift by ${amount} is out of range: 0 to ${width - 1}.`)
    set(m, letters[0], kind)
    return set(m, letters[1], Number(amount))
  }

const LSL_OPTION = { 32: 2, 64: 3 } as const

/** An extended register's extension: letters of option and amount. LSL is the extension that changes nothing. */
const extension =
  (width: 32 | 64, x: boolean): Kind =>
  (m, operand, letters) => {
    if (operand?.kind !== 'modifier') return expected('an extension (uxtb to sxtx, lsl)')
    const at = operand.name === 'lsl' ? LSL_OPTION[width] : modifiers.extends.indexOf(operand.name)
    if (at < 0) return expected('an extension (uxtb to sxtx, lsl)')
    if (operand.name === 'lsl' && operand.amount === undefined) return expected('the amount of the shift')
    const amount = operand.amount === undefined ? 0n : m.value(operand.amount)
    if (amount === undefined) return expected('the amount of the shift')
    if (amount < 0n || amount > 4n) return why(`The shift by ${amount} after an extension is out of range: 0 to 4.`)
    // An X register can only be extended from 64 bits, and a W register never is.
    if (width === 64 && x !== ((at & 3) === 3)) {
      return expected(
        x ? 'uxtx, sxtx or lsl after an X register' : 'uxtb, uxth, uxtw, sxtb, sxth or sxtw after a W register',
      )
    }
    set(m, letters[0], at)
    return set(m, letters[1], Number(amount))
  }

const bitmask =
  (width: 32 | 64, inverted: boolean): Kind =>
  (m, operand, letters) => {
    if (operand?.kind !== 'value') return expected('an immediate')
    const value = m.value(operand.expression)
    if (value === undefined) return expected('an immediate')
    const limit = 1n << BigInt(width)
    const fields = value >= limit || value < -limit ? undefined : encodeBitmask(inverted ? ~value : value, width)
    if (fields === undefined)
      return why(`${hex(value)} is not a bitmask immediate (a run of ones, rotated and repeated).`)
    set(m, letters[0], fields.N)
    set(m, letters[1], fields.r)
    return set(m, letters[2], fields.s)
  }

/** MOV's wide immediate, one halfword of ones or of zeros: letters of immediate and shift. */
const wide =
  (width: 32 | 64, inverted: boolean): Kind =>
  (m, operand, letters) => {
    if (operand?.kind !== 'value') return expected('an immediate')
    const written = m.value(operand.expression)
    if (written === undefined) return expected('an immediate')
    const limit = 1n << BigInt(width)
    const none = why(`${hex(written)} cannot be moved in one instruction; use ldr with = or movz and movk.`)
    if (written >= limit || written < -limit) return none
    const value = BigInt.asUintN(width, inverted ? ~written : written)
    for (let h = 0; h < width / 16; h++) {
      const half = value >> BigInt(16 * h)
      if (half > 0xffffn || half << BigInt(16 * h) !== value) continue
      set(m, letters[0], Number(half))
      return set(m, letters[1], h)
    }
    return none
  }

const wideShift =
  (width: 32 | 64): Kind =>
  (m, operand, letter) => {
    const amount = amountOf(m, operand, 'lsl')
    const allowed = width === 64 ? [0n, 16n, 32n, 48n] : [0n, 16n]
    if (amount === undefined || !allowed.includes(amount)) return expected(`lsl #${allowed.join(', #')}`)
    return set(m, letter, Number(amount / 16n))
  }

const condition =
  (inverted: boolean): Kind =>
  (m, operand, letter) => {
    const code =
      operand?.kind === 'value' && operand.name !== undefined ? conditions.get(operand.name.toLowerCase()) : undefined
    if (code === undefined) return expected('a condition (eq, ne, …)')
    if (inverted && code >= 14) return why('The conditions al and nv have no inverse.')
    return set(m, letter, inverted ? code ^ 1 : code)
  }

/** A branch to a label: a field of so many bits, in instructions. */
const branch =
  (bits: number): Kind =>
  (m, operand, letter) => {
    if (operand?.kind !== 'value') return expected('a label')
    const target = m.value(operand.expression)
    if (target === undefined) return expected('a label')
    const offset = BigInt.asIntN(64, target - m.address)
    const reach = 1n << BigInt(bits + 1)
    if (offset % 4n !== 0n) return why(`The target is not a multiple of 4 bytes away (${hex(offset)}).`)
    if (offset < -reach || offset >= reach)
      return why(`The target is ${hex(offset)} bytes away; this instruction reaches ${hex(reach)}.`)
    return set(m, letter, Number(BigInt.asUintN(bits, offset / 4n)))
  }

/** ADR and ADRP: letters of the upper and of the two lowest bits. */
const address =
  (pages: boolean): Kind =>
  (m, operand, letters) => {
    if (operand?.kind !== 'value') return expected('a label')
    const target = m.value(operand.expression)
    if (target === undefined) return expected('a label')
    const offset = pages
      ? BigInt.asIntN(52, (target >> 12n) - (m.address >> 12n))
      : BigInt.asIntN(64, target - m.address)
    const reach = 1n << 20n
    if (offset < -reach || offset >= reach)
      return why(
        `The target is ${hex(offset)} ${pages ? 'pages' : 'bytes'} away; this instruction reaches ${hex(reach)}.`,
      )
    const field = Number(BigInt.asUintN(21, offset))
    set(m, letters[0], field >>> 2)
    return set(m, letters[1], field & 3)
  }

/** A bit number above 31 in two fields. */
const bitNumber =
  (width: 32 | 64): Kind =>
  (m, operand, letters) => {
    if (operand?.kind !== 'value') return expected('a bit number')
    const bit = m.value(operand.expression)
    if (bit === undefined) return expected('a bit number')
    if (bit < 0n || bit >= BigInt(width)) return why(`The bit number ${bit} is out of range: 0 to ${width - 1}.`)
    set(m, letters[0], Number(bit) >> 5)
    return set(m, letters[1], Number(bit) & 31)
  }

/**
 * Aliases of the bitfield moves give a place and a width; the row wants a rotation and a last bit.
 * Letters of both: rotation and last bit. The place comes first and is kept in the rotation's field.
 */
const field =
  (width: 32 | 64, insert: boolean): Kind =>
  (m, operand, letters) => {
    if (operand?.kind !== 'value') return expected('the width of the field')
    const size = m.value(operand.expression)
    const [r = '', s = ''] = letters
    const place = m.fields[r] ?? 0
    if (size === undefined) return expected('the width of the field')
    if (size < 1n || size > BigInt(width - place))
      return why(`The field's width ${size} is out of range: 1 to ${width - place}.`)
    set(m, s, Number(size) - 1 + (insert ? 0 : place))
    return set(m, r, insert ? (width - place) % width : place)
  }

/** LSL by an immediate is UBFM with both derived from the amount. */
const leftShift =
  (width: 32 | 64): Kind =>
  (m, operand, letters) => {
    const bad = range(0, width - 1)(m, operand, letters[0] ?? '')
    if (bad !== undefined) return bad
    const amount = m.fields[letters[0] ?? ''] ?? 0
    set(m, letters[0], (width - amount) % width)
    return set(m, letters[1], width - 1 - amount)
  }

const sized: Record<string, Kind> = {}
for (const width of [32, 64] as const) {
  const letter = width === 64 ? 'x' : 'w'
  Object.assign(sized, {
    [letter]: register(width, false),
    [`${letter}s`]: register(width, true),
    [`${letter}sp`]: stackPointer(width),
    [`${letter}even`]: pairRegister(width, 0),
    [`${letter}odd`]: pairRegister(width, 1),
    [`shift${width}`]: shift(width, false),
    [`rotate${width}`]: shift(width, true),
    [`extend${width}w`]: extension(width, false),
    [`extend${width}x`]: extension(width, true),
    [`bitmask${width}`]: bitmask(width, false),
    [`notmask${width}`]: bitmask(width, true),
    [`movz${width}`]: wide(width, false),
    [`movn${width}`]: wide(width, true),
    [`wideshift${width}`]: wideShift(width),
    [`bit${width}`]: bitNumber(width),
    [`extract${width}`]: field(width, false),
    [`insert${width}`]: field(width, true),
    [`lsl${width}`]: leftShift(width),
    [`amount${width}`]: range(0, width - 1),
  })
}
for (const scale of [0, 1, 2, 3, 4]) {
  const bytes = 1 << scale
  Object.assign(sized, {
    [`scaled${bytes}`]: offsetMemory(0, 4095 * bytes, bytes, false),
    [`index${bytes}`]: indexMemory(scale),
    [`extindex${bytes}`]: extendedMemory(scale),
    [`pair${bytes}`]: offsetMemory(-64 * bytes, 63 * bytes, bytes, false),
    [`pairpre${bytes}`]: offsetMemory(-64 * bytes, 63 * bytes, bytes, true),
    [`pairpost${bytes}`]: range(-64 * bytes, 63 * bytes, bytes),
  })
}

export const kinds: Readonly<Record<string, Kind>> = {
  ...sized,
  ...systemKinds,
  ...simdKinds,
  add: addImmediate(false),
  sub: addImmediate(true),
  addshift: addShift,
  cond: condition(false),
  notcond: condition(true),
  label26: branch(26),
  label19: branch(19),
  label14: branch(14),
  adr: address(false),
  adrp: address(true),
  base: baseMemory,
  split10: splitOffsetMemory(false),
  split10pre: splitOffsetMemory(true),
  unscaled: offsetMemory(-256, 255, 1, false),
  pre: offsetMemory(-256, 255, 1, true),
  post: range(-256, 255),
  imm2: range(0, 3),
  imm3: range(0, 7),
  imm4: range(0, 15),
  imm5: range(0, 31),
  imm6: range(0, 63),
  imm16: range(0, 0xffff),
}
