/** Runs a guest in equal steps of virtual time, so that whoever looks between them sees the same in every run. */
import { performance } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import type { Options } from '../../src/cli/options.ts'
import { Script } from '../../src/cli/script.ts'
import type { Source, Start } from '../../src/cli/source.ts'
import type { Vmm } from '../../src/engine/vmm/vmm.ts'

/** Virtual nanoseconds, that is instructions where a CPU runs. Odd, so as not to keep step with loops. */
export const STEP_NS = 20_011

/** V8 tells its profiler of newly optimised WebAssembly when nothing else runs; what it has not told of counts for the caller. */
const TURN_MS = 10

export interface GuestRun {
  readonly source: Extract<Source, { ok: true }>
  readonly options: Options
  readonly start: Pick<Start, 'trace' | 'metered' | 'wallClockSeconds'>
  /** Virtual seconds after which it ends, if nothing ended it before. */
  readonly seconds: number
  readonly echo: boolean
  /** Once the machine is there, before its first instruction. */
  readonly begin?: (vmm: Vmm) => Promise<void>
  /** After each step, which took so many milliseconds of the host. */
  readonly look: (vmm: Vmm, ms: number) => void
}

/** Ends with the machine as it is at the last `--until`, at the end of the time, or when the guest is off. */
export const runGuest = async ({ source, options, start, seconds, echo, begin, look }: GuestRun): Promise<Vmm> => {
  const script = new Script(options.script)
  const typed: string[] = []
  const onConsole = (bytes: Uint8Array): void => {
    if (echo) process.stdout.write(Uint8Array.from(bytes))
    const text = script.feed(bytes)
    if (text !== '') typed.push(text)
  }
  const made = source.make({ ...start, engine: options.engine, onConsole })
  if (!made.ok) throw new Error(made.what)
  const { vmm } = made
  await begin?.(vmm)
  const deadline = options.timeoutSeconds === undefined ? Infinity : performance.now() + options.timeoutSeconds * 1000
  const end = vmm.now() + seconds * 1e9
  let turned = performance.now()
  for (;;) {
    const before = performance.now()
    const why = vmm.run(STEP_NS, STEP_NS, true)
    const now = performance.now()
    look(vmm, now - before)
    for (const text of typed.splice(0)) vmm.input(new TextEncoder().encode(text))
    if (script.done || vmm.now() >= end || now > deadline) return vmm
    if (why === 'off' || why === 'stuck' || why === 'reset') return vmm
    if (now - turned < TURN_MS) continue
    await setImmediate()
    turned = performance.now()
  }
}
