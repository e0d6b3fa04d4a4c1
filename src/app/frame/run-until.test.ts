import { describe, expect, it } from 'vitest'
import { WAYS } from './run-until.tsx'

const read = (id: string, text: string) => WAYS.find((way) => way.id === id)?.read(text)

describe('what a run waits for', () => {
  it('is read from what a person types', () => {
    expect(read('intid', '27')).toEqual({ intid: 27 })
    expect(read('line', 'redistributor ')).toEqual({ line: 'redistributor ' })
    expect(read('moment', '0.25')).toBe(250_000_000)
  })

  it.each([
    ['intid', ''],
    ['intid', '2.5'],
    ['intid', '-1'],
    ['intid', 'x'],
    ['line', ''],
    ['moment', 'soon'],
    ['moment', 'Infinity'],
  ])('is nothing where %s is "%s"', (id, text) => expect(read(id, text)).toBeUndefined())
})
