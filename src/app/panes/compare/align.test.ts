import { array, assert, constantFrom, property } from '../../../testing/property.ts'
import { describe, expect, it } from 'vitest'
import { alignLogs } from './align.ts'

const log = array(constantFrom('a', 'b', 'c 1', 'c 2', 'd 0x10'), { maxLength: 14 })

/** The length of the longest common sequence, by its definition. */
const longestCommon = (a: readonly string[], b: readonly string[]): number => {
  const [first, ...rest] = a
  if (first === undefined || b.length === 0) return 0
  const at = b.indexOf(first)
  return Math.max(longestCommon(rest, b), at < 0 ? 0 : 1 + longestCommon(rest, b.slice(at + 1)))
}

/** A line each second. */
const timed = (lines: readonly string[]) => lines.map((text, seconds) => ({ text, seconds }))

const texts = (logs: readonly (readonly string[])[]): string[] =>
  alignLogs(logs.map(timed)).map(({ places, differs }) => {
    const cells = places.map((place, of) => (place === undefined ? '–' : logs[of]?.[place]))
    return `${differs ? '≠' : '='} ${cells.join(' | ')}`
  })

describe('logs beside each other', () => {
  it('are all there, each from its first line to its last', () => {
    assert(
      property(array(log, { minLength: 1, maxLength: 3 }), (logs) => {
        const rows = alignLogs(logs.map(timed))
        for (const [of, lines] of logs.entries()) {
          const column = rows.map(({ places }) => places[of]).filter((place) => place !== undefined)
          expect(column).toEqual(lines.map((_, place) => place))
        }
        for (const { places } of rows) expect(places.some((place) => place !== undefined)).toBe(true)
      }),
    )
  })

  it('share as many lines as two logs can', () => {
    assert(
      property(log, log, (a, b) => {
        expect(alignLogs([timed(a), timed(b)]).filter(({ differs }) => !differs)).toHaveLength(longestCommon(a, b))
      }),
    )
  })

  it('have the same sentence about other numbers in one row, marked', () => {
    const mainline = ['smp: Bringing up', 'CPU2: mpidr 100000002 has no re-distributor!', 'Kernel panic']
    const full = ['smp: Bringing up', 'CPU2: found redistributor 100000002 region 0:0x080e0000', 'Run /init']
    const moved = ['smp: Bringing up', 'CPU2: found redistributor 2 region 0:0x080c0000', 'Run /init']
    expect(texts([mainline, full, moved])).toEqual([
      '= smp: Bringing up | smp: Bringing up | smp: Bringing up',
      '≠ CPU2: mpidr 100000002 has no re-distributor! | – | –',
      `≠ – | ${full[1]} | ${moved[1]}`,
      '≠ Kernel panic | – | –',
      '≠ – | Run /init | Run /init',
    ])
  })

  it('of one machine differ from nothing', () => {
    expect(texts([['a', 'b']])).toEqual(['= a', '= b'])
  })
})
