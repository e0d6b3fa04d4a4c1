/** Instruction words of a row, and states in which they can be executed in a bare user-mode process. */
import type { Operand } from '../pure/arch/a64/ops.ts'
import type { Row } from '../pure/arch/a64/row.ts'
import type { InstructionMachine } from './instruction-machine.ts'
import { Random, floatBits, fpcrBits, integerBits, meetingFloatBits, vectorBits } from './oracle/operands.ts'
import { INSTRUCTION_ADDRESS, MEMORY_ADDRESS, MEMORY_SIZE, emptyState } from './oracle/run-instruction.ts'
import type { MachineState } from './oracle/run-instruction.ts'

const REGISTERS = 8
const REGISTER_LETTERS = new Set(['d', 'n', 'm', 'a', 't', 'u', 'r'])
const isLiteral = (row: Row): boolean => row.name.includes('literal') && row.name.startsWith('LDR')
const isAligned = (row: Row): boolean => /^(LDXR|STXR|LDXP|STXP|LDAR|STLR)/.test(row.name)

/** A word of the row that names registers of the state only (or ZR); `undefined`: none was found. */
export function wordOf(row: Row, random: Random): number | undefined {
  for (let attempt = 0; attempt < 200; attempt++) {
    let word = (row.match | (Number(random.u64() & 0xffffffffn) & ~row.mask)) >>> 0
    if (isLiteral(row)) {
      const offset = (MEMORY_ADDRESS + 64 + 4 * random.below(16) - INSTRUCTION_ADDRESS) / 4
      word = ((word & ~(0x7ffff << 5)) | ((offset & 0x7ffff) << 5)) >>> 0
    }
    word = keepRegistersLow(row, word, random)
    if (row.matches(word) && isUsable(row, word)) return word
  }
  return undefined
}

/** Replaces register fields of five (or four) bits by numbers below 8, or now and then 31. */
function keepRegistersLow(row: Row, word: number, random: Random): number {
  const text = row.bits.replaceAll(' ', '')
  for (const letter of REGISTER_LETTERS) {
    const first = text.indexOf(letter)
    const width = text.lastIndexOf(letter) - first + 1
    if (first < 0 || width < 4) continue
    const value = width === 5 && random.below(10) === 0 ? 31 : random.below(REGISTERS)
    const shift = 31 - text.lastIndexOf(letter)
    word = (word & ~((2 ** width - 1) << shift)) | (value << shift)
  }
  return word >>> 0
}

const ZERO = 32

function isUsable(row: Row, word: number): boolean {
  const operands = Object.entries(row.operandsOf(word))
  for (const [, o] of operands) {
    if (o.kind === 'v' && o.value >= REGISTERS) return false
    if (o.kind === 'x' && o.value >= REGISTERS && o.value < ZERO) return false
  }
  // What the architecture calls CONSTRAINED UNPREDICTABLE: a base that is also loaded, a status that is also an operand.
  const x = new Map(operands.flatMap(([name, o]) => (o.kind === 'x' ? [[name, o.value] as const] : [])))
  const [t, u, n, m, status] = ['t', 'u', 'n', 'm', 'status'].map((name) => x.get(name))
  if (row.name === 'DC ZVA' && x.get('t') === ZERO) return false
  const memory = /LD|ST/.test(row.name)
  if (memory && n !== undefined && [t, u, m, status].includes(n)) return false
  if (memory && t !== undefined && (t === u || t === status || (u !== undefined && u === status))) return false
  const t0 = operands.find(([name]) => name === 't')?.[1]
  const u0 = operands.find(([name]) => name === 'u')?.[1]
  return !(t0?.kind === 'v' && u0?.kind === 'v' && t0.value === u0.value)
}

/** The operand that an address is made of, where there is one. */
function baseOf(row: Row, word: number): Operand | undefined {
  const { n, t } = row.operandsOf(word)
  return row.name === 'DC ZVA' ? t : n
}

/** FPSR.IXC: an inexact result leaves no trace, and the host may compute it. */
const IXC = 1 << 4

/** 128 bits of floating-point numbers. */
function floatLanes(random: Random, width: 32 | 64): bigint {
  const number = random.below(2) === 0 ? floatBits : meetingFloatBits
  let bits = 0n
  for (let i = 0; i < 128; i += width) bits |= number(random, width) << BigInt(i)
  return bits
}

/** A state for a word: random, but what it accesses lies in the memory of the test. */
export function stateFor(machine: InstructionMachine, row: Row, word: number, random: Random): MachineState {
  const state = emptyState(word)
  state.fpcr = row.fp && random.below(2) === 0 ? fpcrBits(random) : 0
  state.fpsr = random.pick([0, IXC, IXC, random.below(256) & 0x9f])
  state.nzcv = random.below(16)
  state.x = state.x.map(() => integerBits(random, 64))
  const numbers = random.pick([0, 32, 64] as const)
  state.v = state.v.map(() => (numbers === 0 ? vectorBits(random) : floatLanes(random, numbers)))
  state.memory = new Uint8Array(MEMORY_SIZE).map(() => random.below(256))
  const n = baseOf(row, word)
  if (n?.kind !== 'x' || n.value >= REGISTERS) return state
  const FAR = 0x5000000000n
  const before = state.x[n.value] ?? 0n
  state.x[n.value] = FAR
  const { accessed, end } = machine.run(state)
  if (accessed === undefined || end !== 'fault') {
    // A store exclusive without a reservation: the oracle takes an address of all ones for one that is reserved.
    state.x[n.value] = isAligned(row) ? BigInt(MEMORY_ADDRESS) : before
    return state
  }
  const wanted = MEMORY_ADDRESS + 64 + (isAligned(row) ? 16 * random.below(4) : random.below(64))
  state.x[n.value] = BigInt.asUintN(64, BigInt(wanted) - (accessed - FAR))
  return state
}

const hex = (n: bigint | number): string => `0x${n.toString(16)}`

/** How the two differ, in words; empty: not at all. */
export function differences(expected: MachineState, got: MachineState): string[] {
  const list: string[] = []
  const check = (what: string, a: bigint | number, b: bigint | number): void => {
    if (a !== b) list.push(`${what} is ${hex(b)} instead of ${hex(a)}`)
  }
  check('NZCV', expected.nzcv, got.nzcv)
  check('FPCR', expected.fpcr, got.fpcr)
  check('FPSR', expected.fpsr, got.fpsr)
  expected.x.forEach((value, i) => check(`X${i}`, value, got.x[i] ?? -1n))
  expected.v.forEach((value, i) => check(`V${i}`, value, got.v[i] ?? -1n))
  expected.memory.forEach((value, i) => check(`byte ${i}`, value, got.memory[i] ?? -1))
  return list
}
