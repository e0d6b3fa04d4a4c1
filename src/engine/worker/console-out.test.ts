import { describe, expect, it } from 'vitest'
import * as fc from '../../testing/property.ts'
import { ConsoleOut, isTerminalAnswer } from './console-out.ts'

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const text = (of: Uint8Array | undefined): string => String.fromCharCode(...(of ?? []))

/** busybox ash's prompt, which asks where the cursor is. */
const PROMPT = '\u001b[1;32mguest\u001b[0m:~# \u001b[6n'

describe('what a guest says', () => {
  it('is handed on as it is', () => {
    const out = new ConsoleOut()
    expect(out.take(true)).toBeUndefined()
    out.add(bytes(PROMPT))
    out.add(bytes('ls'))
    expect(text(out.take(true))).toBe(`${PROMPT}ls`)
    expect(out.take(true)).toBeUndefined()
  })

  it('asks the terminal nothing while the run is repeated, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 8 }), (cuts) => {
        const whole = bytes(`${PROMPT}a\u001b[c\u001b[>0cb\u001b[?25hc\u001bMd`)
        const places = [0, ...cuts.filter((cut) => cut < whole.length), whole.length].toSorted((a, b) => a - b)
        const out = new ConsoleOut()
        let said = ''
        for (const [i, at] of places.slice(0, -1).entries()) {
          out.add(whole.subarray(at, places[i + 1]))
          said += text(out.take(false))
        }
        expect(said).toBe('\u001b[1;32mguest\u001b[0m:~# ab\u001b[?25hc\u001bMd')
      }),
    )
  })

  it('loses nothing of a sequence that is under way when the repeating ends', () => {
    const out = new ConsoleOut()
    out.add(bytes('a\u001b[1'))
    expect(text(out.take(false))).toBe('a')
    out.add(bytes('mb'))
    expect(text(out.take(true))).toBe('\u001b[1mb')
  })
})

it('tells what a terminal answers from what is typed', () => {
  expect(['\u001b[24;80R', '\u001b[?1;2c', '\u001b[0n'].map((one) => isTerminalAnswer(bytes(one)))).toEqual([
    true,
    true,
    true,
  ])
  expect(['R', '\u001b[A', '\u001b[24;80Rls', '\u001b', ''].map((one) => isTerminalAnswer(bytes(one)))).toEqual(
    Array.from({ length: 5 }, () => false),
  )
})
