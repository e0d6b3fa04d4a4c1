/**
 * What a person does to a machine that its guest may notice, and when: a run whose deeds are known can be had again to the
 * bit. How a machine is looked at, paused or hurried is no deed, as it changes nothing in the run.
 */
import type { AnswerTo, Command } from '../../pure/protocol/commands.ts'
import type { Hosted } from './hosted.ts'

type DeedName = 'input' | 'call' | 'sendSgi' | 'freeze' | 'step'

export type Deed =
  | Extract<Command, { command: DeedName }>
  /** Tables and pending LPIs were written to guest RAM, as KVM does it when a VM with an ITS is saved. */
  | { readonly command: 'save' }

/** A deed, and where in the run it was done. */
interface Done {
  readonly deed: Deed
  /** Virtual nanoseconds. */
  readonly at: number
  /** Executed by all CPUs together. */
  readonly instructions: number
}

/** Bytes of deeds that are kept: what is typed without end is not kept without end. */
export const MOST_BYTES = 4 * 2 ** 20
/** What a deed takes beside what is in it. */
const DEED_BYTES = 100

const bytesOf = (deed: Deed): number => {
  if (deed.command === 'input') return DEED_BYTES + deed.bytes.length
  const routes = deed.command === 'call' && deed.call.call === 'KVM_SET_GSI_ROUTING' ? deed.call.routes.length : 0
  return DEED_BYTES * (1 + routes)
}

const seconds = (nanoseconds: number): string => `${(nanoseconds / 1e9).toFixed(9)} s`

const sentence = (what: string | undefined): AnswerTo<'freeze'> =>
  what === undefined ? { ok: true } : { ok: false, what }

const act = (vmm: Hosted, deed: Deed): AnswerTo<DeedName> => {
  switch (deed.command) {
    case 'input':
      vmm.input(deed.bytes)
      return { ok: true }
    case 'call':
      return { ok: true, answer: vmm.call(deed.call) }
    case 'sendSgi':
      return vmm.sendSgi(deed.cpu, deed.register, deed.value)
    case 'freeze':
      return sentence(vmm.freeze(deed.cpu, deed.frozen))
    case 'step':
      return sentence(vmm.step(deed.cpu, deed.count))
    case 'save':
      vmm.image()
      return { ok: true }
    default:
      return deed satisfies never
  }
}

export class Deeds {
  private readonly all: Done[]
  /** How many of them the machine has seen: all, unless it is on its way to a moment of a run before. */
  private seen = 0
  private bytes = 0
  /** When the first was done that is not kept. */
  private lostAt: number | undefined

  constructor(all: readonly Done[] = []) {
    this.all = [...all]
    for (const { deed } of all) this.bytes += bytesOf(deed)
  }

  /** Does something to a machine. What was still to be repeated is not: from here on it is another run. */
  do(vmm: Hosted, deed: Deed): AnswerTo<DeedName> {
    for (const { deed: dropped } of this.all.splice(this.seen)) this.bytes -= bytesOf(dropped)
    const bytes = bytesOf(deed)
    const at = vmm.now()
    if (this.bytes + bytes > MOST_BYTES) this.lostAt ??= at
    if (this.lostAt === undefined) {
      this.all.push({ deed, at, instructions: vmm.stats().instructions })
      this.bytes += bytes
      this.seen++
    }
    return act(vmm, deed)
  }

  /** When the next is to be repeated. */
  get nextAt(): number {
    return this.all[this.seen]?.at ?? Infinity
  }

  /** Repeats what was done at this place of the run; says what is wrong where it is another place, and repeats no more. */
  repeat(vmm: Hosted): string | undefined {
    for (;;) {
      const next = this.all[this.seen]
      if (next === undefined || next.at > vmm.now()) return undefined
      const { instructions } = vmm.stats()
      if (next.at !== vmm.now() || next.instructions !== instructions) {
        this.all.length = this.seen
        return `The run cannot be repeated further: it is at ${seconds(vmm.now())} and ${instructions} instructions, and what was done then was done at ${seconds(next.at)} and ${next.instructions}.`
      }
      this.seen++
      act(vmm, next.deed)
    }
  }

  /** What is to be repeated on the way to a moment, or why that is not known. What was done at the moment itself is not. */
  before(moment: number): { readonly ok: true; readonly deeds: Deeds } | { readonly ok: false; readonly what: string } {
    const { lostAt } = this
    if (lostAt !== undefined && lostAt < moment) {
      const kept = `${MOST_BYTES / 2 ** 20} MiB`
      return {
        ok: false,
        what: `More was typed and called than is kept (${kept}): this run can be repeated up to ${seconds(lostAt)}.`,
      }
    }
    return { ok: true, deeds: new Deeds(this.all.filter(({ at }) => at < moment)) }
  }
}
