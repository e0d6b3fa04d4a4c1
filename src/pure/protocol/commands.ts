/** What the page asks of the worker, and what it is answered. */
import * as z from 'zod/mini'
import { SGI_REGISTERS } from '../arch/sysregs/gic-cpu.ts'
import { FRAME_NAMES } from '../arch/frames.ts'
import { parseBlueprint } from '../blueprint/blueprint.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { EVENT_NAMES } from '../trace/events.ts'
import type { KvmAnswer } from '../uapi/calls.ts'
import { cpuDetail } from './cpu-detail.ts'
import { kvmCall } from './kvm-call.ts'
import { ERRNO } from '../uapi/errno.ts'
import type { Errno } from '../uapi/errno.ts'
import { ENGINES, kernelLogView } from './views.ts'

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
/** That are nobody else's. */
const ownBytes = z.custom<Uint8Array<ArrayBuffer>>(
  (value) => value instanceof Uint8Array && value.buffer instanceof ArrayBuffer,
)

/** A guest by the names of its files, which the worker keeps. */
const namedGuest = z.object({
  kernel: z.string(),
  initrd: z.exactOptional(z.string()),
  dtb: z.exactOptional(z.string()),
  /** The guest's own command line; the blueprint adds to it. */
  append: z.string(),
})
export type NamedGuest = z.infer<typeof namedGuest>

/** The blueprint's own parser judges it again when the machine is built; here only its shape is of interest. */
const blueprint = z.custom<Blueprint>((value) => parseBlueprint(value).ok, {
  error: ({ input }) => {
    const parsed = parseBlueprint(input)
    return parsed.ok ? 'not a blueprint' : parsed.what
  },
})

const MAX_STEPS = 1_000_000
export const MAX_BREAKPOINTS = 64
const MAX_PEEKS = 8192
const MAX_LINE = 200
/** Letters; a known one has some two thousand. */
const MAX_ORDER = 100_000

/** Of a system register: bits 20:5 of MRS. */
const encoding = z.int().check(z.minimum(0), z.maximum(0xffff))

const peek = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('mmio'),
    frame: z.enum(FRAME_NAMES),
    offset: z.int().check(z.minimum(0), z.maximum(0x20000)),
    width: z.union([z.literal(4), z.literal(8)]),
  }),
  z.object({ kind: z.literal('sysreg'), encoding }),
  z.object({ kind: z.literal('call'), call: kvmCall }),
])

/**
 * What a run waits for: an access to the GIC, a moment of virtual time (nanoseconds), a CPU that takes an interrupt, a
 * line of the console with a text in it, an event like another (`pure/trace/event-like.ts`).
 */
const runUntil = z.union([
  z.literal('gicAccess'),
  z.number().check(z.minimum(0)),
  z.object({ intid: z.int().check(z.minimum(0)) }),
  z.object({ line: z.string().check(z.minLength(1), z.maxLength(MAX_LINE)) }),
  z.object({
    like: z.object({
      kind: z.enum(EVENT_NAMES),
      about: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    }),
  }),
])
export type RunUntil = z.infer<typeof runUntil>

export const command = z.discriminatedUnion('command', [
  /** A file of a guest, for builds that name it. Of two with one name the later is kept. */
  z.object({ command: z.literal('keepFile'), name: z.string(), bytes }),
  z.object({ command: z.literal('build'), blueprint, guest: namedGuest, engine: z.enum(ENGINES), run: z.boolean() }),
  /** The machine as it is, as a file. */
  z.object({ command: z.literal('snapshot') }),
  /** What is in such a file, and how it differs from the machine that runs. */
  z.object({ command: z.literal('readSnapshot'), file: bytes }),
  /**
   * Goes on with a machine; `onto`: the document whose rule set, base and host it goes on under; `order`: in which order,
   * as text (`pure/image/order-text.ts`), instead of the documented one.
   */
  z.object({
    command: z.literal('restore'),
    file: bytes,
    engine: z.enum(ENGINES),
    onto: z.exactOptional(blueprint),
    order: z.exactOptional(z.string().check(z.maxLength(MAX_ORDER))),
  }),
  z.object({ command: z.literal('run') }),
  z.object({ command: z.literal('pause') }),
  /** One CPU runs alone; the machine is paused before and after. */
  z.object({
    command: z.literal('step'),
    cpu: z.int().check(z.minimum(0)),
    count: z.int().check(z.minimum(1), z.maximum(MAX_STEPS)),
  }),
  z.object({ command: z.literal('runTo'), until: runUntil }),
  /**
   * The machine begins anew as it did, and runs to a moment of virtual time (nanoseconds): the same run, with what was
   * typed, called and done to its CPUs by hand at the moments at which it was done.
   */
  z.object({ command: z.literal('rerun'), until: z.number().check(z.minimum(0)) }),
  z.object({ command: z.literal('freeze'), cpu: z.int().check(z.minimum(0)), frozen: z.boolean() }),
  /** All of them, and of the machines of later boots too. */
  z.object({ command: z.literal('breakpoints'), addresses: z.array(z.bigint()).check(z.maxLength(MAX_BREAKPOINTS)) }),
  /** Virtual time per wall time, at most; none: as fast as it goes. */
  z.object({ command: z.literal('speed'), limit: z.exactOptional(z.number().check(z.positive())) }),
  z.object({ command: z.literal('power'), action: z.enum(['off', 'reset']) }),
  z.object({ command: z.literal('input'), bytes }),
  z.object({ command: z.literal('call'), call: kvmCall }),
  /** An SGI by hand, as if the CPU wrote the register. */
  z.object({
    command: z.literal('sendSgi'),
    cpu: z.int().check(z.minimum(0)),
    register: z.enum(SGI_REGISTERS),
    value: z.bigint().check(z.minimum(0n), z.maximum(0xffff_ffff_ffff_ffffn)),
  }),
  z.object({ command: z.literal('kernelLog') }),
  /** `interruptsOf`: the vCPU whose interrupts are told one by one. */
  z.object({ command: z.literal('watch'), machine: z.boolean(), interruptsOf: z.exactOptional(z.number()) }),
  /** Which events the worker tells from now on. */
  z.object({ command: z.literal('trace'), kinds: z.array(z.enum(EVENT_NAMES)) }),
  /** Looks at registers of a CPU; changes nothing. */
  z.object({
    command: z.literal('peek'),
    cpu: z.int().check(z.minimum(0)),
    what: z.array(peek).check(z.maxLength(MAX_PEEKS)),
  }),
  /** Who wrote a system register of a CPU last. */
  z.object({ command: z.literal('lastWrite'), cpu: z.int().check(z.minimum(0)), encoding }),
  z.object({ command: z.literal('cpu'), cpu: z.int().check(z.minimum(0)) }),
  /** The addresses of what has this name in the guest's kernel. */
  z.object({ command: z.literal('symbol'), name: z.string() }),
  z.object({ command: z.literal('symbolsAt'), addresses: z.array(z.bigint()).check(z.maxLength(1024)) }),
  /** KVM's text about the vGIC. */
  z.object({ command: z.literal('vgicState') }),
  z.object({ command: z.literal('stats') }),
])
export type Command = z.infer<typeof command>
export type CommandName = Command['command']

/** What is handed over to the worker or to the page, and not copied: a copy of a kernel would hold the page up. */
export const handedOver = (message: Command | AnswerTo<CommandName>): readonly ArrayBufferLike[] => {
  if ('file' in message) return [message.file.buffer]
  return 'command' in message && message.command === 'keepFile' ? [message.bytes.buffer] : []
}

const isErrno = (value: unknown): value is Errno => typeof value === 'string' && Object.hasOwn(ERRNO, value)

const kvmRefusal = z.object({
  ok: z.literal(false),
  errno: z.custom<Errno>(isErrno),
  why: z.string(),
  source: z.string(),
})

const kvmAnswer: z.ZodMiniType<KvmAnswer> = z.union([
  z.object({
    ok: z.literal(true),
    value: z.exactOptional(z.bigint()),
    list: z.exactOptional(z.array(z.bigint())),
    note: z.exactOptional(z.string()),
  }),
  kvmRefusal,
])

const planCall = z.object({ call: kvmCall, answer: kvmAnswer })
export type PlanCall = z.infer<typeof planCall>

/** Who wrote a system register last: an MSR, or the hardware as it took an exception; where, and when (virtual nanoseconds). */
const lastWrite = z.object({
  by: z.enum(['MSR', 'exception']),
  pc: z.bigint(),
  at: z.number(),
  /** What the kernel calls the place. */
  symbol: z.exactOptional(z.string()),
})
export type LastWriteView = z.infer<typeof lastWrite>

/** A register, of which one side may have none. */
const difference = z.object({
  what: z.string(),
  before: z.exactOptional(z.bigint()),
  after: z.exactOptional(z.bigint()),
})
export type RegisterDifference = z.infer<typeof difference>

/** Where a restore ended: the call, what it should have brought back, the value wanted, and the one that is there. */
const restoreStop = z.object({
  what: z.string(),
  call: kvmCall,
  answer: kvmRefusal,
  wanted: z.exactOptional(z.bigint()),
  had: z.exactOptional(z.bigint()),
})
export type RestoreStopView = z.infer<typeof restoreStop>

const refused = z.object({ ok: z.literal(false), what: z.string() })
const done = z.union([z.object({ ok: z.literal(true) }), refused])

const built = z.union([
  z.object({ ok: z.literal(true), calls: z.array(planCall) }),
  z.extend(refused, { calls: z.exactOptional(z.array(planCall)) }),
])

const schemas = {
  keepFile: done,
  build: built,
  rerun: built,
  snapshot: z.union([z.object({ ok: z.literal(true), file: ownBytes }), refused]),
  readSnapshot: z.union([
    z.object({
      ok: z.literal(true),
      blueprint,
      virtualNs: z.number(),
      /** By register, running and saved; some of `total`. None: no machine runs. */
      differences: z.exactOptional(z.array(difference)),
      total: z.number(),
    }),
    refused,
  ]),
  restore: z.union([
    z.object({ ok: z.literal(true), blueprint, calls: z.array(planCall) }),
    z.extend(refused, { calls: z.exactOptional(z.array(planCall)), stop: z.exactOptional(restoreStop) }),
  ]),
  run: done,
  pause: done,
  step: done,
  runTo: done,
  freeze: done,
  breakpoints: done,
  speed: done,
  power: done,
  input: done,
  call: z.union([z.object({ ok: z.literal(true), answer: kvmAnswer }), refused]),
  /** `what`: who got it and who did not. */
  sendSgi: z.union([z.object({ ok: z.literal(true), what: z.string() }), refused]),
  kernelLog: kernelLogView,
  watch: done,
  trace: done,
  vgicState: z.union([z.object({ ok: z.literal(true), text: z.string() }), refused]),
  peek: z.union([z.object({ ok: z.literal(true), values: z.array(kvmAnswer) }), refused]),
  lastWrite: z.union([z.object({ ok: z.literal(true), write: z.exactOptional(lastWrite) }), refused]),
  cpu: z.union([z.object({ ok: z.literal(true), detail: cpuDetail }), refused]),
  symbol: z.union([z.object({ ok: z.literal(true), addresses: z.array(z.bigint()) }), refused]),
  symbolsAt: z.union([z.object({ ok: z.literal(true), names: z.array(z.optional(z.string())) }), refused]),
  stats: z.union([z.object({ ok: z.literal(true), stats: z.record(z.string(), z.unknown()) }), refused]),
} as const satisfies Record<CommandName, z.ZodMiniType>

type Answers = { [Name in CommandName]: z.infer<(typeof schemas)[Name]> }
export type AnswerTo<Name extends CommandName> = Answers[Name]

/** The answer to each command. */
export const answers: { readonly [Name in CommandName]: z.ZodMiniType<AnswerTo<Name>> } = schemas
