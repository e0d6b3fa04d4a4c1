/**
 * Serves the page's commands with a virtual machine. It owns the machine and knows no timers: whoever owns the
 * event loop calls `advance` whenever the last one's answer says so.
 */
import type { AnswerTo, Command, CommandName, RunUntil } from '../../pure/protocol/commands.ts'
import type { EngineId, RunStateId, RunView } from '../../pure/protocol/views.ts'
import type { EventName } from '../../pure/trace/events.ts'
import { ConsoleOut, isTerminalAnswer } from './console-out.ts'
import { Deeds } from './deeds.ts'
import type { Deed } from './deeds.ts'
import { GuestShelf } from './guest-shelf.ts'
import type { Hosted, HostedMade, HostPorts } from './hosted.ts'
import { answerTo } from './questions.ts'
import { savesToRam, tooEarly } from './origin.ts'
import type { Build, Origin } from './origin.ts'
import { Pacing } from './pacing.ts'
import { Publisher } from './publisher.ts'
import { readSnapshot, stopView, wantedRestore } from './snapshots.ts'
import { isWanted, stopText } from './run-until.ts'

/** Least milliseconds between two views, and between two measurements of speed. */
const VIEW_MS = 30
const FRAME_MS = 16
const RATE_MS = 250
/** What of an interval must be work for its speed to mean something. */
const BUSY_SHARE = 0.2
/** Looking at the machine may take this share of the time. */
const VIEW_SHARE = 10

/** When to call `advance` again: at once, in a few milliseconds, or after the next command. */
export type Next = 'now' | 'soon' | 'later'

const NO_GUEST = { ok: false, what: 'A machine from a snapshot has no guest to start again with: boot one.' } as const
const NO_MACHINE = { ok: false, what: 'There is no machine yet: boot one first.' } as const

export class Host {
  private readonly ports: HostPorts
  private readonly shelf = new GuestShelf()
  private readonly publisher = new Publisher()
  private pacing = new Pacing()
  private vmm: Hosted | undefined
  private origin: Origin | undefined
  /** When it began: not at 0 where it came from a snapshot. */
  private beganAt = 0
  private deeds = new Deeds()
  private machine = 0
  private state: RunStateId = 'empty'
  private watching = false
  private interruptsOf: number | undefined
  private traced: ReadonlySet<EventName> = new Set()
  private traceDue = 0
  private breakpoints: readonly bigint[] = []
  /** The moment of virtual time at which it pauses. */
  private until = Infinity
  /** While a run is repeated, time that nobody spends is not waited for. */
  private hurries = false
  private limit = Infinity
  private output = new ConsoleOut()
  private viewDue = 0
  private rate = { at: 0, busyMs: 0, instructions: 0, virtualNs: 0 }
  private run: RunView = { state: 'empty', engine: 'interpreter', virtualNs: 0, instructions: 0, mips: 0, ratio: 0 }

  constructor(ports: HostPorts) {
    this.ports = ports
  }

  /** Does what a command says. May change what `advance` has to do. */
  handle(command: Command): AnswerTo<CommandName> {
    switch (command.command) {
      case 'keepFile':
        this.shelf.keep(command.name, command.bytes)
        return { ok: true }
      case 'build': {
        const found = this.shelf.find(command.guest)
        return found.ok ? this.boot({ ...command, guest: found.guest, date: this.ports.date() }) : found
      }
      case 'rerun':
        return this.rerun(command.until)
      case 'readSnapshot': {
        this.saved()
        const image = this.vmm?.image()
        return readSnapshot(command.file, image?.ok === true ? image.image : undefined)
      }
      case 'restore':
        return this.restore(command, true)
      case 'run':
        return this.runTo(undefined)
      case 'runTo':
        return this.runTo(command.until)
      case 'step':
        return this.step(command)
      case 'breakpoints':
        this.breakpoints = command.addresses
        this.vmm?.setBreakpoints(command.addresses)
        return { ok: true }
      case 'speed':
        this.limit = command.limit ?? Infinity
        this.pacing.setLimit(this.limit)
        return { ok: true }
      case 'pause':
        return this.go(['running'], 'paused')
      case 'power':
        return this.power(command.action)
      case 'input':
        if (this.vmm === undefined) return NO_MACHINE
        // To what was asked before the run began once more.
        if (this.repeats && isTerminalAnswer(command.bytes)) return { ok: true }
        this.pacing.touch()
        return this.does(this.vmm, command)
      case 'freeze':
      case 'call':
      case 'sendSgi': {
        if (this.vmm === undefined) return NO_MACHINE
        const answer = this.does(this.vmm, command)
        this.sendTrace(true)
        this.publish(true)
        return answer
      }
      case 'snapshot':
        this.saved()
        return this.vmm === undefined ? NO_MACHINE : this.vmm.snapshot()
      case 'watch':
        if (command.machine && !this.watching) this.publisher.restart(this.machine)
        this.watching = command.machine
        this.interruptsOf = command.interruptsOf
        this.publish(true)
        return { ok: true }
      case 'trace':
        this.traced = new Set(command.kinds)
        this.watchTrace()
        return { ok: true }
      default:
        return this.vmm === undefined ? NO_MACHINE : answerTo(this.vmm, command)
    }
  }

  /** Runs the guest for a few milliseconds and sends what came of it. */
  advance(): Next {
    const { vmm } = this
    if (vmm === undefined || this.state !== 'running') {
      this.pacing.hold()
      return 'later'
    }
    const started = this.ports.now()
    const { maxNs, skipNs, exact } = this.pacing.begin(started)
    const wrong = this.deeds.repeat(vmm)
    if (wrong !== undefined) {
      this.halt(wrong)
      this.show()
      return 'later'
    }
    const before = vmm.now()
    const left = Math.min(this.until, this.deeds.nextAt) - before
    const skip = this.hurries ? left : Math.min(skipNs, left)
    const end = vmm.run(Math.min(maxNs, left), skip, exact || left < Infinity)
    const ended = this.ports.now()
    this.pacing.end(ended, vmm.now() - before, end === 'time')
    this.rate.busyMs += ended - started
    this.flush()
    if (end === 'reset') return this.startAgain()
    if (end === 'off' || end === 'stuck') this.state = end
    if (end === 'break' || vmm.now() >= this.until)
      this.halt(end === 'break' ? stopText(vmm.stop()) : 'The time is up.')
    this.sendTrace(this.state !== 'running')
    this.measure(vmm, ended)
    this.publish(false)
    if (this.state !== 'running') return 'later'
    return end === 'idle' || maxNs === 0 ? 'soon' : 'now'
  }

  /** Something broke that should not: the machine stays for inspection and runs no more. */
  fail(what: string): void {
    if (this.vmm !== undefined) this.state = 'stuck'
    this.flush()
    this.ports.post({ kind: 'failed', what })
    this.tell()
  }

  private boot(build: Build): AnswerTo<'build'> {
    const { blueprint, guest, engine, date } = build
    const output = new ConsoleOut()
    const made = this.ports.create({
      blueprint,
      guest,
      engine,
      onConsole: output.add,
      trace: this.traced.size > 0,
      wallClockSeconds: date,
    })
    return this.begin(made, output, { engine, run: build.run, origin: { kind: 'build', build } })
  }

  private restore(command: Extract<Command, { command: 'restore' }>, run: boolean): AnswerTo<'restore'> {
    const read = wantedRestore(command)
    if (!read.ok) return read
    const { engine } = command
    const output = new ConsoleOut()
    const made = this.ports.restore({
      ...read.wanted,
      engine,
      onConsole: output.add,
      trace: this.traced.size > 0,
    })
    const { its } = read.blueprint
    const begun = this.begin(made, output, { engine, run, origin: { kind: 'snapshot', command, its } })
    if (begun.ok) return { ...begun, blueprint: read.blueprint }
    return made.ok || made.stop === undefined ? begun : { ...begun, stop: stopView(made.stop) }
  }

  /** Takes over a machine that was made. */
  private begin(
    made: HostedMade,
    output: ConsoleOut,
    { engine, run, origin }: { readonly engine: EngineId; readonly run: boolean; readonly origin: Origin },
  ): AnswerTo<'build'> {
    if (!made.ok) {
      const { ok, what, calls } = made
      return calls === undefined ? { ok, what } : { ok, what, calls: [...calls] }
    }
    const { vmm } = made
    this.vmm = vmm
    this.watchTrace()
    vmm.setBreakpoints(this.breakpoints)
    this.until = Infinity
    this.hurries = false
    this.origin = origin
    this.beganAt = vmm.now()
    this.deeds = new Deeds()
    this.output = output
    this.machine++
    this.publisher.restart(this.machine)
    this.pacing = new Pacing()
    this.pacing.setLimit(this.limit)
    this.state = run ? 'running' : 'paused'
    const { instructions, virtualNs } = vmm.stats()
    this.rate = { at: this.ports.now(), busyMs: 0, instructions, virtualNs }
    this.run = { state: this.state, engine, virtualNs, instructions, mips: 0, ratio: 0 }
    this.show()
    return { ok: true, calls: vmm.planCalls().map(({ call, answer }) => ({ call, answer })) }
  }

  private rerun(until: number): AnswerTo<'rerun'> {
    const { origin, beganAt } = this
    if (origin === undefined) return NO_MACHINE
    if (until < beganAt) return { ok: false, what: tooEarly(beganAt) }
    const before = this.deeds.before(until)
    if (!before.ok) return before
    const begun =
      origin.kind === 'build' ? this.boot({ ...origin.build, run: false }) : this.restore(origin.command, false)
    if (begun.ok) this.deeds = before.deeds
    const run = begun.ok && until > beganAt ? this.runTo(until) : begun
    this.hurries = run.ok
    return run.ok ? begun : run
  }

  private runTo(until: RunUntil | undefined): AnswerTo<'run'> {
    const { vmm } = this
    if (vmm === undefined) return NO_MACHINE
    if (typeof until === 'number' && until <= vmm.now()) {
      return { ok: false, what: `That moment has passed: it is ${(vmm.now() / 1e9).toFixed(9)} s now.` }
    }
    if (this.state !== 'paused' && this.state !== 'running') {
      return { ok: false, what: 'The machine is off: boot it first.' }
    }
    this.hurries = false
    vmm.breakAtGic(until === 'gicAccess')
    vmm.breakAtEvent(typeof until === 'object' ? isWanted(until) : undefined)
    this.until = typeof until === 'number' ? until : Infinity
    return this.go(['paused'], 'running')
  }

  /** A VM with an ITS writes to guest RAM when it is saved. */
  private saved(): void {
    const { origin, vmm } = this
    if (vmm !== undefined && savesToRam(origin)) this.deeds.do(vmm, { command: 'save' })
  }

  /** What was done before is being done again. */
  private get repeats(): boolean {
    return this.hurries || this.deeds.nextAt < Infinity
  }

  /** A person does something: from here on it is another run, which takes the time that it takes. */
  private does(vmm: Hosted, deed: Deed): ReturnType<Deeds['do']> {
    this.hurries = false
    return this.deeds.do(vmm, deed)
  }

  private step(deed: Extract<Deed, { command: 'step' }>): AnswerTo<'step'> {
    const { vmm } = this
    if (vmm === undefined) return NO_MACHINE
    if (this.state === 'running') this.go(['running'], 'paused')
    if (this.state !== 'paused') return { ok: false, what: 'The machine is off: boot it first.' }
    const answer = this.does(vmm, deed)
    this.flush()
    this.sendTrace(true)
    const { instructions, virtualNs } = vmm.stats()
    const { stop: _, ...run } = this.run
    this.run = { ...run, instructions, virtualNs }
    this.show()
    return answer
  }

  /** Pauses by itself, and says why. */
  private halt(stop: string): void {
    this.state = 'paused'
    this.until = Infinity
    this.hurries = false
    this.run = { ...this.run, stop }
  }

  private go(from: readonly RunStateId[], to: RunStateId): AnswerTo<'run'> {
    if (this.vmm === undefined) return NO_MACHINE
    if (from.includes(this.state)) this.state = to
    const { stop: _, ...run } = this.run
    this.run = run
    this.sendTrace(true)
    this.show()
    return { ok: true }
  }

  /** The guest has reset the machine. */
  private startAgain(): Next {
    const again = this.power('reset')
    if (again.ok) return 'now'
    this.state = 'off'
    this.run = { ...this.run, stop: again.what }
    this.show()
    return 'later'
  }

  private power(action: 'off' | 'reset'): AnswerTo<'power'> {
    const { origin } = this
    if (this.vmm === undefined) return NO_MACHINE
    if (action === 'reset') {
      if (origin?.kind !== 'build') return NO_GUEST
      const booted = this.boot({ ...origin.build, run: true, date: this.ports.date() })
      return booted.ok ? { ok: true } : booted
    }
    this.state = 'off'
    this.show()
    return { ok: true }
  }

  private flush(): void {
    const bytes = this.output.take(!this.repeats)
    if (bytes !== undefined) this.ports.post({ kind: 'console', bytes })
  }

  private measure(vmm: Hosted, now: number): void {
    const { rate } = this
    const wallMs = now - rate.at
    if (wallMs < RATE_MS && this.state === this.run.state) return
    const { instructions } = vmm.stats()
    const virtualNs = vmm.now()
    // A guest that mostly waits shows what waking costs and not how fast it runs: the last speed stands.
    const mips =
      rate.busyMs < wallMs * BUSY_SHARE ? this.run.mips : (instructions - rate.instructions) / rate.busyMs / 1000
    const ratio = wallMs > 0 ? (virtualNs - rate.virtualNs) / 1e6 / wallMs : this.run.ratio
    this.rate = { at: now, busyMs: 0, instructions, virtualNs }
    this.run = { ...this.run, virtualNs, instructions, mips, ratio }
    this.tell()
  }

  private watchTrace(): void {
    const { traced } = this
    this.vmm?.watchTrace(traced.size === 0 ? undefined : (name) => traced.has(name))
  }

  /** Once a frame, or at once where nothing may follow soon. */
  private sendTrace(atOnce: boolean): void {
    const now = this.ports.now()
    if (!atOnce && now < this.traceDue) return
    const batch = this.vmm?.takeTrace()
    if (batch === undefined) return
    this.ports.post({ kind: 'trace', machine: this.machine, batch })
    this.traceDue = now + FRAME_MS
  }

  private show(): void {
    this.tell()
    this.publish(true)
  }

  private tell(): void {
    this.run = { ...this.run, state: this.state }
    this.ports.post({ kind: 'run', run: this.run })
  }

  private publish(atOnce: boolean): void {
    const { vmm } = this
    if (vmm === undefined || !this.watching) return
    const now = this.ports.now()
    if (!atOnce && this.state === 'running' && now < this.viewDue) return
    const { interruptsOf } = this
    const watched = interruptsOf === undefined ? undefined : vmm.inspectInterrupts(interruptsOf)
    const update = this.publisher.update(vmm.inspect(), watched)
    if (update !== undefined) this.ports.post({ kind: 'machine', update })
    this.viewDue = now + Math.max(VIEW_MS, (this.ports.now() - now) * VIEW_SHARE)
  }
}
