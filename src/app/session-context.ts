/** The session, for the panes. */
import { createContext, useContext } from 'react'
import { useStore } from 'zustand'
import type { Session } from './session/session.ts'
import type { SessionState } from './session/state.ts'
import type { ViewState } from './session/view.ts'

export const SessionContext = createContext<Session | undefined>(undefined)

export const useSession = (): Session => {
  const session = useContext(SessionContext)
  if (session === undefined) throw new Error('a pane outside of a session')
  return session
}

export const useSessionState = <Part>(select: (state: SessionState) => Part): Part =>
  useStore(useSession().store, select)

export const useViewState = <Part>(select: (state: ViewState) => Part): Part =>
  useStore(useSession().view.store, select)
