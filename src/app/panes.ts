/**
 * Every pane of the page, once. Tabs, layouts, the command palette and the help page are made of this table: a new
 * pane is a file in panes/ with a default export, and one row here.
 */
import { lazy } from 'react'
import type { ComponentType, LazyExoticComponent } from 'react'
import { findings } from '../pure/rules/check.ts'
import type { Place } from './session/layouts.ts'
import { LOST } from './session/session.ts'
import type { SessionState } from './session/state.ts'

/** A number beside a pane's title. */
export interface Badge {
  readonly count: number
  /** What is counted is wrong. */
  readonly bad?: boolean
}

export interface Pane {
  readonly id: string
  readonly title: string
  /** What it shows, in a sentence. */
  readonly says: string
  /** Where it lives unless a person moves it. */
  readonly home: Place
  /** Loaded when it is first shown. */
  readonly view: LazyExoticComponent<ComponentType>
  readonly badge?: (state: SessionState) => Badge
}

const lostLines = ({ log }: SessionState): number =>
  log?.ok === true ? log.lines.filter(({ text }) => text.includes(LOST)).length : 0

const wrong = ({ draft }: SessionState): number => findings(draft).filter(({ severity }) => severity !== 'info').length

export const PANES: readonly Pane[] = [
  {
    id: 'console',
    title: 'Console',
    says: 'The serial console of the guest, to read and to type into.',
    home: 'console',
    view: lazy(() => import('./panes/console/console-pane.tsx')),
  },
  {
    id: 'log',
    title: 'Kernel log',
    says: "Linux's own log, read out of its memory: there even when the console is silent.",
    home: 'words',
    view: lazy(() => import('./panes/kernel-log-pane.tsx')),
    badge: (state) => ({ count: lostLines(state), bad: true }),
  },
  {
    id: 'calls',
    title: 'KVM calls',
    says: 'What the VMM asks of KVM: calls made, with errno and reason, and the plan of the next build, to reorder and change.',
    home: 'words',
    view: lazy(() => import('./panes/calls/kvm-calls-pane.tsx')),
    badge: ({ calls }) => ({ count: calls.length }),
  },
  {
    id: 'affinity',
    title: 'Affinity',
    says: 'Which redistributor each vCPU finds: affinities at left, frames by address at right, a line for each match.',
    home: 'machine',
    view: lazy(() => import('./panes/affinity/affinity-pane.tsx')),
  },
  {
    id: 'walk',
    title: 'Walk',
    says: "The guest's search for the redistributor of the selected vCPU, read by read.",
    home: 'machine',
    view: lazy(() => import('./panes/walk/walk-pane.tsx')),
  },
  {
    id: 'typer',
    title: 'GICR_TYPER',
    says: 'GICR_TYPER of every frame as the guest reads it, field by field.',
    home: 'machine',
    view: lazy(() => import('./panes/typer-pane.tsx')),
  },
  {
    id: 'irouter',
    title: 'IROUTER',
    says: 'Where every SPI in use goes, and an affinity to send it to instead.',
    home: 'machine',
    view: lazy(() => import('./panes/irouter-pane.tsx')),
  },
  {
    id: 'interrupts',
    title: 'Interrupts',
    says: 'Every interrupt of a vCPU: its state, where it goes and what keeps it; list registers and ap_list; lines to pull.',
    home: 'machine',
    view: lazy(() => import('./panes/interrupts/interrupts-pane.tsx')),
  },
  {
    id: 'program',
    title: 'Program',
    says: 'The embedded guest in A64 assembly: change it, and it runs a moment later.',
    home: 'machine',
    view: lazy(() => import('./panes/program-pane.tsx')),
  },
  {
    id: 'matrix',
    title: 'Which path sees Aff3?',
    says: 'Every path an affinity takes through KVM, under each rule set.',
    home: 'rules',
    view: lazy(() => import('./panes/matrix-pane.tsx')),
  },
  {
    id: 'ruler',
    title: 'Ruler',
    says: 'One affinity in its five layouts, each byte in its colour; editable in any of them.',
    home: 'rules',
    view: lazy(() => import('./panes/ruler/ruler-pane.tsx')),
  },
  {
    id: 'compare',
    title: 'Compare',
    says: 'Two or three machines side by side, by register: rule sets, kernels, hosts, before and after.',
    home: 'rules',
    view: lazy(() => import('./panes/compare/compare-pane.tsx')),
  },
  {
    id: 'findings',
    title: 'Findings',
    says: 'What is wrong with the machine of the next boot and with the one that runs, why, and a cure for each.',
    home: 'findings',
    view: lazy(() => import('./panes/findings-pane.tsx')),
    badge: (state) => ({ count: wrong(state), bad: true }),
  },
  {
    id: 'cpus',
    title: 'CPUs',
    says: 'Every vCPU at work: where it is, its code, registers and stack; freeze, step, breakpoints.',
    home: 'machine',
    view: lazy(() => import('./panes/cpus/cpus-pane.tsx')),
  },
  {
    id: 'registers',
    title: 'Registers',
    says: 'Every register of GIC, CPUs and devices: both views, fields, last writer; a click on a bit is a KVM call.',
    home: 'machine',
    view: lazy(() => import('./panes/registers/registers-pane.tsx')),
  },
  {
    id: 'vgic-state',
    title: 'vgic-state',
    says: "KVM's own text about the vGIC, as its debugfs has it: save it, compare it with an earlier one.",
    home: 'machine',
    view: lazy(() => import('./panes/vgic-state/vgic-state-pane.tsx')),
  },
  {
    id: 'timeline',
    title: 'Timeline',
    says: 'What happened when: CPUs running and waiting, exceptions, interrupts, SGIs, accesses to the GIC, console lines.',
    home: 'time',
    view: lazy(() => import('./panes/timeline/timeline-pane.tsx')),
  },
  {
    id: 'vcpu',
    title: 'vCPU',
    says: 'The selected vCPU: its affinity in all layouts, and the form that changes it.',
    home: 'vcpu',
    view: lazy(() => import('./panes/vcpu-pane.tsx')),
  },
]
