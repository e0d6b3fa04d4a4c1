/** Kinds of operands that are addresses in brackets. */
import { amountOf, expected, range, set, why } from './kind.ts'
import type { Kind } from './kind.ts'
import type { Operand, Register } from './operand.ts'

type Memory = Extract<Operand, { kind: 'memory' }>

const isBase = (r: Register): boolean => r.width === 64 && (r.number < 31 || r.sp)

function memoryOperand(
  operand: Operand | undefined,
  writeback: boolean,
  form: string,
): Memory | { expected: string } | { why: string } {
  if (operand?.kind !== 'memory') return { expected: `an address (${form})` }
  if (!isBase(operand.base))
    return { why: `The base of an address is an X register or SP, not '${operand.base.name}'.` }
  if (operand.writeback !== writeback) return { expected: `an address (${form})` }
  return operand
}

/** [base, #offset] with a range and a scale: letters of base and offset. */
export const offsetMemory = (low: number, high: number, scale: number, writeback: boolean): Kind => {
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

/** [base, #offset] of ten bits and a scale of 8: letters of base, of the offset's sign and of the rest. */
export const splitOffsetMemory = (writeback: boolean): Kind => {
  const offset = offsetMemory(-4096, 4088, 8, writeback)
  return (m, operand, letters) => {
    const [n = '', sign = '', rest = ''] = letters
    const bad = offset(m, operand, n + rest)
    if (bad !== undefined) return bad
    const field = m.fields[rest] ?? 0
    set(m, sign, field >> 9)
    return set(m, rest, field & 0x1ff)
  }
}

/** [base] alone. */
export const baseMemory: Kind = (m, operand, letter) => {
  const memory = memoryOperand(operand, false, '[xn]')
  if (!('kind' in memory)) return memory
  const [offset] = memory.rest
  const zero =
    offset === undefined || (memory.rest.length === 1 && offset.kind === 'value' && m.value(offset.expression) === 0n)
  return zero ? set(m, letter, memory.base.number) : expected('an address without offset ([xn])')
}

/** [base, Xm{, lsl #scale}]: letters of base, index and whether it is scaled. */
export const indexMemory =
  (scale: number): Kind =>
  (m, operand, letters) => {
    const form = `[xn, xm, lsl #${scale}]`
    const memory = memoryOperand(operand, false, form)
    if (!('kind' in memory)) return memory
    const [index, modifier] = memory.rest
    if (index?.kind !== 'register' || index.width !== 64 || index.sp || memory.rest.length > 2)
      return expected(`an address (${form})`)
    const amount = amountOf(m, modifier, 'lsl')
    if (amount === undefined) return expected(`an address (${form})`)
    if (amount !== 0n && amount !== BigInt(scale))
      return why(`The index is shifted by 0 or by ${scale} here, not by ${amount}.`)
    set(m, letters[0], memory.base.number)
    set(m, letters[1], index.number)
    return set(m, letters[2], modifier !== undefined && amount === BigInt(scale) ? 1 : 0)
  }

/** [base, Wm, uxtw|sxtw {#scale}], [base, Xm, sxtx {#scale}]: letters of base, index, extension and scaled. */
export const extendedMemory =
  (scale: number): Kind =>
  (m, operand, letters) => {
    const form = `[xn, wm, uxtw #${scale}]`
    const memory = memoryOperand(operand, false, form)
    if (!('kind' in memory)) return memory
    const [index, modifier] = memory.rest
    if (index?.kind !== 'register' || index.sp || modifier?.kind !== 'modifier' || memory.rest.length > 2)
      return expected(`an address (${form})`)
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
