/** Every row that a user-mode process can execute, against QEMU. */
import { afterAll, describe, expect, it } from 'vitest'
import { rows } from '../pure/arch/a64/rows/index.ts'
import { system } from '../pure/arch/a64/rows/system.ts'
import { differences, stateFor, wordOf } from './instruction-cases.ts'
import { InstructionMachine } from './instruction-machine.ts'
import { Random } from './oracle/operands.ts'
import { emptyState, missingTools, openOracle } from './oracle/run-instruction.ts'
import type { MachineState } from './oracle/run-instruction.ts'

const missing = missingTools()
const SAMPLES_OF_A_VARIANT = 5
const SAMPLES_OF_A_ROW = 12

/** Not those that change the flow, and of the system instructions one; CRC32 is served by the processor itself. */
const tested = rows.filter(
  (row) => row.name === 'DC ZVA' || (!row.flow && !system.includes(row) && row.name !== 'CRC32'),
)

describe.skipIf(missing.length > 0)('instructions', () => {
  const oracle = openOracle()
  afterAll(() => oracle.dispose())
  const machine = new InstructionMachine(rows)

  it('do what QEMU says they do', { timeout: 60_000 }, () => {
    const random = new Random(20)
    const states: MachineState[] = []
    const names: string[] = []
    const without: string[] = []
    for (const row of tested) {
      const count = Math.max(SAMPLES_OF_A_ROW, SAMPLES_OF_A_VARIANT * row.variantCount)
      for (let i = 0; i < count; i++) {
        const word = wordOf(row, random)
        if (word === undefined) {
          without.push(row.name)
          break
        }
        if (machine.interpreter.decoder.decode(word) !== row) continue
        states.push(stateFor(machine, row, word, random))
        names.push(row.name)
      }
    }
    expect(without).toEqual([])
    const expected = oracle.run(states)
    const wrong = new Map<string, { count: number; total: number; first: string; word: number }>()
    const totals = new Map<string, number>()
    expected.forEach((want, i) => {
      const state = states[i]
      const name = names[i]
      if (state === undefined || name === undefined) return
      totals.set(name, (totals.get(name) ?? 0) + 1)
      const { state: got, end, pc } = machine.run(state)
      const list = end === 'done' ? differences(want, got) : [`ended with ${end}`]
      if (end === 'done' && pc !== 0x20001004n) list.push(`goes on at 0x${pc.toString(16)}`)
      if (list.length === 0) return
      const before = wrong.get(name)
      if (before === undefined) {
        const inputs = `fpcr ${state.fpcr.toString(16)} nzcv ${state.nzcv} x ${state.x.map((v) => v.toString(16)).join(' ')} v ${state.v.map((v) => v.toString(16)).join(' ')}`
        wrong.set(name, { count: 1, total: 0, first: `${list.slice(0, 3).join('; ')} (${inputs})`, word: state.word })
      } else before.count++
    })
    const words = [...wrong.values()].map((w) => w.word)
    const texts = words.length === 0 ? [] : oracle.disassemble(words)
    const report = [...wrong].map(
      ([name, w], i) => `${name}: ${w.count} of ${totals.get(name)}: ${texts[i]}: ${w.first}`,
    )
    expect(report).toEqual([])
  })

  it('round a fused multiply and add once', () => {
    const random = new Random(5)
    const forms = [
      'fmadd d0, d1, d2, d0',
      'fnmsub d0, d1, d2, d0',
      'fmla v0.2d, v1.2d, v2.2d',
      'fmls v0.2d, v1.2d, v2.d[1]',
    ]
    const all = [
      ...forms,
      ...forms.map((form) =>
        form
          .replaceAll(/d(?=\d)/g, 's')
          .replaceAll('.2d', '.4s')
          .replaceAll('.d', '.s'),
      ),
    ]
    const words = oracle.assemble(all)
    const states = words.flatMap((word, i) =>
      Array.from({ length: 300 }, () => {
        const [width, fraction] = i < forms.length ? ([64, 52n] as const) : ([32, 23n] as const)
        const state = emptyState(word)
        state.fpsr = 0x10
        const everywhere = (bits: bigint): bigint => {
          let value = 0n
          for (let at = 0n; at < 128n; at += BigInt(width)) value |= bits << at
          return value
        }
        // (1 + 2^-k)(1 - 2^-k) is a little less than 1: with half of the addend's last bit as its unit, next to a tie.
        const k = BigInt(random.below(Number(fraction) >> 1)) + (fraction >> 1n) + 1n
        const bias = (1n << (BigInt(width) - 2n - fraction)) - 1n
        const number = (exponent: bigint, mantissa: bigint): bigint =>
          (BigInt(random.below(2)) << BigInt(width - 1)) | (((bias + exponent) << fraction) + mantissa)
        const apart = BigInt(random.below(3)) - 1n
        state.v[1] = everywhere(number(-20n, 1n << (fraction - k)))
        state.v[2] = everywhere(number(19n - fraction + apart, -(1n << (fraction - k + 1n)) / 2n))
        state.v[0] = everywhere(number(0n, BigInt(random.below(4))))
        return state
      }),
    )
    const wrong = oracle.run(states).map((want, i) => {
      const state = states[i]
      return state === undefined ? [] : differences(want, machine.run(state).state)
    })
    expect(wrong.filter((list) => list.length > 0)).toEqual([])
  })
})
