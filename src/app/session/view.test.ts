import { describe, expect, it, vi } from 'vitest'
import { LAYOUT_IDS, LAYOUTS, PLACES, slotsOf } from './layouts.ts'
import { createView, keepView, keptOf, MOST_NAMES, readView } from './view.ts'

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
    view.turn('compare', 'logs')
    const read = readView(JSON.stringify(keptOf(view.store.getState())))
    expect(read).toEqual({ ok: true, view: { ...keptOf(view.store.getState()), named: {} } })
  })

  it('keeps which part of a pane is shown, and knows of none from pages that kept none', () => {
    const { store, turn, save, recall } = createView()
    turn('compare', 'logs')
    save('logs')
    turn('compare', 'registers')
    expect(keptOf(store.getState()).parts).toEqual({ compare: 'registers' })
    recall('logs')
    expect(store.getState().parts).toEqual({ compare: 'logs' })
    const { parts: _, ...before } = keptOf(store.getState())
    expect(readView(JSON.stringify(before))).toMatchObject({ ok: true, view: { parts: {} } })
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

  it('is saved under a name and comes back by it, whatever happened meanwhile', () => {
    const { store, choose, move, save, recall, reset, forget } = createView()
    choose('debug')
    move('log', 'time')
    expect(save('  mine ')).toBeUndefined()
    const saved = keptOf(store.getState())
    reset()
    choose('learn')
    recall('mine')
    expect(keptOf(store.getState())).toEqual(saved)
    forget('mine')
    choose('learn')
    recall('mine')
    recall('toString')
    expect(store.getState().layout).toBe('learn')
  })

  it.each([
    ['   ', 'A layout needs a name.'],
    ['x'.repeat(41), 'A name has at most 40 letters; this one has 41.'],
  ])('is not saved under "%s", with the reason', (name, why) => {
    const { store, save } = createView()
    expect(save(name)).toBe(why)
    expect(store.getState().named).toEqual({})
  })

  it('is saved a number of times, and again under the same name', () => {
    const { save, store } = createView()
    for (let n = 0; n < MOST_NAMES; n++) expect(save(`layout ${n}`)).toBeUndefined()
    expect(save('one more')).toMatch(/^There are 24 saved layouts/)
    expect(save('layout 3')).toBeUndefined()
    expect(Object.keys(store.getState().named)).toHaveLength(MOST_NAMES)
  })

  it('keeps its names in the browser, and not in a link', () => {
    vi.useFakeTimers()
    const browser = new Map<string, string>()
    const keeper = {
      getItem: (key: string) => browser.get(key) ?? null,
      setItem: (key: string, text: string) => void browser.set(key, text),
    }
    const first = createView()
    keepView(first, () => keeper, expect.unreachable)
    first.choose('present')
    first.save('talk')
    vi.runAllTimers()
    vi.useRealTimers()
    const next = createView()
    keepView(next, () => keeper, expect.unreachable)
    expect(next.store.getState().named).toEqual(first.store.getState().named)
    expect(keptOf(next.store.getState())).not.toHaveProperty('named')
  })
})
