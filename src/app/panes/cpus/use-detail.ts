/** What the worker answers about vCPUs, asked again when the machine has moved, but not more often than a person can read. */
import { useCallback, useEffect, useState } from 'react'
import type { CpuDetail } from '../../../pure/protocol/cpu-detail.ts'
import { useSession } from '../../session-context.ts'
import type { Session } from '../../session/session.ts'
import type { SessionState } from '../../session/state.ts'

const LEAST_MS = 200

/** Asks at once and whenever `moved`, one question at a time. */
const useAsked = <Answer>(
  ask: (session: Session) => Promise<Answer>,
  moved: (now: SessionState, before: SessionState) => boolean,
): Answer | undefined => {
  const session = useSession()
  const [answer, setAnswer] = useState<Answer>()
  useEffect(() => {
    let gone = false
    let asking = false
    let again = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const go = (): void => {
      timer = undefined
      if (asking) {
        again = true
        return
      }
      asking = true
      ask(session).then(
        (told) => {
          asking = false
          if (gone) return
          setAnswer(told)
          if (again) later()
          again = false
        },
        (error: unknown) => session.report(String(error)),
      )
    }
    const later = (): void => {
      timer ??= setTimeout(go, LEAST_MS)
    }
    const stop = session.store.subscribe((now, before) => {
      if (moved(now, before)) later()
    })
    go()
    return () => {
      gone = true
      clearTimeout(timer)
      stop()
    }
  }, [session, ask, moved])
  return answer
}

const machineMoved = (now: SessionState, before: SessionState): boolean => now.machine !== before.machine

export const useDetail = (cpu: number): CpuDetail | undefined => {
  const ask = useCallback((session: Session) => session.inspectCpu(cpu), [cpu])
  const detail = useAsked(ask, machineMoved)
  return detail?.cpu === cpu ? detail : undefined
}

const MAX_NAMED = 512
const askNames = async (session: Session): Promise<ReadonlyMap<bigint, string>> => {
  const addresses = [...new Set((session.store.getState().machine?.cpus ?? []).map(({ pc }) => pc))].slice(0, MAX_NAMED)
  const names = await session.symbolsAt(addresses)
  return new Map(
    addresses.flatMap((address, i) => {
      const name = names[i]
      return name === undefined ? [] : [[address, name] as const]
    }),
  )
}

/** The symbols at the PCs of all vCPUs. */
export const useNames = (): ReadonlyMap<bigint, string> => useAsked(askNames, machineMoved) ?? NO_NAMES

const NO_NAMES: ReadonlyMap<bigint, string> = new Map()
