import { describe, expect, it } from 'vitest'
import { LAYOUT_IDS, LAYOUTS, PLACES, slotsOf } from './layouts.ts'
import { createView, keepView, keptOf, readView } from './view.ts'

describe('layouts', () => {
  it.each(LAYOUT_IDS)('%s has each place in exactly one slot, and slots with names of their own', (id) => {
    const slots = slotsOf(LAYOUTS[id])
    expect(slots.flatMap(({ places }) => places).toSorted()).toEqual([...PLACES].toSorted())
    expect(new Set(slots.map((slot) => slot.id)).size).toBe(slots.length)
  })

  it.each(LAYOUT_IDS)('%s divides the page and its columns without a rest', (id) => {
    const sum = (sizes: readonly { readonly size: number }[]): number => sizes.reduce((all, { size }) => all + size, 0)
    expect(sum(LAYOUTS[id].columns)).toBe(100)
    for (const { slots } of LAYOUTS[id].columns) expect(sum(slots)).toBe(100)
  })
})

describe('a view', () => {
  it('brings to the front what was shown last', () => {
    const { store, show } = createView()
    show('log')
    show('calls')
    show('log')
    expect(store.getState().recent).toEqual(['log', 'calls'])
  })

  it('shows another pane in whole when one fills the page', () => {
    const { store, show, enlarge } = createView()
    enlarge('affinity')
    show('log')
    expect(store.getState().whole).toBe('log')
  })

  it('forgets sizes and moves of one layout only', () => {
    const { store, choose, move, reset, resize } = createView()
    move('log', 'machine')
    resize('learn-columns', { left: 50, middle: 30, right: 20 })
    choose('debug')
    move('log', 'time')
    resize('debug-columns', { left: 20, middle: 60, right: 20 })
    reset()
    expect(store.getState()).toMatchObject({
      moved: { learn: { log: 'machine' } },
      sizes: { 'learn-columns': { left: 50 } },
    })
    expect(store.getState().moved).not.toHaveProperty('debug')
  })

  it('comes back from its text as it was', () => {
    const view = createView()
    view.choose('debug')
    view.move('log', 'time')
    const read = readView(JSON.stringify(keptOf(view.store.getState())))
    expect(read).toEqual({ ok: true, view: keptOf(view.store.getState()) })
  })

  it.each([
    ['{', /not JSON/],
    ['{"version":7}', /version 7, and this page knows version 1/],
    ['{"version":1,"layout":"cinema","recent":[],"sizes":{},"moved":{}}', /damaged at "layout"/],
  ])('refuses %s with a sentence', (text, says) => {
    const read = readView(text)
    expect(read.ok ? '' : read.what).toMatch(says)
  })

  it('is told to the person when it cannot be read, and stays as at first', () => {
    const said: string[] = []
    const view = createView()
    keepView(
      view,
      () => ({ getItem: () => '{"version":0}', setItem: () => {} }),
      (what) => said.push(what),
    )
    expect(said).toEqual([expect.stringContaining('version 0')])
    expect(view.store.getState().layout).toBe('learn')
  })
})
