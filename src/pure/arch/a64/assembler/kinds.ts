/**
 * Kinds of operands: each takes one written operand and fills in the fields of the row by their letters.
 * Patterns of `mnemonics.ts` name them, `kind:letters`.
 */
import { encodeBitmask } from '../bitmask.ts'
import { modifiers } from './operand.ts'
import type { Expression } from './expression.ts'
import type { Operand, Register } from './operand.ts'
import { barrierOptions, conditions, prefetchOperations, pstateFields, systemOperation, systemRegister } from './system-names.ts'

/** What a kind works with: the fields so far, and the values of expressions. */
export interface Match {
  readonly fields: Record<string, number>
  /** The address of the instruction. */
  readonly address: bigint
  readonly mnemonic: string
  value(expression: Expression): bigint | undefined
  /** The value and whether it is the address of a label. */
  isAddress(expression: Expression): boolean
}

/** `undefined`: the operand is of the kind. Otherwise what was expected, or the reason as a sentence. */
export type Verdict = undefined | { readonly expected: string } | { readonly why: string }
export type Kind = (m: Match, operand: Operand | undefined, letters: string) => Verdict

const expected = (what: string): Verdict => ({ expected: what })
const why = (what: string): Verdict => ({ why: what })

const set = (m: Match, letter: string | undefined, value: number): undefined => {
  if (letter !== undefined && letter !== '' && letter !== '-') m.fields[letter] = value
  return undefined
}

const register =
  (width: 32 | 64, sp: boolean): Kind =>
  (m, operand, letters) => {
    const what = `${width === 64 ? 'an X' : 'a W'} register${sp ? ` or ${width === 64 ? 'SP' : 'WSP'}` : ''}`
    if (operand?.kind !== 'register' || operand.width !== width) return expected(what)
    if (operand.number === 31 && operand.sp !== sp) return expected(what)
    for (const letter of letters) set(m, letter, operand.number)
    return undefined
  }

/** Only SP itself: what makes the difference between two forms of MOV and ADD. */
const stackPointer =
  (width: 32 | 64): Kind =>
  (m, operand, letters) =>
    operand?.kind === 'register' && operand.sp && operand.width === width ? set(m, letters, 31) : expected(width === 64 ? 'SP' : 'WSP')

const hex = (value: bigint): string => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`)

function inRange(value: bigint, low: number, high: number, scale: number): Verdict {
  if (value < BigInt(low) || value > BigInt(high)) return why(`The immediate ${value} is out of range: ${low} to ${high}.`)
  if (value % BigInt(scale) !== 0n) return why(`The immediate ${value} is not a multiple of ${scale}.`)
  return undefined
}

/** An immediate from `low` to `high`, stored divided by `scale`; negative ones in two's complement. */
export const range = (low: number, high: number, scale = 1): Kind => {
  const span = (high - low) / scale + 1
  return (m, operand, letter) => {
    if (operand?.kind !== 'value') return expected('an immediate')
    const value = m.value(operand.expression)
    if (value === undefined) return expected('an immediate')
    const bad = inRange(value, low, high, scale)
    if (bad !== undefined) return bad
    const field = Number(value) / scale
    return set(m, letter, field < 0 ? field + span : field)
  }
}

/** `lsl #12` after an immediate and the like. */
function amountOf(m: Match, operand: Operand | undefined, name: string): bigint | undefined {
  if (operand === undefined) return 0n
  if (operand.kind !== 'modifier' || operand.name !== name || operand.amount === undefined) return undefined
  return m.value(operand.amount)
}

const IMM12 = 0xfff

/** The immediate of ADD and SUB: letters are that of the immediate and that of its shift. */
const addImmediate =
  (negated: boolean): Kind =>
  (m, operand, letters) => {
    if (operand?.kind !== 'value') return expected('an immediate')
    let value = m.value(operand.expression)
    if (value === undefined) return expected('an immediate')
    if (negated && value >= 0n) return why(`The immediate ${value} is out of range: 0 to 4095, or a multiple of 4096 to 16773120.`)
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
      return expected(x ? 'uxtx, sxtx or lsl after an X register' : 'uxtb, uxth, uxtw, sxtb, sxth or sxtw after a W register')
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
    if (fields === undefined) return why(`${hex(value)} is not a bitmask immediate (a run of ones, rotated and repeated).`)
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
    const code = operand?.kind === 'value' && operand.name !== undefined ? conditions.get(operand.name.toLowerCase()) : undefined
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
    const offset = target - m.address
    const reach = 1n << BigInt(bits + 1)
    if (offset % 4n !== 0n) return why(`The target is not a multiple of 4 bytes away (${hex(offset)}).`)
    if (offset < -reach || offset >= reach) return why(`The target is ${hex(offset)} bytes away; this instruction reaches ${hex(reach)}.`)
    return set(m, letter, Number(BigInt.asUintN(bits, offset / 4n)))
  }

/** ADR and ADRP: letters of the upper and of the two lowest bits. */
const address =
  (pages: boolean): Kind =>
  (m, operand, letters) => {
    if (operand?.kind !== 'value') return expected('a label')
    const target = m.value(operand.expression)
    if (target === undefined) return expected('a label')
    const offset = pages ? (target >> 12n) - (m.address >> 12n) : target - m.address
    const reach = 1n << 20n
    if (offset < -reach || offset >= reach) return why(`The target is ${hex(offset)} ${pages ? 'pages' : 'bytes'} away; this instruction reaches ${hex(reach)}.`)
    const field = Number(BigInt.asUintN(21, offset))
    set(m, letters[0], field >>> 2)
    return set(m, letters[1], field & 3)
  }

type Memory = Extract<Operand, { kind: 'memory' }>

const isBase = (r: Register): boolean => r.width === 64 && (r.number < 31 || r.sp)

function memoryOperand(operand: Operand | undefined, writeback: boolean, form: string): Memory | { expected: string } | { why: string } {
  if (operand?.kind !== 'memory') return { expected: `an address (${form})` }
  if (!isBase(operand.base)) return { why: `The base of an address is an X register or SP, not '${operand.base.name}'.` }
  if (operand.writeback !== writeback) return { expected: `an address (${form})` }
  return operand
}

/** [base, #offset] with a range and a scale: letters of base and offset. */
const offsetMemory = (low: number, high: number, scale: number, writeback: boolean): Kind => {
  const immediate = range(low, high, scale)
  const form = writeback ? '[xn, #offset]!' : '[xn, #offset]'
  return (m, operand, letters) => {
    const memory = memoryOperand(operand, writeback, form)
    if (!('kind' in memory)) return memory
    const [offset] = memory.rest
    if (memory.rest.length > 1 || (offset === undefined && writeback)) return expected(`an address (${form})`)
    set(m, letters[0], memory.base.number)
    if (offset === undefined) return set(m, letters[1], 0)
    return offset.kind === 'value' ? immediate(m, offset, letters[1] ?? '') : expected(`an address (${form})`)
  }
}

/** [base] alone. */
const baseMemory: Kind = (m, operand, letter) => {
  const memory = memoryOperand(operand, false, '[xn]')
  if (!('kind' in memory)) return memory
  const [offset] = memory.rest
  const zero = offset === undefined || (memory.rest.length === 1 && offset.kind === 'value' && m.value(offset.expression) === 0n)
  return zero ? set(m, letter, memory.base.number) : expected('an address without offset ([xn])')
}

/** [base, Xm{, lsl #scale}]: letters of base, index and whether it is scaled. */
const indexMemory =
  (scale: number): Kind =>
  (m, operand, letters) => {
    const form = `[xn, xm, lsl #${scale}]`
    const memory = memoryOperand(operand, false, form)
    if (!('kind' in memory)) return memory
    const [index, modifier] = memory.rest
    if (index?.kind !== 'register' || index.width !== 64 || index.sp || memory.rest.length > 2) return expected(`an address (${form})`)
    const amount = amountOf(m, modifier, 'lsl')
    if (amount === undefined) return expected(`an address (${form})`)
    if (amount !== 0n && amount !== BigInt(scale)) return why(`The index is shifted by 0 or by ${scale} here, not by ${amount}.`)
    set(m, letters[0], memory.base.number)
    set(m, letters[1], index.number)
    return set(m, letters[2], modifier !== undefined && amount === BigInt(scale) ? 1 : 0)
  }

/** [base, Wm, uxtw|sxtw {#scale}], [base, Xm, sxtx {#scale}]: letters of base, index, extension and scaled. */
const extendedMemory =
  (scale: number): Kind =>
  (m, operand, letters) => {
    const form = `[xn, wm, uxtw #${scale}]`
    const memory = memoryOperand(operand, false, form)
    if (!('kind' in memory)) return memory
    const [index, modifier] = memory.rest
    if (index?.kind !== 'register' || index.sp || modifier?.kind !== 'modifier' || memory.rest.length > 2) return expected(`an address (${form})`)
    const names = index.width === 64 ? ['sxtx'] : ['uxtw', 'sxtw']
    if (!names.includes(modifier.name)) return expected(`${names.join(' or ')} after '${index.name}'`)
    const amount = modifier.amount === undefined ? 0n : m.value(modifier.amount)
    if (amount !== 0n && amount !== BigInt(scale)) return why(`The index is shifted by 0 or by ${scale} here.`)
    set(m, letters[0], memory.base.number)
    set(m, letters[1], index.number)
    // Option bits 2 and 0: signed, and 64 bits.
    set(m, letters[2], (modifier.name === 'uxtw' ? 0 : 2) | (index.width === 64 ? 1 : 0))
    return set(m, letters[3], modifier.amount !== undefined && amount === BigInt(scale) ? 1 : 0)
  }

const named =
  (names: ReadonlyMap<string, number>, what: string, low: number, high: number): Kind =>
  (m, operand, letter) => {
    if (operand?.kind !== 'value') return expected(what)
    if (operand.name === undefined) return range(low, high)(m, operand, letter)
    const known = names.get(operand.name.toLowerCase())
    return known === undefined ? expected(what) : set(m, letter, known)
  }

/** Letters: op0's lowest bit, op1, CRn, CRm, op2. */
const sysreg: Kind = (m, operand, letters) => {
  const name = operand?.kind === 'value' ? operand.name : undefined
  const encoding = name === undefined ? undefined : systemRegister(name)
  if (encoding === undefined) {
    return name === undefined ? expected('a system register') : why(`'${name}' is not a known system register; write it as S<op0>_<op1>_C<n>_C<m>_<op2>.`)
  }
  if (encoding >>> 14 < 2) return why(`'${name}' has an op0 below 2: it is an instruction, not a register.`)
  set(m, letters[0], (encoding >>> 14) & 1)
  set(m, letters[1], (encoding >>> 11) & 7)
  set(m, letters[2], (encoding >>> 7) & 15)
  set(m, letters[3], (encoding >>> 3) & 15)
  return set(m, letters[4], encoding & 7)
}

/** Letters: op1, op2. */
const pstate: Kind = (m, operand, letters) => {
  const field = operand?.kind === 'value' ? pstateFields.get(operand.name?.toLowerCase() ?? '') : undefined
  if (field === undefined) return expected('a field of PSTATE (daifset, daifclr, spsel)')
  set(m, letters[0], field.op1)
  return set(m, letters[1], field.op2)
}

/** What follows IC, DC, AT, TLBI. Letters: op1, CRn, CRm, op2. */
const systemOp =
  (takesRegister: boolean): Kind =>
  (m, operand, letters) => {
    const name = operand?.kind === 'value' ? operand.name : undefined
    const op = name === undefined ? undefined : systemOperation(m.mnemonic, name)
    if (op === undefined) return expected(`an operation of ${m.mnemonic}`)
    if (op.takesRegister !== takesRegister) return why(`'${name}' takes ${op.takesRegister ? 'a' : 'no'} register.`)
    set(m, letters[0], op.op1)
    set(m, letters[1], op.crn)
    set(m, letters[2], op.crm)
    return set(m, letters[3], op.op2)
  }

/** The number of a hint: letters of its upper four and its lower three bits. */
const hint: Kind = (m, operand, letters) => {
  const bad = range(0, 127)(m, operand, letters[0] ?? '')
  const number = m.fields[letters[0] ?? ''] ?? 0
  if (bad !== undefined) return bad
  set(m, letters[0], number >>> 3)
  return set(m, letters[1], number & 7)
}

const controlRegister: Kind = (m, operand, letter) => {
  const digits = operand?.kind === 'value' ? /^c(\d{1,2})$/i.exec(operand.name ?? '') : null
  const n = digits === null ? -1 : Number(digits[1])
  return n < 0 || n > 15 ? expected('C0 to C15') : set(m, letter, n)
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
    if (size < 1n || size > BigInt(width - place)) return why(`The field's width ${size} is out of range: 1 to ${width - place}.`)
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

const literalAddress: Kind = (m, operand, letter) =>
  operand?.kind === 'value' && operand.name === undefined && !m.isAddress(operand.expression) ? expected('a label') : branch(19)(m, operand, letter)

const sized: Record<string, Kind> = {}
for (const width of [32, 64] as const) {
  const letter = width === 64 ? 'x' : 'w'
  Object.assign(sized, {
    [letter]: register(width, false),
    [`${letter}s`]: register(width, true),
    [`${letter}sp`]: stackPointer(width),
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
for (const scale of [0, 1, 2, 3]) {
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
  add: addImmediate(false),
  sub: addImmediate(true),
  addshift: addShift,
  cond: condition(false),
  notcond: condition(true),
  label26: branch(26),
  label19: branch(19),
  label14: branch(14),
  literal: literalAddress,
  adr: address(false),
  adrp: address(true),
  base: baseMemory,
  unscaled: offsetMemory(-256, 255, 1, false),
  pre: offsetMemory(-256, 255, 1, true),
  post: range(-256, 255),
  sysreg,
  pstate,
  sysop: systemOp(false),
  sysopreg: systemOp(true),
  control: controlRegister,
  barrier: named(barrierOptions, 'a barrier option (sy, ish, …)', 0, 15),
  isb: named(new Map([['sy', 15]]), 'sy or a number', 0, 15),
  prefetch: named(prefetchOperations, 'a prefetch operation (pldl1keep, …)', 0, 31),
  imm3: range(0, 7),
  imm4: range(0, 15),
  imm5: range(0, 31),
  hint,
  imm16: range(0, 0xffff),
}
