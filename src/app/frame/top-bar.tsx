import {
  ArrowDownToDot,
  Camera,
  ChevronDown,
  CircleHelp,
  Command,
  Contrast,
  Gauge,
  LayoutDashboard,
  Moon,
  Pause,
  Play,
  Power,
  Redo2,
  RotateCw,
  Sun,
  SunMoon,
  StepForward,
  Undo2,
} from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { SCENARIOS } from '../../pure/scenarios/library.ts'
import { RULE_SETS } from '../../pure/blueprint/host.ts'
import { ruleSets } from '../../pure/rules/rule-sets.ts'
import { useSession, useSessionState, useViewState } from '../session-context.ts'
import { LAYOUT_IDS, LAYOUTS } from '../session/layouts.ts'
import { differs } from '../session/session.ts'
import { RunUntilMenu } from './run-until.tsx'
import { Segments } from '../widgets/choice.tsx'
import { Hint } from '../widgets/hint.tsx'
import { keysText } from '../widgets/keys.ts'
import { setTheme, THEME_TITLES, THEMES, useTheme } from '../widgets/theme.ts'

const RULE_OPTIONS = RULE_SETS.map((value) => ({ value, title: value }))

/** What is always at hand: which machine, which rules, how it runs, how the page looks. */
export const TopBar = () => {
  const session = useSession()
  const ruleSet = useSessionState((state) => state.draft.ruleSet)
  return (
    <div className="bar">
      <h1 className="logo">
        GIC<i>scope</i>
      </h1>
      <ScenarioMenu />
      <Hint text={`Rule set of the next boot: ${ruleSets[ruleSet].title}`}>
        <div>
          <Segments
            mono
            label="Rule set"
            value={ruleSet}
            options={RULE_OPTIONS}
            onChange={(value) => session.edit({ edit: 'setRuleSet', ruleSet: value })}
          />
        </div>
      </Hint>
      <UndoButtons />
      <span className="grow" />
      <Speed />
      <RunButtons />
      <LayoutMenu />
      <ThemeMenu />
      <Hint text={`All commands (${keysText('Mod+K')})`}>
        <button className="button icon quiet" aria-label="Commands" onClick={() => session.view.open('palette')}>
          <Command size={15} aria-hidden />
        </button>
      </Hint>
      <Hint text="Keys, panes and what this is (?)">
        <button className="button icon quiet" aria-label="Help" onClick={() => session.view.open('help')}>
          <CircleHelp size={15} aria-hidden />
        </button>
      </Hint>
    </div>
  )
}

const ScenarioMenu = () => {
  const session = useSession()
  const id = useSessionState((state) => state.scenario)
  const title = SCENARIOS.find((scenario) => scenario.id === id)?.title ?? 'edited machine'
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="button scenario" aria-label={`Scenario: ${title}`}>
        <span className="title">{title}</span>
        <ChevronDown size={14} aria-hidden />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="popover" align="start" sideOffset={4}>
          <DropdownMenu.RadioGroup value={id ?? ''}>
            {SCENARIOS.map((scenario) => (
              <DropdownMenu.RadioItem
                key={scenario.id}
                value={scenario.id}
                className="item"
                onSelect={() => {
                  session.choose(scenario.id)
                  void session.boot()
                }}
              >
                <span className="title">{scenario.title}</span>
                <p>{scenario.story}</p>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

const UndoButtons = () => {
  const session = useSession()
  const undo = useSessionState((state) => state.undo.length)
  const redo = useSessionState((state) => state.redo.length)
  return (
    <span className="rare">
      <button
        className="button icon quiet"
        aria-label="Undo the last edit"
        disabled={undo === 0}
        onClick={session.undo}
      >
        <Undo2 size={15} aria-hidden />
      </button>
      <button className="button icon quiet" aria-label="Redo the edit" disabled={redo === 0} onClick={session.redo}>
        <Redo2 size={15} aria-hidden />
      </button>
    </span>
  )
}

const Speed = () => {
  const run = useSessionState((state) => state.run)
  const ns = useSessionState((state) => state.machine?.virtualNs ?? state.run?.virtualNs ?? 0)
  const ratio = run === undefined ? 0 : run.ratio
  return (
    <Hint
      text={`Virtual time of the guest, and the speed of the ${run?.engine ?? 'engine'} while it has work. One virtual second takes ${ratio > 0 ? (1 / ratio).toFixed(2) : '–'} seconds now.`}
    >
      <span className="speed" tabIndex={0} role="group" aria-label="Virtual time and speed">
        <span>{(ns / 1e9).toFixed(2)} s</span>
        <span>
          {Math.round(run?.mips ?? 0)} <span className="dim">MIPS</span>
        </span>
      </span>
    </Hint>
  )
}

const RunButtons = () => {
  const session = useSession()
  const state = useSessionState((all) => all.run?.state ?? 'empty')
  const built = useSessionState((all) => all.running !== undefined)
  const edited = useSessionState(differs)
  const cpu = useSessionState((all) => all.selected)
  const paused = state === 'paused'
  const on = state === 'running' || paused
  return (
    <>
      <Hint text={paused ? 'Let the guest run' : 'Stop virtual time'}>
        <button
          className="button icon"
          aria-label={paused ? 'Resume' : 'Pause'}
          disabled={state !== 'running' && !paused}
          onClick={paused ? session.resume : session.pause}
        >
          {paused ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />}
        </button>
      </Hint>
      <Hint text="One instruction of the selected vCPU, while the others stand still (F10)">
        <button className="button icon rare" aria-label="Step" disabled={!on} onClick={() => session.step(cpu, 1)}>
          <ArrowDownToDot size={14} aria-hidden />
        </button>
      </Hint>
      <Hint text="Run to the next access to the GIC (F9)">
        <button
          className="button icon rare"
          aria-label="To the next GIC access"
          disabled={!on}
          onClick={() => session.runTo('gicAccess')}
        >
          <StepForward size={14} aria-hidden />
        </button>
      </Hint>
      <RunUntilMenu />
      <SpeedMenu />
      <Hint text="Snapshots: keep the machine as it is, go on with one (Alt S)">
        <button className="button icon rare" aria-label="Snapshots" onClick={() => session.view.open('snapshots')}>
          <Camera size={14} aria-hidden />
        </button>
      </Hint>
      <Hint text="Switch the machine off, as pulling its plug does">
        <button
          className="button icon rare"
          aria-label="Power off"
          disabled={state !== 'running' && !paused}
          onClick={session.powerOff}
        >
          <Power size={14} aria-hidden />
        </button>
      </Hint>
      <button className={edited || !built ? 'button primary' : 'button'} onClick={() => void session.boot()}>
        <RotateCw size={14} aria-hidden />
        <span className="word">{built ? 'Reboot' : 'Boot'}</span>
      </button>
    </>
  )
}

/** As a tenth, a hundredth and so on of wall time: at a millionth, an instruction takes a millisecond. */
const SPEEDS = [undefined, 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6] as const
const speedTitle = (limit: number | undefined): string =>
  limit === undefined ? 'full speed' : limit === 1 ? 'real time' : `1/${(1 / limit).toLocaleString('en')}`

const SpeedMenu = () => {
  const session = useSession()
  const speed = useSessionState((state) => state.speed)
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger
        className={speed === undefined ? 'button icon rare' : 'button rare'}
        aria-label={`Speed: ${speedTitle(speed)}`}
      >
        <Gauge size={14} aria-hidden />
        {speed !== undefined && <span className="num">{speedTitle(speed)}</span>}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="popover" align="end" sideOffset={4}>
          <DropdownMenu.RadioGroup value={speedTitle(speed)}>
            {SPEEDS.map((limit) => (
              <DropdownMenu.RadioItem
                key={speedTitle(limit)}
                value={speedTitle(limit)}
                className="item"
                onSelect={() => session.setSpeed(limit)}
              >
                <span className="title">{speedTitle(limit)}</span>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

const LayoutMenu = () => {
  const { view } = useSession()
  const layout = useViewState((state) => state.layout)
  const named = useViewState((state) => state.named)
  return (
    <DropdownMenu.Root modal={false}>
      <Hint text={`Layout: ${LAYOUTS[layout].title}. ${LAYOUTS[layout].says}`}>
        <DropdownMenu.Trigger className="button layout" aria-label={`Layout: ${LAYOUTS[layout].title}`}>
          <LayoutDashboard size={14} aria-hidden />
          <span className="obvious">{LAYOUTS[layout].title}</span>
        </DropdownMenu.Trigger>
      </Hint>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="popover" align="end" sideOffset={4}>
          <DropdownMenu.RadioGroup value={layout}>
            {LAYOUT_IDS.map((id) => (
              <DropdownMenu.RadioItem key={id} value={id} className="item" onSelect={() => view.choose(id)}>
                <span className="title">{LAYOUTS[id].title}</span>
                <p>{LAYOUTS[id].says}</p>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          {Object.keys(named).length > 0 && (
            <DropdownMenu.Group className="group" aria-label="Saved layouts">
              {Object.entries(named).map(([name, { layout: of }]) => (
                <DropdownMenu.Item key={name} className="item" onSelect={() => view.recall(name)}>
                  <span className="title">{name}</span>
                  <p>Saved, from {LAYOUTS[of].title}.</p>
                </DropdownMenu.Item>
              ))}
            </DropdownMenu.Group>
          )}
          <DropdownMenu.Group className="group" aria-label="This layout">
            <DropdownMenu.Item className="item" onSelect={() => view.open('save-layout')}>
              Save this layout under a name …
            </DropdownMenu.Item>
            <DropdownMenu.Item className="item" onSelect={view.reset}>
              Reset this layout
            </DropdownMenu.Item>
          </DropdownMenu.Group>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

const THEME_ICONS = { system: SunMoon, dark: Moon, light: Sun, contrast: Contrast } as const

const ThemeMenu = () => {
  const theme = useTheme()
  const Icon = THEME_ICONS[theme]
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="button icon quiet" aria-label={`Theme: ${THEME_TITLES[theme]}`}>
        <Icon size={15} aria-hidden />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="popover" align="end" sideOffset={4}>
          <DropdownMenu.RadioGroup value={theme}>
            {THEMES.map((one) => (
              <DropdownMenu.RadioItem key={one} value={one} className="item" onSelect={() => setTheme(one)}>
                <span className="title">{THEME_TITLES[one]}</span>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
