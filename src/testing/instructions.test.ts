/** Every row that a user-mode process can execute, against QEMU. */
import { afterAll, describe, expect, it } from 'vitest'
import { rows } from '../pure/arch/a64/rows/index.ts'
import { system } from '../pure/arch/a64/rows/system.ts'
import { differences, stateFor, wordOf } from './instruction-cases.ts'
import { InstructionMachine } from './instruction-machine.ts'
import { Random } from './oracle/operands.ts'
import { missingTools, openOracle } from './oracle/run-instruction.ts'
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
})
