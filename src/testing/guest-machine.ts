/** The prepared guests in our machine: starts one, types at its console, and waits for what it prints. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { guestFiles } from '../cli/guest-files.ts'
import { parseOptions } from '../cli/options.ts'
import { restoreVmm } from '../engine/vmm/restore-vmm.ts'
import { createVmm } from '../engine/vmm/vmm.ts'
import type { RestoreOptions } from '../engine/vmm/restore-vmm.ts'
import type { GuestFiles, RunEnd, Vmm, VmmOptions } from '../engine/vmm/vmm.ts'
import { defaultBlueprint } from '../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../pure/blueprint/blueprint.ts'
import { writeCpio } from '../pure/blueprint/cpio.ts'
import type { CpioEntry } from '../pure/blueprint/cpio.ts'
import type { TraceBatch } from '../pure/trace/ring.ts'

export type GuestId = 'linux-6.1' | 'linux-6.12' | 'gicsh'

/** Set-up fetches the Linux guests, which not every machine can; tests that need them are left out there. */
export const hasLinux = existsSync(join(import.meta.dirname, '../../public/guests/linux/manifest.json'))
if (!hasLinux) console.warn('the tests that boot Linux are skipped: "npm run setup" has not prepared it')

const SECOND = 1e9
/** Virtual nanoseconds between two looks at the console. */
const STEP = 5e6
/** More than any boot here takes: one that needs more hangs. */
const MAX_INSTRUCTIONS = 3e9
const TAIL = 1500

export interface GuestOptions extends Partial<Pick<VmmOptions, 'engine' | 'thresholds'>> {
  readonly guest: GuestId
  /** What differs from the default blueprint. */
  readonly blueprint?: Partial<Blueprint>
  /** Gets the events of each turn; without it the machine is not traced. */
  readonly onTrace?: (batch: TraceBatch) => void
  /** Files of the root file system besides the prepared ones. */
  readonly files?: readonly CpioEntry[]
  /** Kernel parameters besides the prepared ones. */
  readonly append?: string
  /** Kernel parameters of the prepared ones that are not wanted, by name. */
  readonly without?: readonly string[]
  readonly maxInstructions?: number
  /** Goes on with a saved machine instead of booting one; `onto` another host or rule set. */
  readonly restore?: Pick<RestoreOptions, 'snapshot' | 'onto' | 'order'>
}

const prepared = new Map<GuestId, GuestFiles>()

/** The files of a guest, the kernel unpacked once for all machines. */
export function filesOf(id: GuestId): GuestFiles {
  const known = prepared.get(id)
  if (known !== undefined) return known
  const parsed = parseOptions([])
  if (!parsed.ok) throw new Error(parsed.what)
  const found = guestFiles({ ...defaultBlueprint, guest: { id, append: '' } }, parsed.options)
  if (!found.ok) throw new Error(found.what)
  prepared.set(id, found.files)
  return found.files
}

/** Archives behind each other, each at a multiple of four bytes. */
function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const at = Math.ceil(first.length / 4) * 4
  const all = new Uint8Array(at + second.length)
  all.set(first)
  all.set(second, at)
  return all
}

export class GuestMachine {
  readonly vmm: Vmm
  private readonly prompt: string
  private readonly maxInstructions: number
  private readonly onTrace: (batch: TraceBatch) => void
  private raw = ''
  /** How much of the console was waited for already. */
  private seen = 0
  private end: RunEnd = 'time'

  constructor(o: GuestOptions) {
    const files = filesOf(o.guest)
    const append = files.append.split(' ').filter((word) => !(o.without ?? []).includes(word.split('=')[0] ?? ''))
    // The kernel unpacks one archive after the other.
    const { initrd } = files
    const more = o.files === undefined ? undefined : writeCpio(o.files)
    const root = more === undefined || initrd === undefined ? {} : { initrd: joined(initrd, more) }
    const start: Pick<VmmOptions, 'engine' | 'thresholds' | 'onConsole' | 'trace'> = {
      engine: o.engine ?? 'translator',
      ...(o.thresholds === undefined ? {} : { thresholds: o.thresholds }),
      onConsole: (bytes) => {
        this.raw += Buffer.from(bytes).toString('latin1')
      },
      trace: o.onTrace !== undefined,
    }
    const made =
      o.restore === undefined
        ? createVmm({
            ...start,
            blueprint: { ...defaultBlueprint, ...o.blueprint, guest: { id: o.guest, append: o.append ?? '' } },
            guest: { ...files, ...root, append: append.join(' ') },
          })
        : restoreVmm({ ...start, ...o.restore })
    if (!made.ok) throw new Error(made.what)
    this.vmm = made.vmm
    this.prompt = o.guest === 'gicsh' ? 'gicsh> ' : 'guest:~# '
    this.onTrace = o.onTrace ?? (() => {})
    this.maxInstructions = o.maxInstructions ?? MAX_INSTRUCTIONS
  }

  /** All that was printed, without colours, with plain newlines. */
  get console(): string {
    // oxlint-disable-next-line no-control-regex -- that is how a terminal's colours begin
    return this.raw.replaceAll(/\u001b\[[0-9;?]*[a-zA-Z]/g, '').replaceAll('\r', '')
  }

  /** Why the guest stopped, or that it has not. */
  get ended(): RunEnd {
    return this.end
  }

  type(text: string): void {
    this.vmm.input(new TextEncoder().encode(text))
  }

  /** Runs until `done`, looked at each `step` nanoseconds; says whether that came to be before the guest's time was up. */
  runUntil(done: () => boolean, maxVirtualSeconds: number, step = STEP): boolean {
    const limit = this.vmm.now() + maxVirtualSeconds * SECOND
    while (!done()) {
      if (this.vmm.now() >= limit || this.vmm.stats().instructions > this.maxInstructions) return false
      this.end = this.vmm.run(Math.min(step, limit - this.vmm.now()), Infinity)
      this.drain()
      if (this.end !== 'time') return done()
    }
    return true
  }

  /** Hands on what the trace holds; for whoever runs the machine himself. */
  readonly drain = (): void => {
    const batch = this.vmm.takeTrace()
    if (batch !== undefined) this.onTrace(batch)
  }

  /** Runs until the console shows `text` behind what was waited for before; hands back what stands before it. */
  until(text: string, maxVirtualSeconds = 3): string {
    const from = this.seen
    if (!this.runUntil(() => this.console.includes(text, from), maxVirtualSeconds)) {
      throw new Error(
        `no ${JSON.stringify(text)} after ${(this.vmm.now() / SECOND).toFixed(3)} virtual seconds and ` +
          `${this.vmm.stats().instructions} instructions (${this.end}); the console ends with\n${this.console.slice(-TAIL)}`,
      )
    }
    const { console } = this
    const at = console.indexOf(text, from)
    this.seen = at + text.length
    return console.slice(from, at)
  }

  /** To the shell's first prompt. */
  boot(maxVirtualSeconds = 3): this {
    this.until(this.prompt, maxVirtualSeconds)
    return this
  }

  /** What a command prints, the kernel's own messages included. */
  shell(line: string, maxVirtualSeconds = 3): string {
    this.type(`${line}\r`)
    this.until(`${line}\n`, maxVirtualSeconds)
    return this.until(this.prompt, maxVirtualSeconds)
  }

  /** Runs until the guest ends. */
  untilEnd(maxVirtualSeconds = 3): RunEnd {
    this.runUntil(() => false, maxVirtualSeconds)
    return this.end
  }
}
