/** What IC IALLU does to code that was fetched, decoded and translated before. */
import { describe, expect, it } from 'vitest'
import { BareCore } from './bare-core.ts'
import { EAGER } from './eager.ts'

const BUDGET = 2_000_000
const CALLS = 3000

const MOV_X0_2 = 0xd280_0040n

/**
 * Calls `f` often enough to be hot before each step; X19 is what it returned last, X20 another instruction for its first,
 * X21 where that is.
 */
const program = (...steps: readonly string[]): string => `
        adr     x21, f
        ldr     x20, =${MOV_X0_2}
${steps
  .map(
    (step) => `
        mov     x9, #${CALLS}
1:      bl      f
        mov     x19, x0
        subs    x9, x9, #1
        b.ne    1b
        ${step}`,
  )
  .join('')}
        hvc     #0
f:      mov     x0, #1
        add     x1, x1, x0
        eor     x2, x2, x1
        add     x3, x3, x2
        ret`

describe.each([
  ['interpreted', false],
  ['translated', EAGER],
] as const)('code that is %s', { timeout: 120_000 }, (_, translate) => {
  /** X22 at the end. */
  const run = (...steps: readonly string[]): bigint | undefined =>
    new BareCore('cortex-a57', translate).load(program(...steps)).run(BUDGET)[22]

  it('is what was fetched until IC IALLU, and what RAM holds after it', () => {
    const seen = run('str w20, [x21]', 'mov x22, x19\n ic iallu\n isb', 'add x22, x22, x19, lsl #8')
    expect(seen).toBe(0x201n)
  })

  it('is what RAM holds after IC IALLUIS, where the store came after the first', () => {
    expect(run('ic iallu\n isb\n str w20, [x21]\n ic ialluis\n isb', 'mov x22, x19')).toBe(2n)
  })
})

describe('what was translated', { timeout: 120_000 }, () => {
  const dropped = (...steps: readonly string[]): number => {
    const bare = new BareCore('cortex-a57', EAGER).load(program(...steps))
    bare.run(BUDGET)
    const { core } = bare
    const { regions = 0, dropped: gone = 0 } = core.translator?.statistics ?? {}
    expect(regions).toBeGreaterThan(0)
    return gone
  }

  it('stays where nothing has changed', () => {
    expect(dropped('ic iallu', 'ic ialluis', 'nop')).toBe(0)
  })

  it('goes where something has', () => {
    expect(dropped('str w20, [x21]\n ic iallu', 'nop')).toBeGreaterThan(0)
  })
})
