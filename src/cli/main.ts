/** The headless runner: `npm run vm -- --help`. */
import { enableWebAssemblyFeatures } from './webassembly.ts'
import { writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Made, Vmm } from '../engine/vmm/vmm.ts'
import { helpText, parseOptions } from './options.ts'
import type { Options } from './options.ts'
import { Script } from './script.ts'
import { sourceOf } from './source.ts'
import { openTerminal } from './terminal.ts'
import { TraceFile } from './trace-file.ts'

const STATUS = { done: 0, stopped: 1, usage: 2, timeout: 124 } as const

interface End {
  readonly status: number
  /** Why, where the console does not say it. */
  readonly what?: string
}

const NS_PER_MS = 1e6
/** How long the guest runs before input and timeout are looked at. */
const CHUNK_MS = 5
const CHUNK_NS = { first: 1e6, least: 1e5, most: 1e9 } as const
/** How far time may lag behind the wall before the rest is given up: a slow guest does not race afterwards. */
const MAX_LAG_NS = 100 * NS_PER_MS

const textBytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Runs until something ends it. A guest that resets gets a new machine, as a VMM does it. */
const runGuest = async (
  first: Vmm,
  again: () => Made,
  options: Options,
  script: Script,
  typed: string[],
  trace: TraceFile | undefined,
): Promise<{ end: End; vmm: Vmm }> => {
  let vmm = first
  let left = false
  const terminal = openTerminal(
    (bytes) => vmm.input(bytes),
    () => (left = true),
  )
  const started = performance.now()
  const deadline = options.timeoutSeconds === undefined ? Infinity : started + options.timeoutSeconds * 1000
  let chunk: number = CHUNK_NS.first
  let wall = started
  let lag = 0

  const step = async (): Promise<End | undefined> => {
    const before = performance.now()
    lag = Math.min(MAX_LAG_NS, lag + (before - wall) * NS_PER_MS)
    wall = before
    const virtual = vmm.now()
    const why = vmm.run(chunk, terminal.interactive ? lag : Infinity)
    trace?.take(vmm)
    lag = Math.max(0, lag - (vmm.now() - virtual))
    const took = performance.now() - before
    if (why === 'time') chunk = clamp(chunk * clampFactor(CHUNK_MS / Math.max(took, 0.1)))
    const answers = typed.splice(0)
    for (const text of answers) vmm.input(textBytes(text))
    if (script.done || left || why === 'off') return { status: STATUS.done }
    if (performance.now() > deadline) {
      return { status: STATUS.timeout, what: `The guest was still running after ${options.timeoutSeconds} seconds.` }
    }
    if (why === 'stuck')
      return { status: STATUS.stopped, what: 'Every vCPU is off, and the guest has not powered off.' }
    if (why === 'reset') {
      trace?.nextMachine()
      const next = again()
      if (!next.ok) return { status: STATUS.stopped, what: next.what }
      vmm = next.vmm
    }
    if (why !== 'idle' || answers.length > 0) await setImmediate()
    else if (terminal.ended() && !terminal.interactive) {
      return { status: STATUS.stopped, what: 'Every vCPU waits, and nothing is left that could wake one.' }
    } else await setTimeout(CHUNK_MS)
    return undefined
  }

  for (;;) {
    const end = await step()
    if (end === undefined) continue
    terminal.close()
    return { end, vmm }
  }
}

const clamp = (ns: number): number => Math.round(Math.min(CHUNK_NS.most, Math.max(CHUNK_NS.least, ns)))
const clampFactor = (factor: number): number => Math.min(2, Math.max(0.25, factor))

/** `dmesg --raw`. */
const kernelLogText = (vmm: Vmm): string => {
  const log = vmm.kernelLog()
  if (!log.ok) {
    console.error(log.what)
    return ''
  }
  return log.lines.map(({ level, seconds: at, text }) => `<${level}>[${at.toFixed(6).padStart(12)}] ${text}\n`).join('')
}

const statsText = (vmm: Vmm, wallSeconds: number, end: End): string => {
  const { undefinedWords, ...stats } = vmm.stats()
  const figures = {
    status: end.status,
    wallSeconds,
    virtualSeconds: stats.virtualNs / 1e9,
    mips: stats.instructions / wallSeconds / 1e6,
    ...stats,
    undefinedWords: undefinedWords.map(([word, count]) => ({ word: `0x${word.toString(16).padStart(8, '0')}`, count })),
  }
  return `${JSON.stringify(figures, undefined, 2)}\n`
}

const writeOutput = (file: string | undefined, content: () => string | Uint8Array): boolean => {
  if (file === undefined) return true
  try {
    writeFileSync(file, content())
    return true
  } catch (error) {
    console.error(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
    return false
  }
}

const writeSnapshotFile = (vmm: Vmm, file: string | undefined): boolean => {
  if (file === undefined) return true
  const saved = vmm.snapshot()
  if (saved.ok) return writeOutput(file, () => saved.file)
  console.error(saved.what)
  return false
}

const run = async (argv: readonly string[]): Promise<End> => {
  const parsed = parseOptions(argv)
  if (!parsed.ok) return { status: STATUS.usage, what: parsed.what }
  const { options } = parsed
  if (options.help) {
    console.log(helpText())
    return { status: STATUS.done }
  }
  const script = new Script(options.script)
  // Typed after the slice that wrote: the machine is not entered twice.
  const typed: string[] = []
  const onConsole = (bytes: Uint8Array): void => {
    process.stdout.write(Uint8Array.from(bytes))
    const text = script.feed(bytes)
    if (text !== '') typed.push(text)
  }
  const opened = options.trace === undefined ? undefined : TraceFile.open(options.trace)
  if (opened?.ok === false) return { status: STATUS.usage, what: opened.what }
  const trace = opened?.trace
  const source = sourceOf(options)
  if (!source.ok) return { status: STATUS.usage, what: source.what }
  const start = { onConsole, engine: options.engine, trace: trace !== undefined }
  const made = source.make(start)
  if (!made.ok) return { status: STATUS.usage, what: made.what }
  const again = (): Made => source.again(start)
  const started = performance.now()
  const { end, vmm } = await runGuest(made.vmm, again, options, script, typed, trace)
  const wallSeconds = (performance.now() - started) / 1000
  trace?.close()
  if (trace !== undefined && trace.lost > 0)
    console.error(`${trace.lost} events came too fast and are not in the trace.`)
  const written = [
    writeOutput(options.kernelLog, () => kernelLogText(vmm)),
    writeOutput(options.vgicState, () => vmm.vgicState()),
    writeOutput(options.stats, () => statsText(vmm, wallSeconds, end)),
    writeSnapshotFile(vmm, options.snapshot),
  ]
  return written.every(Boolean) ? end : { ...end, status: STATUS.usage }
}

// A reader of the console that has gone away (`| head`) is no mistake of the guest's.
process.stdout.on('error', () => process.exit(STATUS.done))
enableWebAssemblyFeatures()
const end = await run(process.argv.slice(2))
if (end.what !== undefined) console.error(end.what)
process.exitCode = end.status
