/** Pointer authentication, by what the architecture says of any algorithm (Arm ARM D8.10): ours is our own. */
import { describe, expect, it } from 'vitest'
import { BareCore } from './bare-core.ts'
import { Random } from './oracle/operands.ts'

const ENABLED = (1n << 31n) | (1n << 30n) | (1n << 27n) | (1n << 13n)
const TBI0 = 1n << 37n
const TBI1 = 1n << 38n
const TBID0 = 1n << 51n
const TBID1 = 1n << 52n
/** X20: SCTLR_EL1's enables; X21: TCR_EL1; X22, X23: a key. */
const SET_UP = `
  mrs x24, sctlr_el1
  orr x24, x24, x20
  msr sctlr_el1, x24
  msr tcr_el1, x21
${['ia', 'ib', 'da', 'db', 'ga'].map((key, i) => `  add x22, x22, #${i}\n  msr ap${key}keylo_el1, x22\n  msr ap${key}keyhi_el1, x23`).join('\n')}
  isb`

interface Case {
  readonly key: 'ia' | 'ib' | 'da' | 'db'
  readonly size: bigint
  readonly tbi: boolean
  readonly tbid: boolean
  readonly upper: boolean
  readonly address: bigint
  readonly modifier: bigint
}

/** The bits that the code may take: D8.10.3. */
function fieldOf({ key, size, tbi, tbid }: Case): bigint {
  const ignored = tbi && !(tbid && key.startsWith('i'))
  const below = ((1n << 55n) - 1n) & ~((1n << (64n - size)) - 1n)
  return below | (ignored ? 0n : 0xffn << 56n)
}

function cases(random: Random): Case[] {
  return Array.from({ length: 300 }, (): Case => {
    const size = 16n + BigInt(random.below(20))
    const [upper, tbi, tbid] = [random.below(2) === 1, random.below(2) === 1, random.below(2) === 1]
    const low = random.u64() & ((1n << (64n - size)) - 1n)
    const address = upper ? low | BigInt.asUintN(64, -1n << (64n - size)) : low
    return {
      key: random.pick(['ia', 'ib', 'da', 'db'] as const),
      size,
      tbi,
      tbid,
      upper,
      address,
      modifier: random.u64(),
    }
  })
}

const tcrOf = ({ size, tbi, tbid }: Case): bigint =>
  size | (size << 16n) | (tbi ? TBI0 | TBI1 : 0n) | (tbid ? TBID0 | TBID1 : 0n)

describe.each([false, true])('pointer authentication (translated: %s)', (translate) => {
  const machine = new BareCore('max', translate)
  const registers = (c: Case, random: Random, enabled = ENABLED): bigint[] => {
    const x = Array<bigint>(24).fill(0n)
    Object.assign(x, { 0: c.address, 1: c.modifier, 20: enabled, 21: tcrOf(c), 22: random.u64(), 23: random.u64() })
    return x
  }

  it('gives back what was signed, faults what was not, and strips both', () => {
    const random = new Random(7)
    const codes = new Set<bigint>()
    for (const c of cases(random)) {
      const program = `${SET_UP}
        mov x2, x0
        pac${c.key} x2, x1
        mov x3, x2
        aut${c.key} x3, x1
        add x4, x1, #1
        mov x5, x2
        aut${c.key} x5, x4
        mov x6, x2
        xpac${c.key.slice(0, 1)} x6
        hvc #0`
      const x = machine.load(program, registers(c, random)).run()
      const [signed = 0n, back, wrong = 0n, stripped] = [x[2], x[3], x[5], x[6]]
      const field = fieldOf(c)
      expect(back).toBe(c.address)
      expect(stripped).toBe(c.address)
      // Nothing but the field has changed: bit 55 still says which half it is.
      expect((signed ^ c.address) & ~field & 0xffff_ffff_ffff_ffffn).toBe(0n)
      // With another modifier the codes differ, but for one in as many as the field has values; the key's number is in it.
      const at = field >> 63n === 1n ? 61n : 53n
      const wide = field.toString(2).replaceAll('0', '').length >= 16
      expect(wide ? (wrong >> at) & 3n : 'narrow').toBe(wide ? (c.key.endsWith('a') ? 1n : 2n) : 'narrow')
      codes.add(signed & field)
    }
    expect(codes.size).toBeGreaterThan(200)
  })

  it('leaves addresses alone where SCTLR_EL1 has the key disabled', () => {
    const random = new Random(8)
    for (const c of cases(random).slice(0, 20)) {
      const x = machine
        .load(
          `${SET_UP}\nmov x2, x0\npac${c.key} x2, x1\nmov x3, x0\naut${c.key} x3, x1\nhvc #0`,
          registers(c, random, 0n),
        )
        .run()
      expect([x[2], x[3]]).toEqual([c.address, c.address])
    }
  })

  it('signs return addresses in the hint space, and returns by them', () => {
    const c: Case = { key: 'ia', size: 16n, tbi: false, tbid: false, upper: false, address: 0n, modifier: 0n }
    const program = `${SET_UP}
        mov x10, #0x40000000
        add sp, x10, #0x8000
        bl function
        mov x1, #1
        hvc #0
      function:
        paciasp
        mov x0, x30
        retaa`
    const x = machine.load(program, registers(c, new Random(9))).run()
    expect(x[1]).toBe(1n)
    expect((x[0] ?? 0n) >> 48n).not.toBe(0n)
  })

  it('makes generic codes of 32 bits', () => {
    const c: Case = { key: 'ia', size: 16n, tbi: false, tbid: false, upper: false, address: 5n, modifier: 6n }
    const x = machine.load(`${SET_UP}\npacga x2, x0, x1\npacga x3, x1, x0\nhvc #0`, registers(c, new Random(10))).run()
    expect((x[2] ?? 1n) & 0xffff_ffffn).toBe(0n)
    expect(x[2]).not.toBe(x[3])
  })
})

describe('a CPU without pointer authentication', () => {
  it('takes its hints for NOPs', () => {
    const x = new BareCore('cortex-a57').load('mov x30, #5\npaciasp\nautiasp\nxpaclri\nmov x0, x30\nhvc #0').run()
    expect(x[0]).toBe(5n)
  })
})
