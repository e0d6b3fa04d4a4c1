import { array, assert, constantFrom, property } from '../../../testing/property.ts'
import { describe, expect, it } from 'vitest'
import { diffLines } from '../shared/diff.ts'

const lines = array(constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 })

describe('the difference between two dumps', () => {
  it('has both of them in it, in their order', () => {
    assert(
      property(lines, lines, (before, after) => {
        const diff = diffLines(before, after)
        expect(diff.filter(({ mark }) => mark !== '+').map(({ text }) => text)).toEqual(before)
        expect(diff.filter(({ mark }) => mark !== '-').map(({ text }) => text)).toEqual(after)
      }),
    )
  })

  it('marks one line where one has changed', () => {
    expect(diffLines(['x', 'SGI 1 0', 'y'], ['x', 'SGI 1 1', 'y']).map(({ mark, text }) => mark + text)).toEqual([
      ' x',
      '-SGI 1 0',
      '+SGI 1 1',
      ' y',
    ])
  })

  it('of long dumps is found place by place', () => {
    const before = Array.from({ length: 20_000 }, (_, i) => `${i}`)
    const after = before.map((text, i) => (i === 5 || i === 19_000 ? `${text}!` : text))
    expect(diffLines(before, after).filter(({ mark }) => mark !== ' ')).toHaveLength(4)
  })
})
