/** What the worker answers about the machine, asked again when it has moved, but not more often than a person can read. */
import { useEffect, useState } from 'react'
import { useSession } from '../../session-context.ts'
import type { Session } from '../../session/session.ts'

const LEAST_MS = 200

/** Asks at once and whenever the machine has moved, one question at a time. `ask` must stay the same while the question does. */
export const useAsked = <Answer>(ask: (session: Session) => Promise<Answer>): Answer | undefined => {
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
      if (now.machine !== before.machine || now.calls !== before.calls) later()
    })
    go()
    return () => {
      gone = true
      clearTimeout(timer)
      stop()
    }
  }, [session, ask])
  return answer
}
