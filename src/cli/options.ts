/** The command line of the headless runner: a row per option, and what they come to. */

export interface ScriptStep {
  /** The console has to match this before anything is typed. */
  readonly until: RegExp
  /** Typed then; without it the match ends the run. */
  readonly send: string | undefined
}

export type Engine = 'interpreter' | 'translator'

/** What was asked for, still as text where other parts of the program judge it. */
export interface Options {
  readonly help: boolean
  readonly guest: string | undefined
  readonly kernel: string | undefined
  readonly initrd: string | undefined
  readonly append: string
  /** A file; `undefined`: the machine's own tree. */
  readonly dtb: string | undefined
  readonly cpu: string | undefined
  readonly gic: string | undefined
  readonly its: boolean
  readonly smp: number | undefined
  /** Bytes. */
  readonly memory: number | undefined
  readonly rules: string | undefined
  readonly base: string | undefined
  readonly host: string | undefined
  readonly mpidr: readonly string[]
  readonly scenario: string | undefined
  readonly blueprint: string | undefined
  readonly script: readonly ScriptStep[]
  /** Of wall time. */
  readonly timeoutSeconds: number | undefined
  readonly kernelLog: string | undefined
  readonly vgicState: string | undefined
  readonly stats: string | undefined
  readonly trace: string | undefined
  readonly snapshot: string | undefined
  readonly restore: string | undefined
  readonly restoreOrder: string | undefined
  readonly engine: Engine
}

export type ParsedOptions =
  | { readonly ok: true; readonly options: Options }
  | { readonly ok: false; readonly what: string }

interface Row {
  /** What stands for the argument in the help; none: the option has no argument. */
  readonly argument?: string
  readonly help: string
  /** May stand there more than once. */
  readonly repeatable?: true
  /** Part of the interface, and of a machine that is not modelled yet. */
  readonly later?: { readonly what: string }
}

export const OPTIONS = {
  guest: {
    argument: 'linux|linux-6.1|linux-6.12|gicsh',
    help: 'a prepared guest (default: linux, which is linux-6.1)',
  },
  kernel: { argument: 'FILE', help: 'an Image, gzip, ELF or binary file instead of a prepared guest' },
  initrd: { argument: 'FILE', help: 'a cpio archive, compressed or not' },
  append: { argument: 'STR', help: "kernel parameters, after the prepared guest's own" },
  dtb: { argument: 'FILE|auto', help: 'a device tree (default: auto, the one of the machine)' },
  cpu: { argument: 'cortex-a57|cortex-a76|max', help: 'what the CPUs are (default: cortex-a57)' },
  smp: { argument: 'N', help: 'number of vCPUs, 1 to 512 (default: 4)' },
  memory: { argument: 'SIZE', help: 'RAM, in MiB or with a suffix K, M or G (default: 256M)' },
  gic: { argument: '2|3', help: 'version of the interrupt controller (default: 3)' },
  its: { help: 'an interrupt translation service' },
  rules: { argument: 'mainline|patch-v1|full-aff3', help: 'which account of Aff3 KVM follows (default: mainline)' },
  base: { argument: '6.1|6.8|6.12', help: 'age of the KVM under the rules (default: 6.12)' },
  host: { argument: 'H1|a3v=0,pribits=5,...', help: 'the hardware under KVM: a preset, fields, or both' },
  mpidr: {
    argument: 'CPU=VALUE',
    help: 'affinity of a vCPU, as 1.0.0.2 or an MPIDR_EL1 value; repeatable',
    repeatable: true,
  },
  scenario: { argument: 'ID', help: 'a machine of the scenario library' },
  blueprint: { argument: 'FILE', help: 'a machine as a JSON document' },
  until: {
    argument: 'REGEX',
    help: 'ends the run, or waits for --send, when the console matches; repeatable',
    repeatable: true,
  },
  send: {
    argument: 'TEXT',
    help: 'typed when the --until before it matches; knows \\n \\r \\t \\e \\xHH; repeatable',
    repeatable: true,
  },
  timeout: { argument: 'SECONDS', help: 'ends the run after that much wall time, with status 124' },
  'kernel-log': { argument: 'FILE', help: "where to write the guest's printk buffer at the end" },
  'vgic-state': { argument: 'FILE', help: "where to write KVM's debugfs vgic-state of the machine at the end" },
  stats: { argument: 'FILE', help: 'where to write figures of the run, as JSON' },
  trace: { argument: 'FILE', help: 'where to write the events of the run, as JSON that Perfetto and Chrome read' },
  snapshot: { argument: 'FILE', help: 'where to save the machine at the end' },
  restore: { argument: 'FILE', help: 'a saved machine to go on with' },
  'restore-order': {
    argument: 'NAME|FILE',
    help: 'in which order: documented (the default), qemu, firecracker, crosvm, or an own one',
  },
  engine: { argument: 'interpreter|translator', help: 'how instructions run (default: translator)' },
  help: { help: 'this list' },
} as const satisfies Record<string, Row>
type OptionName = keyof typeof OPTIONS

const rowOf = (name: OptionName): Row => OPTIONS[name]
const isOption = (name: string): name is OptionName => Object.hasOwn(OPTIONS, name)

export const helpText = (): string =>
  [
    'npm run vm -- [options]   runs a guest with its console on this terminal; Ctrl-A x leaves',
    '',
    ...Object.entries(OPTIONS).map(([name, row]: [string, Row]) => {
      const left = `  --${name}${row.argument === undefined ? '' : ` ${row.argument}`}`
      return `${left.padEnd(44)} ${row.help}${row.later === undefined ? '' : ` (not yet)`}`
    }),
    '',
    'Status: 0 after power off or the last --until, 1 when the guest stopped otherwise, 2 on a wrong option or file,',
    '124 on --timeout.',
  ].join('\n')

/** Thrown and caught in this file only: the first thing that is wrong ends the reading. */
class Wrong extends Error {}

interface Given {
  readonly name: OptionName
  readonly value: string
}

const readArguments = (argv: readonly string[]): readonly Given[] => {
  const given: Given[] = []
  for (let i = 0; i < argv.length; i += 1) {
    const word = argv[i] ?? ''
    const [, name = '', joined] = /^--([a-z-]+)(?:=([\s\S]*))?$/.exec(word) ?? []
    if (!isOption(name)) throw new Wrong(`"${word}" is no option; --help lists them.`)
    const row = rowOf(name)
    if (row.argument === undefined) {
      if (joined !== undefined) throw new Wrong(`--${name} takes no argument; it has "${joined}".`)
    } else if (joined === undefined) i += 1
    const value = row.argument === undefined ? '' : (joined ?? argv[i])
    if (value === undefined) throw new Wrong(`--${name} needs an argument: ${row.argument}.`)
    if (row.repeatable !== true && given.some((other) => other.name === name)) {
      throw new Wrong(`--${name} stands there twice.`)
    }
    if (row.later !== undefined) {
      throw new Wrong(`--${name}${value === '' ? '' : ` ${value}`}: ${row.later.what} is not modelled yet.`)
    }
    given.push({ name, value })
  }
  return given
}

const UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, '': 2 ** 20 }

const readMemory = (text: string): number => {
  const [, digits, unit] = /^(\d+)([kmg]?)$/i.exec(text) ?? []
  const scale = UNITS[unit?.toLowerCase() ?? '?']
  if (digits === undefined || scale === undefined) {
    throw new Wrong(`--memory: "${text}" is no size; write MiB, or a number with K, M or G.`)
  }
  return Number(digits) * scale
}

const readCount = (name: OptionName, text: string): number => {
  if (!/^\d{1,6}$/.test(text)) throw new Wrong(`--${name}: "${text}" is no whole number.`)
  return Number(text)
}

const readSeconds = (text: string): number => {
  const seconds = /^\d{1,9}(\.\d+)?$/.test(text) ? Number(text) : 0
  if (seconds <= 0) throw new Wrong(`--timeout: "${text}" is no number of seconds.`)
  return seconds
}

const ENGINES = ['interpreter', 'translator'] as const

const readEngine = (text: string | undefined): Engine => {
  if (text === undefined) return 'translator'
  const engine = ENGINES.find((name) => name === text)
  if (engine === undefined) throw new Wrong(`--engine must be ${ENGINES.join(' or ')}; it is "${text}".`)
  return engine
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', e: '\x1b', '\\': '\\' }

const unescaped = (text: string): string =>
  text.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (all, digits: string | undefined, letter: string | undefined) => {
    if (digits !== undefined) return String.fromCharCode(Number.parseInt(digits, 16))
    const meant = letter === undefined ? undefined : ESCAPES[letter]
    if (meant === undefined) throw new Wrong(`--send: "${all}" is no escape; write \\n, \\r, \\t, \\e, \\xHH or \\\\.`)
    return meant
  })

const readPattern = (text: string): RegExp => {
  try {
    return new RegExp(text, 'm')
  } catch (error) {
    throw new Wrong(`--until: "${text}" is no regular expression: ${error instanceof Error ? error.message : ''}.`)
  }
}

/** `--until` and `--send` in their order. */
const readScript = (given: readonly Given[]): readonly ScriptStep[] => {
  const steps: ScriptStep[] = []
  for (const { name, value } of given) {
    if (name === 'until') steps.push({ until: readPattern(value), send: undefined })
    if (name !== 'send') continue
    const last = steps.pop()
    if (last === undefined) throw new Wrong('--send has no --until before it that says when to type.')
    steps.push({ until: last.until, send: (last.send ?? '') + unescaped(value) })
  }
  const early = steps.findIndex((step) => step.send === undefined)
  if (early >= 0 && early < steps.length - 1) {
    throw new Wrong(`--until "${steps[early]?.until.source}" ends the run, but another --until follows it.`)
  }
  return steps
}

/** What only a machine that is about to boot can use. */
const BOOTS = [
  'guest',
  'kernel',
  'initrd',
  'append',
  'dtb',
  'scenario',
  'blueprint',
] as const satisfies readonly OptionName[]

const read = (argv: readonly string[]): Options => {
  const given = readArguments(argv)
  const all = (name: OptionName): readonly string[] =>
    given.filter((each) => each.name === name).map(({ value }) => value)
  const one = (name: OptionName): string | undefined => all(name)[0]
  const map = <T>(name: OptionName, reader: (text: string) => T): T | undefined => {
    const text = one(name)
    return text === undefined ? undefined : reader(text)
  }
  const [kernel, guest, dtb] = [one('kernel'), one('guest'), one('dtb')]
  if (kernel !== undefined && guest !== undefined) throw new Wrong('--kernel and --guest exclude each other.')
  if (one('scenario') !== undefined && one('blueprint') !== undefined) {
    throw new Wrong('--scenario and --blueprint exclude each other.')
  }
  if (one('restore') !== undefined) {
    const other = BOOTS.find((name) => one(name) !== undefined)
    if (other !== undefined)
      throw new Wrong(`--restore goes on with a machine that has booted; --${other} is for one that boots.`)
  } else if (one('restore-order') !== undefined)
    throw new Wrong('--restore-order has no --restore that it could order.')
  return {
    help: one('help') !== undefined,
    guest,
    kernel,
    initrd: one('initrd'),
    append: one('append') ?? '',
    dtb: dtb === 'auto' ? undefined : dtb,
    cpu: one('cpu'),
    gic: one('gic'),
    its: one('its') !== undefined,
    smp: map('smp', (text) => readCount('smp', text)),
    memory: map('memory', readMemory),
    rules: one('rules'),
    base: one('base'),
    host: one('host'),
    mpidr: all('mpidr'),
    scenario: one('scenario'),
    blueprint: one('blueprint'),
    script: readScript(given),
    timeoutSeconds: map('timeout', readSeconds),
    kernelLog: one('kernel-log'),
    vgicState: one('vgic-state'),
    stats: one('stats'),
    trace: one('trace'),
    snapshot: one('snapshot'),
    restore: one('restore'),
    restoreOrder: one('restore-order'),
    engine: readEngine(one('engine')),
  }
}

export const parseOptions = (argv: readonly string[]): ParsedOptions => {
  try {
    return { ok: true, options: read(argv) }
  } catch (error) {
    if (error instanceof Wrong) return { ok: false, what: error.message }
    throw error
  }
}
