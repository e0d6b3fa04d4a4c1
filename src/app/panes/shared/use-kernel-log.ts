import { useEffect } from 'react'
import type { KernelLogView } from '../../../pure/protocol/views.ts'
import { useSession, useSessionState } from '../../session-context.ts'

const REFRESH_MS = 1000
/** Searching all RAM takes the worker's time: where no log is found, it is asked for this many times less often than it takes. */
const PATIENCE = 12

/** The log of the kernel that runs, looked for again and again while somebody looks. */
export const useKernelLog = (): KernelLogView | undefined => {
  const session = useSession()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let gone = false
    const refresh = async (): Promise<void> => {
      const asked = performance.now()
      await session.refreshLog().catch((error: unknown) => session.report(String(error)))
      const took = performance.now() - asked
      const found = session.store.getState().log?.ok === true
      if (!gone) timer = setTimeout(refresh, found ? REFRESH_MS : Math.max(REFRESH_MS, took * PATIENCE))
    }
    void refresh()
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [session])
  return useSessionState((state) => state.log)
}
