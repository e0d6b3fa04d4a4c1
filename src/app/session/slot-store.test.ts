import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { createSlotStore, readSlot } from './slot-store.ts'

const ROW = {
  version: 1,
  id: 5,
  name: 'gicsh at 1.00 s',
  file: new Blob(['GICscope snapshot\n']),
  blueprint: defaultBlueprint,
  virtualNs: 1e9,
}

describe('a snapshot that the browser kept', () => {
  it('comes back as it was', () => {
    const { version: _, ...slot } = ROW
    expect(readSlot(5, ROW)).toEqual(slot)
  })

  it.each([
    ['of another version', { ...ROW, version: 2 }, 'It is of version 2, and this page knows version 1.'],
    ['whose file is gone', { ...ROW, file: undefined }, 'It is damaged at "file".'],
    [
      'of another kind of machine',
      { ...ROW, blueprint: { ...defaultBlueprint, vcpus: 0 } },
      expect.stringMatching(/^Its machine is not understood: .*vcpus/),
    ],
  ])('%s is refused by its name', (_, row, what) => {
    expect(readSlot(5, row)).toEqual({ id: 5, name: 'gicsh at 1.00 s', what })
  })

  it('of which nothing is known is told by its number', () => {
    expect(readSlot(5, 'nonsense')).toMatchObject({ id: 5, name: 'Snapshot 5' })
  })

  it('is not asked for in vain: a browser that keeps nothing says so', async () => {
    const store = createSlotStore(() => {
      throw new Error('It is not allowed here.')
    })
    const refused = { ok: false, what: 'It is not allowed here.' }
    expect(await store.all()).toEqual(refused)
    expect(await store.keep(ROW)).toEqual(refused)
    expect(await store.forget(5)).toEqual(refused)
  })
})
