import { describe, expect, it } from 'vitest'
import { flightsOf } from './flights.tsx'

describe('what flies along the picture', () => {
  const sgi = { kind: 'sgiSent', cpu: 0, register: 'ICC_SGI1R_EL1', value: 0n, intid: 1 } as const

  it('is an SGI to each of its targets, and one that reaches nobody', () => {
    const misses = [{ affinity: 9, why: 'no such CPU', cpu: undefined }] as const
    expect(flightsOf({ ...sgi, targets: [1, 2], misses })).toEqual([
      { from: 0, to: 1, text: 'SGI 1' },
      { from: 0, to: 2, text: 'SGI 1' },
      { from: 0, to: undefined, text: 'SGI 1' },
    ])
  })

  it('is an SPI from the distributor, and never a private interrupt', () => {
    expect(flightsOf({ kind: 'irqPending', cpu: 2, intid: 33 })).toEqual([{ from: undefined, to: 2, text: 'SPI 1' }])
    expect(flightsOf({ kind: 'irqPending', cpu: 2, intid: 27 })).toEqual([])
  })
})
