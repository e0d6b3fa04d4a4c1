/** Who may import whom. ARCHITECTURE.md explains the table; this holds the code to it. */
import { readFileSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, it } from 'vitest'

const SOURCE = join(import.meta.dirname, '..')

/** Every part of the pure knowledge, from left to right: each may read what stands before it. */
const PURE = ['pure/arch', 'pure/uapi', 'pure/trace', 'pure/blueprint', 'pure/image', 'pure/rules']
const UNITS = ['engine/bus', 'engine/wasm', 'engine/cpu', 'engine/gic', 'engine/devices']

interface Layer {
  /** Folders or files of ours, as prefixes. A layer may always import itself. */
  readonly own: readonly string[]
  /** Packages. `node:` stands for all of Node. */
  readonly packages: readonly string[]
}

const layer = (own: readonly string[], packages: readonly string[] = []): Layer => ({ own, packages })

/** By the longest prefix of a file's path. */
const LAYERS: Readonly<Record<string, Layer>> = {
  base: layer([]),
  'pure/arch': layer(['base']),
  'pure/uapi': layer(['base', 'pure/arch']),
  'pure/trace': layer(['base', 'pure/arch', 'pure/uapi']),
  'pure/blueprint': layer(['base', 'pure/arch', 'pure/uapi']),
  'pure/image': layer(['base', 'pure/arch', 'pure/uapi', 'pure/blueprint']),
  'pure/rules': layer(['base', 'pure/arch', 'pure/uapi', 'pure/trace', 'pure/blueprint']),
  'pure/scenarios': layer(['base', ...PURE]),
  'pure/protocol': layer(['base', ...PURE, 'pure/scenarios'], ['zod']),
  'engine/wasm': layer(['base']),
  'engine/bus': layer(['base', 'pure/arch', 'pure/trace']),
  'engine/cpu': layer(['base', 'pure/arch', 'engine/bus', 'engine/wasm']),
  'engine/gic': layer(['base', 'pure/arch', 'pure/rules/points.ts', 'pure/rules/identity-writes.ts', 'engine/bus']),
  'engine/devices': layer(['base', 'pure/arch', 'engine/bus']),
  'engine/machine': layer(['base', 'pure/arch', 'pure/trace', ...UNITS]),
  'engine/kvm': layer(['base', ...PURE, ...UNITS, 'engine/machine']),
  'engine/vmm': layer(['base', ...PURE, ...UNITS, 'engine/machine', 'engine/kvm'], ['fflate']),
  'engine/worker': layer(['base', ...PURE, 'pure/protocol', ...UNITS, 'engine/machine', 'engine/kvm', 'engine/vmm']),
  cli: layer(['base', 'pure', 'engine/vmm'], ['node:', 'zod']),
  'app/session': layer(['base', 'pure'], ['zod', 'zustand/vanilla', 'fflate']),
  'app/widgets': layer(
    ['base', 'pure/arch', 'pure/uapi', 'pure/rules', 'pure/blueprint'],
    ['react', 'lucide-react', 'radix-ui', '@tanstack/'],
  ),
  'app/panes': layer(
    ['base', 'pure', 'app/session', 'app/session-context.ts', 'app/widgets', 'app/style'],
    ['react', 'lucide-react', 'radix-ui', 'zustand', '@tanstack/', '@xterm/', 'react-resizable-panels'],
  ),
  app: layer(
    ['base', 'pure', 'app'],
    ['react', 'react-dom', 'lucide-react', 'radix-ui', 'zustand', 'react-resizable-panels'],
  ),
  'main.ts': layer(['app', 'engine/worker/entry.ts']),
}

/** Tests, and what only tests use, may import anything; nothing else may import them. */
const isForTests = (file: string): boolean => /\.(test|bench)\.tsx?$/.test(file) || file.startsWith('testing/')

interface Import {
  readonly line: number
  readonly specifier: string
}

/** `import … from`, `export … from`, `import(…)` and `new URL(…, import.meta.url)`. */
const IMPORT = /(?:\bfrom\s+|\bimport\s*\(?\s*|\bnew URL\(\s*)'([^'\n]+)'/g

const importsOf = (text: string): readonly Import[] =>
  [...withoutComments(text).matchAll(IMPORT)].map((match) => ({
    line: text.slice(0, match.index).split('\n').length,
    specifier: match[1] ?? '',
  }))

/** Comments as blanks, so that lines and places stay. */
const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, ' '))

const isWithin = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`)

const layerOf = (file: string): string | undefined =>
  Object.keys(LAYERS)
    .filter((name) => isWithin(file, name))
    .toSorted((a, b) => b.length - a.length)[0]

/** `app/panes/affinity/map.ts` and `app/panes/affinity.tsx` belong to the pane `affinity`. */
const paneOf = (file: string): string | undefined => /^app\/panes\/([^/.]+)/.exec(file)?.[1]
/** Files beside the panes that are none: what several panes share. */
const SHARED_BY_PANES = /^app\/panes\/shared\//

const breach = (file: string, { specifier }: Import): string | undefined => {
  const name = layerOf(file)
  if (name === undefined) return 'lies in no layer'
  const rules = LAYERS[name]
  if (rules === undefined) return 'lies in no layer'
  if (!specifier.startsWith('.')) {
    const allowed = rules.packages.some((prefix) => specifier === prefix || specifier.startsWith(withSlash(prefix)))
    return allowed ? undefined : `${name} may not import the package ${specifier}`
  }
  const target = posix.normalize(posix.join(posix.dirname(file), specifier))
  if (isForTests(target)) return `only tests may import ${target}`
  const [pane, other] = [paneOf(file), paneOf(target)]
  if (pane !== undefined && other !== undefined && pane !== other && !SHARED_BY_PANES.test(target)) {
    return `the pane ${pane} may not import the pane ${other}`
  }
  if (isWithin(target, name) && layerOf(target) === name) return undefined
  return rules.own.some((prefix) => isWithin(target, prefix)) ? undefined : `${name} may not import ${target}`
}

const withSlash = (prefix: string): string => (/[:/]$/.test(prefix) ? prefix : `${prefix}/`)

const sources = (): readonly string[] =>
  readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.tsx?$/.test(file) && !isForTests(file))
    .toSorted()

describe('layers', () => {
  it('finds imports of every form, with their lines, and none in comments', () => {
    const text = [
      "import { a } from './a.ts'",
      "// import { b } from './b.ts'",
      'import {',
      '  c,',
      "} from './c.ts'",
      "/* import './d.ts' */",
      "import './e.css'",
      "const f = await import('./f.ts')",
      "new Worker(new URL('./g.ts', import.meta.url))",
      "export type { H } from './h.ts'",
    ].join('\n')
    expect(importsOf(text).map(({ line, specifier }) => `${line} ${specifier}`)).toEqual([
      '1 ./a.ts',
      '5 ./c.ts',
      '7 ./e.css',
      '8 ./f.ts',
      '9 ./g.ts',
      '10 ./h.ts',
    ])
  })

  it.each([
    ['pure/arch/intid.ts', '../rules/check.ts', 'pure/arch may not import pure/rules/check.ts'],
    ['engine/gic/sgi.ts', '../cpu/core.ts', 'engine/gic may not import engine/cpu/core.ts'],
    ['engine/gic/sgi.ts', '../../pure/rules/points.ts', undefined],
    ['engine/gic/sgi.ts', '../../pure/rules/check.ts', 'engine/gic may not import pure/rules/check.ts'],
    ['engine/cpu/core.ts', 'node:fs', 'engine/cpu may not import the package node:fs'],
    ['app/panes/console/console.tsx', '../affinity/map.ts', 'the pane console may not import the pane affinity'],
    ['app/session/session.ts', 'react', 'app/session may not import the package react'],
    ['engine/vmm/vmm.ts', '../../testing/test-vm.ts', 'only tests may import testing/test-vm.ts'],
  ])('judges %s importing %s', (file, specifier, expected) => {
    expect(breach(file, { line: 1, specifier })).toBe(expected)
  })

  it('are kept by every file', () => {
    const files = sources()
    expect(files.length).toBeGreaterThan(50)
    const breaches = files.flatMap((file) =>
      importsOf(readFileSync(join(SOURCE, file), 'utf8')).flatMap((each) => {
        const what = breach(file, each)
        return what === undefined ? [] : [`src/${file}:${each.line}: ${what}`]
      }),
    )
    expect(breaches).toEqual([])
  })
})
