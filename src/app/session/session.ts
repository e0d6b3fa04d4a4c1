/** One person's session with one worker: the document, the machine made of it, and what both have said. */
import { mpidrAffinity } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import { affinityIn } from '../../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import type { PlanCall } from '../../pure/protocol/commands.ts'
import type { MachineView } from '../../pure/protocol/views.ts'
import { mergeMachine } from '../../pure/protocol/views.ts'
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import { BOOT_STAGES, READY } from './boot-stages.ts'
import { createConsoleFeed } from './console-feed.ts'
import type { ConsoleFeed } from './console-feed.ts'
import { createDesk, sentence } from './desk.ts'
import { createDocumentActions } from './document.ts'
import type { DocumentActions } from './document.ts'
import { createGuestSource, NOT_PREPARED } from './guest-source.ts'
import { loadManifest, manifestUrl, received, roleOf } from './guests.ts'
import type { FileRole } from './guests.ts'
import { createInjections } from './injection.ts'
import type { Injections } from './injection.ts'
import { createKvmCalls } from './kvm-calls.ts'
import type { KvmCalls } from './kvm-calls.ts'
import { createQuestions } from './questions.ts'
import type { Questions } from './questions.ts'
import { createRunControl } from './run-control.ts'
import type { RunControl } from './run-control.ts'
import { createSnapshots, isSnapshot } from './snapshots.ts'
import type { Snapshots } from './snapshots.ts'
import type { SlotStore } from './slot-store.ts'
import { initialState } from './state.ts'
import type { RegistersView, SessionState, Step } from './state.ts'
import { createTraceFeed } from './trace/feed.ts'
import type { TraceFeed } from './trace/feed.ts'
import type { LogEvent } from './trace/log.ts'
import { createView } from './view.ts'
import type { View } from './view.ts'
import type { WorkerPort } from './worker-port.ts'

export interface Session extends DocumentActions, Injections, KvmCalls, Questions, RunControl, Snapshots {
  readonly store: StoreApi<SessionState>
  readonly console: ConsoleFeed
  readonly view: View
  readonly trace: TraceFeed
  /** Fetches the list of guests and boots the first machine. */
  start(): Promise<void>
  boot(): Promise<void>
  /** Ends what the page waits for: a fetch is broken off, a boot's machine switched off. */
  cancel(): void
  type(bytes: Uint8Array): void
  /** The running machine's calls are of interest again. */
  forgetRefusedPlan(): void
  refreshLog(): Promise<void>
  watch(machine: boolean): void
  /** The vCPU whose interrupts are told one by one, while someone looks at them. */
  watchInterrupts(cpu: number | undefined): void
  select(cpu: number): void
  /** The interrupt that is looked at. */
  lookAtIrq(intid: number | undefined): void
  /** The event that is selected on the timeline. */
  lookAtEvent(event: LogEvent | undefined): void
  /** Another book, search or selection of the registers pane. */
  lookAtRegisters(to: Partial<RegistersView>): void
  /** Shows a moment of the guest's time on the timeline. */
  showMoment(virtualNs: number): void
  /** The text of the embedded program as it came. */
  originalProgram(): Promise<string | undefined>
  /** Another text of it, or `undefined` for the original: what the next boot assembles. */
  writeProgram(text: string | undefined): void
  dropFiles(files: readonly File[]): Promise<void>
  report(trouble: string | undefined): void
  /** Says something that no boot wipes away. */
  notice(what: string): void
  forgetNotices(): void
}

/** What Linux says when no frame has the affinity of a CPU (drivers/irqchip/irq-gic-v3.c). */
export const LOST = 'has no re-distributor!'
const NOTICES_KEPT = 3
/** As many as stand beside the present one. */
const BOOTS_KEPT = 2

const isEdit = ({ kind }: Step): boolean => kind === 'edit'

export const createSession = (port: WorkerPort, page: string, slots: SlotStore): Session => {
  const store = createStore<SessionState>(() => initialState)
  const feed = createConsoleFeed()
  const { getState: get, setState: set } = store
  let machineShown = 0
  let boots = 0
  let watched: { machine: boolean; interruptsOf?: number } = { machine: false }
  let fetching = new AbortController()

  const desk = createDesk(port, store)
  const { send, report } = desk
  const source = createGuestSource(
    page,
    (loading) => set({ loading }),
    (name, bytes) => send({ command: 'keepFile', name, bytes }),
  )
  const view = createView()
  const { calls, built: planMade } = createKvmCalls(desk)
  const document = createDocumentActions(desk, view, calls.call)
  const trace = createTraceFeed((kinds) => send({ command: 'trace', kinds: [...kinds] }))

  port.listen((news) => {
    switch (news.kind) {
      case 'console':
        feed.push(news.bytes)
        break
      case 'run':
        set({ run: news.run })
        break
      case 'machine': {
        const before: MachineView | undefined = news.update.machine === machineShown ? get().machine : undefined
        machineShown = news.update.machine
        set({ machine: mergeMachine(before, news.update) })
        break
      }
      case 'trace':
        trace.push(news.machine, news.batch)
        break
      case 'failed':
        report(news.what)
    }
  })

  /** A machine has begun: its document, and the calls that made it. */
  const begun = (blueprint: Blueprint, made: readonly PlanCall[]): void => {
    feed.clear()
    planMade(made)
    set(({ running, log, earlier, undo, redo }) => ({
      running: blueprint,
      // Calls on the machine that was cannot be taken back.
      undo: undo.filter(isEdit),
      redo: redo.filter(isEdit),
      injected: undefined,
      refusedPlan: undefined,
      earlier:
        running !== undefined && log?.ok === true
          ? [{ blueprint: running, lines: log.lines }, ...earlier].slice(0, BOOTS_KEPT)
          : earlier,
      log: undefined,
    }))
  }

  const build = async (boot: number): Promise<void> => {
    const { draft, engine, own, program, guests } = get()
    set({ trouble: undefined })
    const { signal } = (fetching = new AbortController())
    const guest = await source.guest({ choice: draft.guest, known: guests ?? [], own, program, signal })
    if (boot !== boots) return
    if (!guest.ok) {
      set({ loading: undefined, trouble: guest.what })
      return
    }
    set({ loading: { stage: 'build', loaded: 0, total: 0 } })
    // Who compares boots wants the last words of this machine too.
    await session.refreshLog().catch((error: unknown) => report(sentence(error)))
    const built = await port.ask({ command: 'build', blueprint: draft, guest: guest.value, engine, run: true })
    if (!built.ok) {
      set({ loading: undefined, trouble: built.what, refusedPlan: built.calls })
      return
    }
    begun(draft, built.calls)
    const prepared = draft.guest.id.startsWith('linux')
    set({ loading: prepared ? { stage: 'boot', loaded: 0, total: 0 } : undefined })
    const marks = [...BOOT_STAGES.map(({ mark }) => mark), READY]
    feed.follow(prepared ? marks : [], (step) => {
      const ready = step === BOOT_STAGES.length
      set(({ loading }) => ({
        loading: ready || loading === undefined ? undefined : { stage: 'boot', loaded: 0, total: 0, step },
      }))
    })
  }

  const session: Session = {
    store,
    console: feed,
    trace,
    view,
    ...document,
    ...createInjections(desk, calls, document, () => session.boot()),
    ...createRunControl(desk, begun),
    ...createQuestions(desk),
    ...createSnapshots(desk, view, slots, (blueprint, made) => {
      boots++
      begun(blueprint, made)
      // The form shows the machine that goes on.
      set({ draft: blueprint, scenario: undefined, undo: [], redo: [] })
    }),
    ...calls,
    start: async () => {
      trace.start()
      const loaded = await loadManifest(manifestUrl(page))
      set({ guests: loaded.ok ? loaded.value : [] })
      const { draft } = get()
      const linux = draft.guest.id.startsWith('linux')
      // Without Linux there is still the embedded program.
      if (linux && !loaded.ok) set({ draft: { ...draft, guest: { ...draft.guest, id: 'gicsh' } } })
      await Promise.all([session.boot(), session.recallSnapshots()])
      if (linux && !loaded.ok && get().trouble === undefined) report(NOT_PREPARED)
    },
    boot: async () => {
      try {
        await build(++boots)
      } catch (error) {
        set({ loading: undefined, trouble: `The machine could not be built: ${sentence(error)}` })
      }
    },
    cancel: () => {
      const { loading } = get()
      boots++
      fetching.abort()
      if (loading?.stage === 'boot') send({ command: 'power', action: 'off' })
      set({ loading: undefined })
    },
    forgetRefusedPlan: () => set({ refusedPlan: undefined }),
    type: (bytes) => send({ command: 'input', bytes }),
    refreshLog: async () => {
      if (get().running === undefined) return
      const log = await port.ask({ command: 'kernelLog' })
      // A CPU that found no redistributor is where such a boot ends: there is nothing more to wait for.
      const ended = log.ok && log.lines.some(({ text }) => text.includes(LOST)) && get().loading?.stage === 'boot'
      set(ended ? { log, loading: undefined } : { log })
    },
    watch: (machine) => {
      watched = { ...watched, machine }
      send({ command: 'watch', ...watched })
    },
    watchInterrupts: (cpu) => {
      const { machine } = watched
      watched = cpu === undefined ? { machine } : { machine, interruptsOf: cpu }
      send({ command: 'watch', ...watched })
    },
    showMoment: (virtualNs) => {
      set({ moment: { at: virtualNs } })
      view.show('timeline')
    },
    lookAtRegisters: (to) => set(({ registers }) => ({ registers: { ...registers, ...to } })),
    lookAtIrq: (intid) => set({ intid }),
    lookAtEvent: (event) => set({ event }),
    select: (cpu) => set(({ draft }) => ({ selected: Math.min(Math.max(cpu, 0), draft.vcpus - 1) })),
    dropFiles: async (files) => {
      for (const file of files) {
        const bytes = await received({ name: file.name, stream: file.stream(), length: file.size })
        const role: FileRole | undefined = bytes.ok ? roleOf(bytes.value) : undefined
        if (!bytes.ok) report(bytes.what)
        else if (isSnapshot(bytes.value)) await session.addSnapshot(file.name, bytes.value)
        else if (role === undefined) {
          report(`${file.name} is not a kernel (Image or ELF), an initrd (cpio), a device tree (dtb) or a snapshot.`)
        } else {
          const kept = source.own(role, file.name, bytes.value)
          set(({ own, draft }) => ({
            own: { ...own, [role]: kept },
            trouble: undefined,
            draft: { ...draft, guest: { ...draft.guest, id: 'own' } },
          }))
        }
      }
    },
    originalProgram: async () => {
      const program = await source.program()
      if (!program.ok) report(program.what)
      return program.ok ? program.value : undefined
    },
    writeProgram: (program) => set({ program }),
    report,
    notice: (what) => set(({ notices }) => ({ notices: [...notices, what].slice(-NOTICES_KEPT) })),
    forgetNotices: () => set({ notices: [] }),
  }
  return session
}

/** Whether a machine has other affinities, routes or rules than its document will give it at the next boot. */
export const differs = ({ draft, running }: Pick<SessionState, 'draft' | 'running'>): boolean =>
  running !== undefined && draft !== running && JSON.stringify(draft) !== JSON.stringify(running)

/** The affinity the machine has now, or will have. */
export const affinityNow = ({ machine, draft }: SessionState, index: number): Affinity => {
  const mpidr = machine?.cpus[index]?.mpidr
  return mpidr === undefined ? affinityIn(draft, index) : mpidrAffinity.decode(mpidr)
}
