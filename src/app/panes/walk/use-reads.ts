import { useEffect, useState } from 'react'
import { useSession } from '../../session-context.ts'
import { readOf } from './traced.ts'
import type { FrameRead } from './traced.ts'

const LOOK_MS = 700
/** Of one CPU; a guest that reads for ever is not kept. */
const KEPT = 4096

/** What a CPU has read of the redistributors so far, looked for in what is new of the trace now and then. */
export const useReads = (cpu: number): readonly FrameRead[] => {
  const { trace } = useSession()
  const [reads, setReads] = useState<{ readonly cpu: number; readonly all: readonly FrameRead[] }>({ cpu, all: [] })
  useEffect(() => {
    const { log } = trace
    let from = 0
    let all: readonly FrameRead[] = []
    const look = (): void => {
      // Another machine's trace begins anew.
      if (log.end < from) {
        from = 0
        all = []
        setReads({ cpu, all })
      }
      const found: FrameRead[] = []
      for (const { number, kind, cpu: by } of log.kinds(from, log.end)) {
        if (kind !== 'mmio' || by !== cpu) continue
        const at = log.at(number)
        const read = at === undefined ? undefined : readOf(at.event, at.time)
        if (read !== undefined) found.push(read)
      }
      from = log.end
      if (found.length === 0) return
      all = [...all, ...found].slice(-KEPT)
      setReads({ cpu, all })
    }
    look()
    const timer = setInterval(look, LOOK_MS)
    return () => clearInterval(timer)
  }, [trace, cpu])
  return reads.cpu === cpu ? reads.all : []
}
