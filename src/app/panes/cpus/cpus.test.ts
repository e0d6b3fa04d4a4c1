import { describe, expect, it } from 'vitest'
import { addressOf, modeText, pstateText, vectorText } from './pstate.ts'

describe('PSTATE', () => {
  it('tells level and stack pointer, flags and masks', () => {
    expect([0x0n, 0x4n, 0x5n, 0x9n].map(modeText)).toEqual(['EL0t', 'EL1t', 'EL1h', 'EL2h'])
    expect(pstateText(0x6000_0085n)).toBe('nZCv daIf EL1h')
    expect(pstateText(0x8000_03c0n)).toBe('Nzcv DAIF EL0t')
  })
})

describe('an address that is typed', () => {
  it('is hexadecimal with a digit in it; anything else is a name', () => {
    expect(addressOf('0xffff800080010000')).toBe(0xffff_8000_8001_0000n)
    expect(addressOf(' 40200000 ')).toBe(0x4020_0000n)
    expect(addressOf('gic_handle_irq')).toBeUndefined()
    expect(addressOf('dead')).toBeUndefined()
    expect(addressOf('')).toBeUndefined()
  })
})

describe('a vector register', () => {
  it('is two halves', () => {
    expect(vectorText((1n << 127n) | 0xabn)).toBe('8000000000000000_00000000000000ab')
  })
})
