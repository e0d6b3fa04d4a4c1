/**
 * Where the host's time goes while a guest runs, by V8's own sampling profiler: nothing is built into the engine for it,
 * and a run that is not profiled is the same code.
 */
import { Session } from 'node:inspector/promises'
import type { Profiler } from 'node:inspector'
import { performance } from 'node:perf_hooks'
import { cpuMs, isMainThread } from '../bench/places/cpu-clock.ts'

/** Microseconds between two samples. */
const INTERVAL = 500

interface Part {
  readonly part: string
  /** Of a function's URL, and where that is not enough, of its name. */
  readonly url: RegExp
  readonly name?: RegExp
}

const engine = (part: string, files: string): Part => ({ part, url: new RegExp(`/src/engine/(?:${files})`) })

/** Not the engine's, and not told. */
const LEFT_OUT = 'the profile itself'

/**
 * The parts of the engine, by where their code lies. A function belongs to the first row that fits it, or else to what its
 * caller belongs to: what several parts use (emitters, tables of instructions) counts for who uses it.
 */
const PARTS: readonly Part[] = [
  { part: 'interpreter', url: /^wasm:\/\/wasm\/interpreter-/ },
  { part: 'compiled regions', url: /^wasm:\/\/wasm\/regions-/ },
  { part: 'WebAssembly compile', url: /^$/, name: /^(?:Module|Instance)$/ },
  { part: 'garbage collector', url: /^$/, name: /^\(garbage collector\)$/ },
  { part: 'not running', url: /^$/, name: /^\(idle\)$/ },
  { part: "V8's own", url: /^$/, name: /^\(program\)$/ },
  engine('translator', 'cpu/translator/'),
  engine('decoding', 'cpu/code-cache'),
  engine('memory: TLB misses, walks, faults', 'cpu/(?:memory-access|soft-tlb|mmu/)'),
  engine('floating point and crypto helpers', 'cpu/(?:float/|crypto/|vector-helpers)'),
  engine('system registers', 'cpu/(?:system-helpers|sysreg-file|pmu|debug)'),
  engine('driver: slices, exceptions', 'cpu/(?:core|exceptions|state)'),
  engine('GIC', 'gic/'),
  engine('devices and timers', '(?:devices|bus)/'),
  engine('machine: who runs when', 'machine/'),
  engine('KVM and VMM', '(?:kvm|vmm)/'),
  { part: LEFT_OUT, url: /\/scripts\/profile/ },
]
const REST = 'other'

export interface FunctionTime {
  readonly part: string
  readonly name: string
  /** Milliseconds, in the function itself. */
  readonly ms: number
}

export interface HostTime {
  /** The part of the wall's time in which this thread had a processor: by it all times here are less than the wall's. */
  readonly share: number
  /** Milliseconds by part. */
  readonly parts: ReadonlyMap<string, number>
  readonly functions: readonly FunctionTime[]
}

const partOf = ({ url, functionName }: Profiler.ProfileNode['callFrame']): string | undefined =>
  PARTS.find((row) => row.url.test(url) && (row.name?.test(functionName) ?? true))?.part

/** Self time by part and by function; `share`: of the samples' time that counts. */
export const summarize = (
  { nodes, samples = [], timeDeltas = [] }: Profiler.Profile,
  share = 1,
): Pick<HostTime, 'parts' | 'functions'> => {
  const self = new Map<number, number>()
  samples.forEach((node, i) => self.set(node, (self.get(node) ?? 0) + ((timeDeltas[i] ?? 0) * share) / 1000))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parts = new Map<string, number>()
  const functions = new Map<string, FunctionTime>()
  const visit = (node: Profiler.ProfileNode, caller: string): void => {
    const part = partOf(node.callFrame) ?? caller
    const ms = self.get(node.id) ?? 0
    parts.set(part, (parts.get(part) ?? 0) + ms)
    const { functionName, url } = node.callFrame
    const name = `${functionName === '' ? '(unnamed)' : functionName} ${url.split('/').at(-1) ?? ''}`.trim()
    const key = `${part} ${name}`
    functions.set(key, { part, name, ms: (functions.get(key)?.ms ?? 0) + ms })
    for (const id of node.children ?? []) {
      const child = byId.get(id)
      if (child !== undefined) visit(child, part)
    }
  }
  const [root] = nodes
  if (root !== undefined) visit(root, REST)
  parts.delete(LEFT_OUT)
  return {
    parts,
    functions: [...functions.values()].filter(({ part }) => part !== LEFT_OUT).toSorted((a, b) => b.ms - a.ms),
  }
}

/** The processor time of this thread, of the time since `before`: beside other jobs the wall's clock says little. */
const shareOfProcessor = (before: { cpu: number; wall: number }): number =>
  (cpuMs(process.pid, isMainThread) - before.cpu) / (performance.now() - before.wall)

/** What runs until the answer is called is sampled. */
export const sampleHost = async (): Promise<() => Promise<HostTime>> => {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: INTERVAL })
  await session.post('Profiler.start')
  const before = { cpu: cpuMs(process.pid, isMainThread), wall: performance.now() }
  return async () => {
    const share = shareOfProcessor(before)
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    return { ...summarize(profile, share), share }
  }
}
