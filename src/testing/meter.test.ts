/** What a metered machine counts, beside the same machine without a meter and the program's own arithmetic. */
import { describe, expect, it } from 'vitest'
import { Machine } from '../engine/machine/machine.ts'
import { assemble } from '../pure/arch/a64/assembler/assemble.ts'
import { EAGER } from './eager.ts'

const RAM = { ramBase: 0x4000_0000, ramSize: 4 * 2 ** 20 }
const ROUNDS = 20_000

/** A loop of 5 instructions, each round of which ends the slice: which counters count has changed. */
const PROGRAM = `
        mov     x19, #${ROUNDS}
        mov     x3, #1
        msr     PMCR_EL0, x3
        mov     x4, #0x80000000
        msr     PMINTENSET_EL1, x4
1:      add     x0, x0, x19
        msr     PMCNTENSET_EL0, x4
        mul     x2, x0, x19
        subs    x19, x19, #1
        b.ne    1b
        hvc     #0`

const run = (metered: boolean, translate: typeof EAGER | false): Machine => {
  const made = assemble(PROGRAM, RAM.ramBase)
  if (!made.ok) throw new Error(made.errors.map(({ line, what }) => `${line}: ${what}`).join('\n'))
  const machine = new Machine({ ...RAM, translate, metered })
  machine.onHypercall(() => undefined)
  machine.ram(RAM.ramBase, made.bytes.length)?.set(made.bytes)
  const port = machine.addCpu()
  port.powerOn(BigInt(RAM.ramBase), 0n)
  machine.runUntil(10 * 5 * ROUNDS, Infinity)
  return machine
}

describe('a metered machine', { timeout: 120_000 }, () => {
  const translating = run(true, EAGER)
  const counted = translating.core.meter?.read()

  it('runs as without a meter', () => {
    const state = ({ core, clock }: Machine): unknown => [
      clock.now(),
      core.registers.x(0),
      core.registers.x(2),
      core.cpus[0]?.instructions,
    ]
    expect(state(translating)).toEqual(state(run(false, EAGER)))
  })

  it('counts as translated what the loop has, but for what is interpreted before and around regions', () => {
    expect(counted?.translated).toBeLessThanOrEqual(5 * ROUNDS)
    expect(counted?.translated).toBeGreaterThan(0.5 * 5 * ROUNDS)
  })

  it('counts each call out of compiled code, and nothing as translated where nothing is', () => {
    const { calls, translated, regionEnds } = run(true, false).core.meter?.read() ?? {}
    // PMCR_EL0 and PMINTENSET_EL1 once.
    expect(calls?.get('interpreter: msr')).toBe(ROUNDS + 2)
    expect(calls?.get('interpreter: hvc')).toBe(1)
    expect(translated).toBe(0)
    expect(regionEnds).toEqual({ elsewhere: 0, driver: 0, instruction: 0, record: 0 })
  })
})
