/** Kinds of operands that have names: of system registers, barriers, operations. */
import { expected, range, set, why } from './kind.ts'
import type { Kind } from './kind.ts'
import { barrierOptions, prefetchOperations, pstateFields, systemOperation, systemRegister } from './system-names.ts'

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
    return name === undefined
      ? expected('a system register')
      : why(`'${name}' is not a known system register; write it as S<op0>_<op1>_C<n>_C<m>_<op2>.`)
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

/** What BTI lets land: letter of two bits. */
const landing = named(new Map([['c', 1], ['j', 2], ['jc', 3]]), 'c, j or jc', 0, 3)

const controlRegister: Kind = (m, operand, letter) => {
  const digits = operand?.kind === 'value' ? /^c(\d{1,2})$/i.exec(operand.name ?? '') : null
  const n = digits === null ? -1 : Number(digits[1])
  return n < 0 || n > 15 ? expected('C0 to C15') : set(m, letter, n)
}

export const systemKinds: Readonly<Record<string, Kind>> = {
  sysreg,
  pstate,
  hint,
  sysop: systemOp(false),
  sysopreg: systemOp(true),
  control: controlRegister,
  landing,
  barrier: named(barrierOptions, 'a barrier option (sy, ish, …)', 0, 15),
  isb: named(new Map([['sy', 15]]), 'sy or a number', 0, 15),
  prefetch: named(prefetchOperations, 'a prefetch operation (pldl1keep, …)', 0, 31),
}
