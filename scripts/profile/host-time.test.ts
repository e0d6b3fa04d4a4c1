import { describe, expect, it } from 'vitest'
import { summarize } from './host-time.ts'

const frame = (functionName: string, url: string) => ({
  functionName,
  url,
  scriptId: '0',
  lineNumber: 0,
  columnNumber: 0,
})

describe('host time', () => {
  it('counts a shared function for the part that called it', () => {
    const profile = {
      startTime: 0,
      endTime: 9000,
      nodes: [
        { id: 1, callFrame: frame('(root)', ''), children: [2, 4] },
        { id: 2, callFrame: frame('compile', 'file:///a/src/engine/cpu/translator/translator.ts'), children: [3, 6] },
        { id: 3, callFrame: frame('decode', 'file:///a/src/pure/arch/a64/decoder.ts') },
        { id: 4, callFrame: frame('decode', 'file:///a/src/engine/cpu/code-cache.ts'), children: [5] },
        { id: 5, callFrame: frame('decode', 'file:///a/src/pure/arch/a64/decoder.ts') },
        { id: 6, callFrame: frame('Module', '') },
      ],
      samples: [2, 3, 4, 5, 5, 6],
      timeDeltas: [1000, 2000, 1000, 1500, 500, 3000],
    }
    const { parts, functions } = summarize(profile)
    expect(Object.fromEntries(parts)).toEqual({ other: 0, translator: 3, decoding: 3, 'WebAssembly compile': 3 })
    expect(functions[0]).toEqual({ part: 'WebAssembly compile', name: 'Module', ms: 3 })
    expect(functions.find((f) => f.part === 'translator' && f.name === 'decode decoder.ts')?.ms).toBe(2)
  })
})
