/**
 * Serves the page's commands with a virtual machine. It owns the machine and knows no timers: whoever owns the
 * event loop calls `advance` whenever the last one's answer says so.
 */
import type { AnswerTo, Command, CommandName, RunUntil } from '../../pure/protocol/commands.ts'
import type { EngineId, RunStateId, RunView } from '../../pure/protocol/views.ts'
import type { EventName } from '../../pure/trace/events.ts'
import type { GuestFiles } from '../vmm/vmm.ts'
import { GuestShelf } from './guest-shelf.ts'
import type { Hosted, HostedMade, HostPorts } from './hosted.ts'
import { answerTo } from './questions.ts'
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

/** What a machine is made of, and made of again when its guest resets it or a person wants the same run again. */
interface Build extends Omit<Extract<Command, { command: 'build' }>, 'command' | 'guest'> {
  readonly guest: GuestFiles
  /** What its real-time clock begins with. */
  readonly date: number
}

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
  private build: Build | undefined
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
  private output: Uint8Array[] = []
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
        const image = this.vmm?.image()
        return readSnapshot(command.file, image?.ok === true ? image.image : undefined)
      }
      case 'restore':
        return this.restore(command)
      case 'run':
        return this.runTo(undefined)
      case 'runTo':
        return this.runTo(command.until)
      case 'step':
        return this.step(command.cpu, command.count)
      case 'freeze': {
        const what = this.vmm === undefined ? NO_MACHINE.what : this.vmm.freeze(command.cpu, command.frozen)
        this.publish(true)
        return what === undefined ? { ok: true } : { ok: false, what }
      }
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
        this.pacing.touch()
        this.vmm.input(command.bytes)
        return { ok: true }
      case 'call': {
        if (this.vmm === undefined) return NO_MACHINE
        const answer = this.vmm.call(command.call)
        this.sendTrace(true)
        this.publish(true)
        return { ok: true, answer }
      }
      case 'sendSgi': {
        if (this.vmm === undefined) return NO_MACHINE
        const sent = this.vmm.sendSgi(command.cpu, command.register, command.value)
        this.sendTrace(true)
        this.publish(true)
        return sent
      }
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
    const before = vmm.now()
    const left = this.until - before
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
    const output: Uint8Array[] = []
    const made = this.ports.create({
      blueprint,
      guest,
      engine,
      onConsole: (bytes) => output.push(bytes.slice()),
      trace: this.traced.size > 0,
      wallClockSeconds: date,
    })
    return this.begin(made, output, { engine, run: build.run, again: build })
  }

  private restore(command: Extract<Command, { command: 'restore' }>): AnswerTo<'restore'> {
    const read = wantedRestore(command)
    if (!read.ok) return read
    const { engine } = command
    const output: Uint8Array[] = []
    const made = this.ports.restore({
      ...read.wanted,
      engine,
      onConsole: (bytes) => output.push(bytes.slice()),
      trace: this.traced.size > 0,
    })
    const begun = this.begin(made, output, { engine, run: true, again: undefined })
    if (begun.ok) return { ...begun, blueprint: read.blueprint }
    return made.ok || made.stop === undefined ? begun : { ...begun, stop: stopView(made.stop) }
  }

  /** Takes over a machine that was made. `again`: how it is built anew when its guest resets it. */
  private begin(
    made: HostedMade,
    output: Uint8Array[],
    { engine, run, again }: { readonly engine: EngineId; readonly run: boolean; readonly again: Build | undefined },
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
    this.build = again
    this.output = output
    this.machine++
    this.publisher.restart(this.machine)
    this.pacing = new Pacing()
    this.pacing.setLimit(this.limit)
    this.state = run ? 'running' : 'paused'
    const { instructions, virtualNs } = vmm.stats()
    this.rate = { at: this.ports.now(), busyMs: 0, instructions, virtualNs }
    this.run = { state: this.state, engine, virtualNs, instructions, mips: 0, ratio: 0 }
    this.tell()
    this.publish(true)
    return { ok: true, calls: vmm.planCalls().map(({ call, answer }) => ({ call, answer })) }
  }

  private rerun(until: number): AnswerTo<'rerun'> {
    const { build, vmm } = this
    if (build === undefined) return vmm === undefined ? NO_MACHINE : NO_GUEST
    const begun = this.boot({ ...build, run: false })
    const run = begun.ok && until > 0 ? this.runTo(until) : begun
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

  private step(cpu: number, count: number): AnswerTo<'step'> {
    const { vmm } = this
    if (vmm === undefined) return NO_MACHINE
    if (this.state === 'running') this.go(['running'], 'paused')
    if (this.state !== 'paused') return { ok: false, what: 'The machine is off: boot it first.' }
    const what = vmm.step(cpu, count)
    this.flush()
    this.sendTrace(true)
    const { instructions, virtualNs } = vmm.stats()
    const { stop: _, ...run } = this.run
    this.run = { ...run, instructions, virtualNs }
    this.tell()
    this.publish(true)
    return what === undefined ? { ok: true } : { ok: false, what }
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
    this.tell()
    this.publish(true)
    return { ok: true }
  }

  /** The guest has reset the machine. */
  private startAgain(): Next {
    const again = this.power('reset')
    if (again.ok) return 'now'
    this.state = 'off'
    this.run = { ...this.run, stop: again.what }
    this.tell()
    this.publish(true)
    return 'later'
  }

  private power(action: 'off' | 'reset'): AnswerTo<'power'> {
    const { build } = this
    if (this.vmm === undefined) return NO_MACHINE
    if (action === 'reset') {
      if (build === undefined) return NO_GUEST
      const booted = this.boot({ ...build, run: true, date: this.ports.date() })
      return booted.ok ? { ok: true } : booted
    }
    this.state = 'off'
    this.tell()
    this.publish(true)
    return { ok: true }
  }

  private flush(): void {
    if (this.output.length === 0) return
    const length = this.output.reduce((sum, part) => sum + part.length, 0)
    const bytes = new Uint8Array(length)
    let at = 0
    for (const part of this.output.splice(0)) {
      bytes.set(part, at)
      at += part.length
    }
    this.ports.post({ kind: 'console', bytes })
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
