/** The page: where each pane stands. */
import { Tooltip } from 'radix-ui'
import { useEffect, useState } from 'react'
import { Group, Panel, Separator } from 'react-resizable-panels'
import { AffinityPane } from './panes/affinity/affinity-pane.tsx'
import { ConsolePane } from './panes/console-pane.tsx'
import { DropZone } from './panes/drop-zone.tsx'
import { FindingsPane, useFindings } from './panes/findings-pane.tsx'
import { HelpDialog } from './panes/help-dialog.tsx'
import { InterruptsPane } from './panes/interrupts-pane.tsx'
import { IrouterPane } from './panes/irouter-pane.tsx'
import { KernelLogPane } from './panes/kernel-log-pane.tsx'
import { KvmCallsPane } from './panes/kvm-calls-pane.tsx'
import { MachineBar } from './panes/machine-bar.tsx'
import { MatrixPane } from './panes/matrix-pane.tsx'
import { ProgramPane } from './panes/program-pane.tsx'
import { Progress } from './panes/progress.tsx'
import { StatusBar } from './panes/status-bar.tsx'
import { TopBar } from './panes/top-bar.tsx'
import { TroubleLine } from './panes/trouble-line.tsx'
import { TyperPane } from './panes/typer-pane.tsx'
import { VcpuPane } from './panes/vcpu-pane.tsx'
import { SessionContext, useSession, useSessionState } from './session-context.ts'
import { LOST } from './session/session.ts'
import type { Session } from './session/session.ts'
import { TabGroup } from './widgets/tab-group.tsx'
import './style/tokens.css'
import './style/base.css'
import './style/layout.css'
import './style/panes.css'
import './style/affinity.css'

export const App = ({ session }: { readonly session: Session }) => (
  <SessionContext value={session}>
    <Tooltip.Provider delayDuration={400}>
      <Page />
    </Tooltip.Provider>
  </SessionContext>
)

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement

const Page = () => {
  const [help, setHelp] = useState(false)
  const session = useSession()
  useEffect(() => {
    const keys = (event: KeyboardEvent): void => {
      if (event.key === '?' && !isTyping(event.target)) setHelp(true)
    }
    // Nobody looks at a page in the background: the machine runs on, its views stop.
    const watch = (): void => session.watch(!document.hidden)
    watch()
    window.addEventListener('keydown', keys)
    document.addEventListener('visibilitychange', watch)
    return () => {
      window.removeEventListener('keydown', keys)
      document.removeEventListener('visibilitychange', watch)
    }
  }, [session])
  return (
    <div className="page">
      <div>
        <header className="bars">
          <TopBar onHelp={() => setHelp(true)} />
          <MachineBar />
          <Progress />
        </header>
        <TroubleLine />
      </div>
      <main style={{ minHeight: 0 }}>
        <Group orientation="horizontal">
          <Panel defaultSize="42%" minSize="20%">
            <Left />
          </Panel>
          <Separator className="separator across" aria-label="Width of the console" />
          <Panel defaultSize="36%" minSize="20%">
            <Middle />
          </Panel>
          <Separator className="separator across" aria-label="Width of the findings" />
          <Panel defaultSize="22%" minSize="14%">
            <Right />
          </Panel>
        </Group>
      </main>
      <StatusBar />
      <DropZone />
      <HelpDialog open={help} onOpenChange={setHelp} />
    </div>
  )
}

const Left = () => {
  const [tab, setTab] = useState('log')
  const lost = useSessionState(({ log }) =>
    log?.ok === true ? log.lines.filter(({ text }) => text.includes(LOST)).length : 0,
  )
  const calls = useSessionState((state) => state.calls.length)
  return (
    <Group orientation="vertical">
      <Panel defaultSize="62%" minSize="15%">
        <ConsolePane />
      </Panel>
      <Separator className="separator down" aria-label="Height of the console" />
      <Panel defaultSize="38%" minSize="10%">
        <div data-after-console tabIndex={-1} style={{ height: '100%' }}>
          <TabGroup
            label="What was said"
            value={tab}
            onChange={setTab}
            tabs={[
              { id: 'log', title: 'Kernel log', count: lost, bad: true, body: <KernelLogPane /> },
              { id: 'calls', title: 'KVM calls', count: calls, body: <KvmCallsPane /> },
            ]}
          />
        </div>
      </Panel>
    </Group>
  )
}

const Middle = () => {
  const [tab, setTab] = useState('affinity')
  return (
    <Group orientation="vertical">
      <Panel defaultSize="58%" minSize="20%">
        <TabGroup
          label="The machine"
          value={tab}
          onChange={setTab}
          tabs={[
            { id: 'affinity', title: 'Affinity', body: <AffinityPane /> },
            { id: 'typer', title: 'GICR_TYPER', body: <TyperPane /> },
            { id: 'irouter', title: 'IROUTER', body: <IrouterPane /> },
            { id: 'interrupts', title: 'Interrupts', body: <InterruptsPane /> },
            { id: 'program', title: 'Program', body: <ProgramPane /> },
          ]}
        />
      </Panel>
      <Separator className="separator down" aria-label="Height of the machine's views" />
      <Panel defaultSize="42%" minSize="10%">
        <MatrixPane />
      </Panel>
    </Group>
  )
}

const Right = () => {
  const [tab, setTab] = useState('findings')
  const count = useFindings().filter(({ severity }) => severity !== 'info').length
  return (
    <Group orientation="vertical">
      <Panel defaultSize="50%" minSize="10%">
        <TabGroup
          label="Findings"
          value={tab}
          onChange={setTab}
          tabs={[{ id: 'findings', title: 'Findings', count, bad: true, body: <FindingsPane /> }]}
        />
      </Panel>
      <Separator className="separator down" aria-label="Height of the findings" />
      <Panel defaultSize="50%" minSize="10%">
        <VcpuPane />
      </Panel>
    </Group>
  )
}
