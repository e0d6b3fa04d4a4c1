/** The page: bars above, panes between, the machine's state below. */
import { Tooltip } from 'radix-ui'
import { lazy, startTransition, Suspense, useEffect, useState } from 'react'
import { COMMANDS } from './commands.ts'
import { DropZone } from './frame/drop-zone.tsx'
import { HelpDialog } from './frame/help-dialog.tsx'
import { MachineBar } from './frame/machine-bar.tsx'
import { Palette } from './frame/palette.tsx'
import { Progress } from './frame/progress.tsx'
import { SaveLayout } from './frame/save-layout.tsx'
import { StatusBar } from './frame/status-bar.tsx'
import { Toasts } from './frame/toasts.tsx'
import { TopBar } from './frame/top-bar.tsx'
import { TroubleLine } from './frame/trouble-line.tsx'
import { useLayoutId, Workspace } from './frame/workspace.tsx'
import { SessionContext, useSession, useViewState } from './session-context.ts'
import type { Session } from './session/session.ts'
import { isApple, isTyping, pressed } from './widgets/keys.ts'

const SnapshotsDialog = lazy(() => import('./frame/snapshots-dialog.tsx'))

export const App = ({ session }: { readonly session: Session }) => (
  <SessionContext value={session}>
    <Tooltip.Provider delayDuration={400}>
      <Page />
    </Tooltip.Provider>
  </SessionContext>
)

/** Whether a key is text for the field that has the focus. On Apple's keyboards Alt makes letters. */
const isText = ({ target, key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean =>
  isTyping(target) && key.length === 1 && !ctrlKey && !metaKey && (!altKey || isApple())

/** Fields have their own undo. */
const isFieldUndo = (event: KeyboardEvent): boolean =>
  isTyping(event.target) && event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey)

const inConsole = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('.xterm') !== null

const useKeys = (session: Session): void => {
  useEffect(() => {
    const keys = (event: KeyboardEvent): void => {
      const inside = inConsole(event.target)
      if (event.defaultPrevented || isText(event) || isFieldUndo(event)) return
      const state = session.store.getState()
      const command = COMMANDS.find(
        ({ keys: wanted = '', anywhere = '', enabled }) =>
          (pressed(anywhere, event) || (!inside && pressed(wanted, event))) && enabled?.(state) !== false,
      )
      if (command === undefined) return
      event.preventDefault()
      command.run(session)
    }
    window.addEventListener('keydown', keys)
    return () => window.removeEventListener('keydown', keys)
  }, [session])
}

/** The bars are there before the panes are made: all of it in one commit would hold up the page. */
const useFramed = (): boolean => {
  const [framed, setFramed] = useState(false)
  useEffect(() => startTransition(() => setFramed(true)), [])
  return framed
}

const Page = () => {
  const session = useSession()
  const layout = useLayoutId()
  const framed = useFramed()
  const snapshots = useViewState((state) => state.dialog === 'snapshots')
  useKeys(session)
  useEffect(() => {
    // Nobody looks at a page in the background: the machine runs on, its views stop.
    const watch = (): void => session.watch(!document.hidden)
    watch()
    document.addEventListener('visibilitychange', watch)
    return () => document.removeEventListener('visibilitychange', watch)
  }, [session])
  return (
    <div className="page" data-layout={layout}>
      <div>
        <header className="bars">
          <TopBar />
          <MachineBar />
          <Progress />
        </header>
        <TroubleLine />
      </div>
      <main>{framed && <Workspace />}</main>
      <StatusBar />
      <DropZone />
      <Toasts />
      <Palette />
      <HelpDialog />
      {snapshots && (
        <Suspense>
          <SnapshotsDialog />
        </Suspense>
      )}
      <SaveLayout />
    </div>
  )
}
