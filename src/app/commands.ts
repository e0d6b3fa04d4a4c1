/** Everything a person can do that is not in a form, once: the palette, the keys and the help page are made of this table. */
import { RULE_SETS } from '../pure/blueprint/host.ts'
import { likeOf } from '../pure/trace/event-like.ts'
import { ruleSets } from '../pure/rules/rule-sets.ts'
import { FAULTS } from '../pure/scenarios/faults.ts'
import { SCENARIOS } from '../pure/scenarios/library.ts'
import { PANES } from './panes.ts'
import { copy } from './session/clipboard.ts'
import { LAYOUT_IDS, LAYOUTS } from './session/layouts.ts'
import type { Session } from './session/session.ts'
import type { SessionState } from './session/state.ts'
import type { ViewState } from './session/view.ts'
import { focusPane, focusSlot } from './widgets/focus.ts'
import { setTheme, THEME_TITLES, THEMES } from './widgets/theme.ts'

export const GROUPS = ['Run', 'Edit', 'Page', 'Layout', 'Pane', 'Scenario', 'Fault', 'Rule set', 'Theme'] as const
export type Group = (typeof GROUPS)[number]

export interface Command {
  readonly id: string
  readonly group: Group
  readonly title: string
  /** As `keys.ts` reads them. */
  readonly keys?: string
  /** A key that reaches it from the console as well, which has all others. */
  readonly anywhere?: string
  /** What it does, where the title does not say it all. */
  readonly says?: string
  readonly enabled?: (state: SessionState) => boolean
  readonly run: (session: Session) => void
}

const state = (is: 'running' | 'paused') => (all: SessionState) => all.run?.state === is

const isOn = ({ run }: SessionState): boolean => run?.state === 'running' || run?.state === 'paused'

export const COMMANDS: readonly Command[] = [
  { id: 'boot', group: 'Run', title: 'Boot the machine', keys: 'Mod+Enter', run: (session) => void session.boot() },
  {
    id: 'pause',
    group: 'Run',
    title: 'Pause',
    keys: 'F8',
    enabled: state('running'),
    run: (session) => session.pause(),
  },
  {
    id: 'resume',
    group: 'Run',
    title: 'Resume',
    keys: 'F8',
    enabled: state('paused'),
    run: (session) => session.resume(),
  },
  {
    id: 'step',
    group: 'Run',
    title: 'Step one instruction',
    says: 'of the selected vCPU, while the others stand still',
    keys: 'F10',
    enabled: isOn,
    run: (session) => session.step(session.store.getState().selected, 1),
  },
  {
    id: 'to-gic',
    group: 'Run',
    title: 'Run to the next access to the GIC',
    keys: 'F9',
    enabled: isOn,
    run: (session) => session.runTo('gicAccess'),
  },
  {
    id: 'rerun',
    group: 'Run',
    title: 'Run until the selected event again',
    says: 'of the timeline: the machine begins anew as it did and stops there; what you typed, called and did to its CPUs is repeated',
    keys: 'Alt+F9',
    enabled: ({ event }) => event !== undefined,
    run: (session) => {
      const { event } = session.store.getState()
      if (event !== undefined) session.rerunTo(event.time).catch((error: unknown) => session.report(String(error)))
    },
  },
  {
    id: 'to-like',
    group: 'Run',
    title: 'Run until the next event like the selected one',
    says: 'of the timeline: the same interrupt, register, call or kind of exception',
    keys: 'Shift+F9',
    enabled: (all) => isOn(all) && all.event !== undefined,
    run: (session) => {
      const { event } = session.store.getState()
      if (event !== undefined) session.runTo({ like: likeOf(event.event) })
    },
  },
  {
    id: 'snapshots',
    group: 'Run',
    title: 'Snapshots',
    says: 'keeps the machine as it is, to go on with later; saves it, compares it, goes on with it elsewhere',
    keys: 'Alt+S',
    run: ({ view }) => view.open('snapshots'),
  },
  {
    id: 'power-off',
    group: 'Run',
    title: 'Power off',
    says: "as pulling the machine's plug does",
    enabled: isOn,
    run: (session) => session.powerOff(),
  },
  {
    id: 'cancel',
    group: 'Run',
    title: 'Cancel',
    says: 'breaks off a fetch, switches a booting machine off',
    enabled: ({ loading }) => loading !== undefined,
    run: (session) => session.cancel(),
  },
  {
    id: 'undo',
    group: 'Edit',
    title: 'Undo the last edit',
    keys: 'Mod+Z',
    enabled: ({ undo }) => undo.length > 0,
    run: (session) => session.undo(),
  },
  {
    id: 'redo',
    group: 'Edit',
    title: 'Redo the edit',
    keys: 'Mod+Shift+Z',
    enabled: ({ redo }) => redo.length > 0,
    run: (session) => session.redo(),
  },
  {
    id: 'next-cpu',
    group: 'Edit',
    title: 'Select the next vCPU',
    keys: ']',
    run: (session) => session.select(session.store.getState().selected + 1),
  },
  {
    id: 'previous-cpu',
    group: 'Edit',
    title: 'Select the previous vCPU',
    keys: '[',
    run: (session) => session.select(session.store.getState().selected - 1),
  },
  {
    id: 'palette',
    group: 'Page',
    title: 'All commands',
    keys: 'Mod+K',
    anywhere: 'F1',
    run: ({ view }) => view.open('palette'),
  },
  { id: 'help', group: 'Page', title: 'Keys, panes and words', keys: '?', run: ({ view }) => view.open('help') },
  {
    id: 'next-slot',
    group: 'Page',
    title: 'Go to the next slot',
    says: 'of panes; out of the console with Ctrl F6',
    keys: 'F6',
    run: () => focusSlot(1),
  },
  {
    id: 'previous-slot',
    group: 'Page',
    title: 'Go to the previous slot',
    keys: 'Shift+F6',
    run: () => focusSlot(-1),
  },
  {
    id: 'enlarge',
    group: 'Page',
    title: 'Enlarge the pane, or take it back',
    keys: 'Alt+Enter',
    run: ({ view }) => {
      const { whole, recent } = view.store.getState()
      view.enlarge(whole === undefined ? (recent[0] ?? 'affinity') : undefined)
    },
  },
  {
    id: 'copy-link',
    group: 'Page',
    title: 'Copy a link to this machine and page',
    run: (session) => void copy(session, location.href, 'take the link from its address bar.'),
  },
  { id: 'print', group: 'Page', title: 'Print', run: () => window.print() },
  ...LAYOUT_IDS.map((id, place): Command => {
    const { title, says } = LAYOUTS[id]
    return {
      id: `layout-${id}`,
      group: 'Layout',
      title,
      says,
      keys: `Alt+${place + 1}`,
      run: ({ view }) => view.choose(id),
    }
  }),
  {
    id: 'layout-reset',
    group: 'Layout',
    title: 'Reset this layout',
    says: 'puts every pane and every size back',
    run: ({ view }) => view.reset(),
  },
  {
    id: 'layout-save',
    group: 'Layout',
    title: 'Save this layout under a name',
    says: 'or forget one that was saved',
    run: ({ view }) => view.open('save-layout'),
  },
  ...PANES.map(({ id, title, says }): Command => ({
    id: `pane-${id}`,
    group: 'Pane',
    title,
    says,
    run: ({ view }) => {
      view.show(id)
      focusPane(id)
    },
  })),
  ...SCENARIOS.map(({ id, title, story }): Command => ({
    id: `scenario-${id}`,
    group: 'Scenario',
    title,
    says: story,
    run: (session) => {
      session.choose(id)
      void session.boot()
    },
  })),
  ...FAULTS.map(({ id, title, says }): Command => ({
    id: `fault-${id}`,
    group: 'Fault',
    title,
    says: `at the selected vCPU. ${says}`,
    run: (session) => {
      session.view.show('interrupts')
      session.inject(id).catch((error: unknown) => session.report(String(error)))
    },
  })),
  ...RULE_SETS.map((ruleSet): Command => ({
    id: `rules-${ruleSet}`,
    group: 'Rule set',
    title: ruleSet,
    says: `${ruleSets[ruleSet].title}, at the next boot`,
    run: (session) => void session.edit({ edit: 'setRuleSet', ruleSet }),
  })),
  ...THEMES.map((theme): Command => ({
    id: `theme-${theme}`,
    group: 'Theme',
    title: THEME_TITLES[theme],
    run: () => setTheme(theme),
  })),
]

/** The commands that a person has made: one for each saved layout. */
export const ownCommands = (named: ViewState['named']): readonly Command[] =>
  Object.entries(named).map(([name, { layout }]) => ({
    id: `own-layout-${name}`,
    group: 'Layout',
    title: name,
    says: `saved, from the layout ${LAYOUTS[layout].title}`,
    run: ({ view }) => view.recall(name),
  }))

/** The commands of a text, best first: where every word begins a word, then where every word is somewhere. */
export const findCommands = (text: string, commands: readonly Command[]): readonly Command[] => {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const rank = ({ title, group, says = '' }: Command): number => {
    const [head, all] = [`${title} ${group}`.toLowerCase(), `${title} ${group} ${says}`.toLowerCase()]
    if (words.every((word) => ` ${head}`.includes(` ${word}`))) return 0
    if (words.every((word) => head.includes(word))) return 1
    return words.every((word) => all.includes(word)) ? 2 : -1
  }
  return commands
    .map((command) => ({ command, at: rank(command) }))
    .filter(({ at }) => at !== -1)
    .toSorted((a, b) => a.at - b.at)
    .map(({ command }) => command)
}
