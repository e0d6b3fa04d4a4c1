/** Searches the trace's events for words, some of them at a time so that nothing stutters. */
import { useEffect, useRef, useState } from 'react'
import type { TraceFeed } from '../../session/trace/feed.ts'
import type { Chart } from './chart.ts'
import { findEvents } from './counts.ts'

/** Events looked at between two breaths, and matches that are enough. */
const SLICE = 4000
const ENOUGH = 5000
/** A person may still be typing. */
const PAUSE_MS = 150

export interface Finder {
  readonly words: string
  readonly count: number
  readonly says: string
  search(words: string): void
  go(by: number): void
}

interface Search {
  readonly words: string
  readonly found: readonly number[]
  readonly done: boolean
  /** Place of the match that is shown; -1: none yet. */
  readonly at: number
}

const NONE: Search = { words: '', found: [], done: true, at: -1 }

export const useFinder = (trace: TraceFeed, chart: Chart | undefined): Finder => {
  const [{ words, found, done, at }, set] = useState(NONE)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])

  const search = (wanted: string): void => {
    clearTimeout(timer.current)
    chart?.mark([])
    const empty = wanted.trim() === ''
    set({ ...NONE, words: wanted, done: empty })
    if (empty) return
    const { log } = trace
    const end = log.end
    const all: number[] = []
    const times: number[] = []
    let next = log.first
    const look = (): void => {
      const to = Math.min(end, next + SLICE)
      for (const number of findEvents(log, wanted, next, to)) {
        all.push(number)
        times.push(log.at(number)?.time ?? 0)
      }
      next = to
      const goesOn = next < end && all.length < ENOUGH
      set((before) => ({ ...before, found: [...all], done: !goesOn }))
      chart?.mark([...times])
      if (goesOn) timer.current = setTimeout(look)
    }
    timer.current = setTimeout(look, PAUSE_MS)
  }

  return {
    words,
    count: found.length,
    says: words.trim() === '' ? '' : `${at >= 0 ? `${at + 1} of ` : ''}${found.length}${done ? '' : '…'}`,
    search,
    go: (by) => {
      if (found.length === 0) return
      const next = at < 0 ? (by > 0 ? 0 : found.length - 1) : (at + by + found.length) % found.length
      set((before) => ({ ...before, at: next }))
      chart?.choose(trace.log.at(found[next] ?? 0))
    },
  }
}
