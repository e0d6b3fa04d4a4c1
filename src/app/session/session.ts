/** One person's session with one worker: the document, the machine made of it, and what both have said. */
import { mpidrAffinity, mpidrOf } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import { affinityIn, defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { applyEdit } from '../../pure/blueprint/edits.ts'
import type { Edit } from '../../pure/blueprint/edits.ts'
import { mpidrCall, routeCalls } from '../../pure/blueprint/plan.ts'
import type { EngineId, MachineView } from '../../pure/protocol/views.ts'
import { MAX_BREAKPOINTS } from '../../pure/protocol/commands.ts'
import type { CpuDetail } from '../../pure/protocol/cpu-detail.ts'
import { mergeMachine } from '../../pure/protocol/views.ts'
import { SCENARIOS } from '../../pure/scenarios/library.ts'
import type { ScenarioId } from '../../pure/scenarios/library.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import { ONE_REG } from '../../pure/uapi/one-reg.ts'
import type { Peek } from '../../pure/uapi/register-book.ts'
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import { BOOT_STAGES, READY } from './boot-stages.ts'
import { createConsoleFeed } from './console-feed.ts'
import type { ConsoleFeed } from './console-feed.ts'
import { createGuestSource, NOT_PREPARED } from './guest-source.ts'
import { loadManifest, manifestUrl, received, roleOf } from './guests.ts'
import type { FileRole } from './guests.ts'
import type { LinkedDocument } from './link.ts'
import { initialState } from './state.ts'
import type { RegistersView, SessionState } from './state.ts'
import { createTraceFeed } from './trace/feed.ts'
import type { TraceFeed } from './trace/feed.ts'
import { createView } from './view.ts'
import type { View } from './view.ts'
import type { WorkerPort } from './worker-port.ts'

export interface Session {
  readonly store: StoreApi<SessionState>
  readonly console: ConsoleFeed
  readonly view: View
  readonly trace: TraceFeed
  /** Fetches the list of guests and boots the first machine. */
  start(): Promise<void>
  edit(edit: Edit): boolean
  undo(): void
  redo(): void
  choose(scenario: ScenarioId): void
  /** Takes over a document from a link. */
  open(document: LinkedDocument): void
  chooseEngine(engine: EngineId): void
  boot(): Promise<void>
  /** Ends what the page waits for: a fetch is broken off, a boot's machine switched off. */
  cancel(): void
  pause(): void
  resume(): void
  /** One instruction, or more, of one CPU, while the others stand still. */
  step(cpu: number, count: number): void
  /** Until the next access to the GIC, or a moment of virtual time. */
  runTo(until: 'gicAccess' | number): void
  freeze(cpu: number, frozen: boolean): void
  setBreakpoints(addresses: readonly bigint[]): void
  /** Virtual time per wall time, at most; `undefined`: as fast as it goes. */
  setSpeed(limit: number | undefined): void
  /** A vCPU with its code and stack; `undefined` where there is none, which a pane can say better than a toast. */
  inspectCpu(cpu: number): Promise<CpuDetail | undefined>
  /** Looks at registers; nothing where there is no machine. */
  peek(cpu: number, what: readonly Peek[]): Promise<readonly KvmAnswer[]>
  /** KVM's text about the vGIC; `undefined` where there is no machine. */
  vgicState(): Promise<string | undefined>
  /** Names of addresses in the guest's kernel; none where it has no symbols. */
  symbolsAt(addresses: readonly bigint[]): Promise<readonly (string | undefined)[]>
  /** The addresses of a symbol, or why there is none. */
  symbol(
    name: string,
  ): Promise<
    { readonly ok: true; readonly addresses: readonly bigint[] } | { readonly ok: false; readonly what: string }
  >
  powerOff(): void
  type(bytes: Uint8Array): void
  /** The running machine's calls are of interest again. */
  forgetRefusedPlan(): void
  /** KVM calls on the running machine, in order; ends at the first refusal. */
  call(calls: readonly KvmCall[], readBack?: KvmCall): Promise<KvmAnswer | undefined>
  setAffinityNow(vcpu: number, affinity: Affinity): Promise<KvmAnswer | undefined>
  setRouteNow(intid: number, affinity: Affinity): Promise<KvmAnswer | undefined>
  refreshLog(): Promise<void>
  watch(machine: boolean): void
  /** The vCPU whose interrupts are told one by one, while someone looks at them. */
  watchInterrupts(cpu: number | undefined): void
  select(cpu: number): void
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
const CALLS_KEPT = 4000
const NOTICES_KEPT = 3

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const createSession = (port: WorkerPort, page: string): Session => {
  const store = createStore<SessionState>(() => initialState)
  const feed = createConsoleFeed()
  const { getState: get, setState: set } = store
  const source = createGuestSource(page, (loading) => set({ loading }))
  let machineShown = 0
  let lastCall = 0
  let boots = 0
  let watched: { machine: boolean; interruptsOf?: number } = { machine: false }
  let fetching = new AbortController()

  const report = (trouble: string | undefined): void => set({ trouble })

  /** Sends a command whose answer is only of interest when it is a complaint. */
  const send = (command: Parameters<WorkerPort['ask']>[0]): void => {
    port.ask(command).then(
      (answer) => {
        if (!answer.ok) report(answer.what)
      },
      (error: unknown) => report(sentence(error)),
    )
  }

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

  const apply = (edit: Edit): Edit | undefined => {
    const edited = applyEdit(get().draft, edit)
    if (!edited.ok) {
      report(edited.what)
      return undefined
    }
    const selected = Math.min(get().selected, edited.blueprint.vcpus - 1)
    set({ draft: edited.blueprint, trouble: undefined, selected })
    return edited.inverse
  }

  const record = (entries: readonly Omit<SessionState['calls'][number], 'id'>[], fresh: boolean): void => {
    const numbered = entries.map((entry) => ({ ...entry, id: ++lastCall }))
    set(({ calls }) => ({ calls: [...(fresh ? [] : calls), ...numbered].slice(-CALLS_KEPT) }))
  }

  const build = async (boot: number): Promise<void> => {
    const { draft, engine, own, program, guests } = get()
    set({ trouble: undefined })
    const { signal } = (fetching = new AbortController())
    const guest = await source.files({ choice: draft.guest, known: guests ?? [], own, program, signal })
    if (boot !== boots) return
    if (!guest.ok) {
      set({ loading: undefined, trouble: guest.what })
      return
    }
    set({ loading: { stage: 'build', loaded: 0, total: 0 } })
    const built = await port.ask({ command: 'build', blueprint: draft, guest: guest.value, engine, run: true })
    if (!built.ok) {
      set({ loading: undefined, trouble: built.what, refusedPlan: built.calls })
      return
    }
    feed.clear()
    record(
      built.calls.map(({ call, answer }) => ({ by: 'plan', at: 0, call, answer })),
      true,
    )
    const prepared = draft.guest.id.startsWith('linux')
    set({
      running: draft,
      refusedPlan: undefined,
      log: undefined,
      loading: prepared ? { stage: 'boot', loaded: 0, total: 0 } : undefined,
    })
    const marks = [...BOOT_STAGES.map(({ mark }) => mark), READY]
    feed.follow(prepared ? marks : [], (step) => {
      const ready = step === BOOT_STAGES.length
      set(({ loading }) => ({
        loading: ready || loading === undefined ? undefined : { stage: 'boot', loaded: 0, total: 0, step },
      }))
    })
  }

  const call = async (calls: readonly KvmCall[], readBack?: KvmCall): Promise<KvmAnswer | undefined> => {
    let answer: KvmAnswer | undefined
    for (const one of calls) {
      const answered = await port.ask({ command: 'call', call: one })
      if (!answered.ok) {
        report(answered.what)
        return undefined
      }
      answer = answered.answer
      const last = one === calls.at(-1) || !answer.ok
      const read = last && readBack !== undefined ? await port.ask({ command: 'call', call: readBack }) : undefined
      const effective = read?.ok === true && read.answer.ok ? read.answer.value : undefined
      const at = get().machine?.virtualNs ?? 0
      record([{ by: 'you', at, call: one, answer, ...(effective === undefined ? {} : { effective }) }], false)
      if (!answer.ok) break
    }
    return answer
  }

  const session: Session = {
    store,
    console: feed,
    trace,
    view: createView(),
    start: async () => {
      trace.start()
      const loaded = await loadManifest(manifestUrl(page))
      set({ guests: loaded.ok ? loaded.value : [] })
      const { draft } = get()
      const linux = draft.guest.id.startsWith('linux')
      // Without Linux there is still the embedded program.
      if (linux && !loaded.ok) set({ draft: { ...draft, guest: { ...draft.guest, id: 'gicsh' } } })
      await session.boot()
      if (linux && !loaded.ok && get().trouble === undefined) report(NOT_PREPARED)
    },
    edit: (edit) => {
      const inverse = apply(edit)
      if (inverse === undefined) return false
      set(({ undo }) => ({ undo: [...undo, inverse], redo: [], scenario: undefined }))
      return true
    },
    undo: () => {
      const edit = get().undo.at(-1)
      const inverse = edit === undefined ? undefined : apply(edit)
      if (inverse !== undefined) set(({ undo, redo }) => ({ undo: undo.slice(0, -1), redo: [...redo, inverse] }))
    },
    redo: () => {
      const edit = get().redo.at(-1)
      const inverse = edit === undefined ? undefined : apply(edit)
      if (inverse !== undefined) set(({ undo, redo }) => ({ redo: redo.slice(0, -1), undo: [...undo, inverse] }))
    },
    choose: (id) => {
      const scenario = SCENARIOS.find((one) => one.id === id)
      if (scenario === undefined) return
      const { guest } = get().draft
      // A scenario says what the machine is like, not which Linux a person prefers to run on it.
      const before = { ...defaultBlueprint, guest: { id: guest.id, append: '' } }
      const edited = applyEdit(before, { edit: 'several', edits: scenario.edits })
      if (!edited.ok) {
        report(edited.what)
        return
      }
      const draft = { ...edited.blueprint, guest: { ...edited.blueprint.guest, id: guest.id } }
      set({ draft, scenario: id, selected: scenario.cpu, undo: [], redo: [] })
    },
    open: ({ blueprint, engine, scenario, selected, program, view }) => {
      set({
        draft: blueprint,
        engine,
        program,
        scenario: SCENARIOS.find(({ id }) => id === scenario)?.id,
        selected: Math.min(selected, blueprint.vcpus - 1),
        undo: [],
        redo: [],
        trouble: undefined,
      })
      session.view.restore(view)
    },
    chooseEngine: (engine) => set({ engine }),
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
    pause: () => send({ command: 'pause' }),
    resume: () => send({ command: 'run' }),
    forgetRefusedPlan: () => set({ refusedPlan: undefined }),
    step: (cpu, count) => send({ command: 'step', cpu, count }),
    runTo: (until) => send({ command: 'runTo', until }),
    freeze: (cpu, frozen) => send({ command: 'freeze', cpu, frozen }),
    setBreakpoints: (addresses) => {
      const breakpoints = [...new Set(addresses)].toSorted((a, b) => (a < b ? -1 : 1))
      if (breakpoints.length > MAX_BREAKPOINTS) {
        report(`There can be ${MAX_BREAKPOINTS} breakpoints at most.`)
        return
      }
      set({ breakpoints })
      send({ command: 'breakpoints', addresses: breakpoints })
    },
    setSpeed: (limit) => {
      set({ speed: limit })
      send(limit === undefined ? { command: 'speed' } : { command: 'speed', limit })
    },
    inspectCpu: async (cpu) => {
      const answer = await port.ask({ command: 'cpu', cpu })
      return answer.ok ? answer.detail : undefined
    },
    peek: async (cpu, what) => {
      const answer = await port.ask({ command: 'peek', cpu, what: [...what] })
      return answer.ok ? answer.values : []
    },
    vgicState: async () => {
      const answer = await port.ask({ command: 'vgicState' })
      return answer.ok ? answer.text : undefined
    },
    symbolsAt: async (addresses) => {
      const answer = await port.ask({ command: 'symbolsAt', addresses: [...addresses] })
      return answer.ok ? answer.names : []
    },
    symbol: (name) => port.ask({ command: 'symbol', name }),
    powerOff: () => send({ command: 'power', action: 'off' }),
    type: (bytes) => send({ command: 'input', bytes }),
    call,
    setAffinityNow: (vcpu, affinity) =>
      call([mpidrCall(vcpu, mpidrOf(affinity))], { call: 'KVM_GET_ONE_REG', vcpu, reg: ONE_REG.MPIDR_EL1 }),
    setRouteNow: (intid, affinity) => call(routeCalls(intid, affinity)),
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
      session.view.show('timeline')
    },
    lookAtRegisters: (to) => set(({ registers }) => ({ registers: { ...registers, ...to } })),
    select: (cpu) => set(({ draft }) => ({ selected: Math.min(Math.max(cpu, 0), draft.vcpus - 1) })),
    dropFiles: async (files) => {
      for (const file of files) {
        const bytes = await received({ name: file.name, stream: file.stream(), length: file.size })
        const role: FileRole | undefined = bytes.ok ? roleOf(bytes.value) : undefined
        if (!bytes.ok) report(bytes.what)
        else if (role === undefined) {
          report(`${file.name} is not a kernel (Image or ELF), an initrd (cpio) or a device tree (dtb).`)
        } else {
          const { value } = bytes
          set(({ own, draft }) => ({
            own: { ...own, [role]: { name: file.name, bytes: value } },
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
