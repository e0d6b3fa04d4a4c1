/**
 * `npm run profile -- [options of npm run vm] [--seconds N] [--symbols ELF] [--rows N] [--json FILE]`: where the time of a
 * guest goes. The guest runs twice: first it is timed, with nothing counted; then it is counted, by the same instructions.
 * Exit status: 0, or 2 on a wrong option or file.
 */
import { enableWebAssemblyFeatures } from '../src/cli/webassembly.ts'
import { readFileSync, writeFileSync } from 'node:fs'
import { helpText, parseOptions } from '../src/cli/options.ts'
import type { Options } from '../src/cli/options.ts'
import { sourceOf } from '../src/cli/source.ts'
import { Causes } from './profile/causes.ts'
import { elfFunctions } from './profile/elf-symbols.ts'
import type { ElfFunction } from './profile/elf-symbols.ts'
import { GuestTime } from './profile/guest-time.ts'
import { runGuest } from './profile/guest-run.ts'
import { sampleHost } from './profile/host-time.ts'
import type { HostTime } from './profile/host-time.ts'
import { printProfile } from './profile/report.ts'
import type { Profile } from './profile/report.ts'

const OWN = {
  '--seconds': 'N         virtual seconds until it ends, if nothing ends it before (default: 60)',
  '--symbols': "ELF       names of functions that are not the Linux kernel's; repeatable",
  '--rows': 'N            as many of each list (default: 25)',
  '--json': 'FILE         where to write all of it',
} as const
type Own = keyof typeof OWN
const isOwn = (word: string): word is Own => Object.hasOwn(OWN, word)

function usage(what: string): never {
  console.error(what)
  process.exit(2)
}

/** Splits off the options that only the profile has. */
const splitOptions = (argv: readonly string[]): { own: ReadonlyMap<Own, readonly string[]>; rest: string[] } => {
  const own = new Map<Own, readonly string[]>()
  const rest: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? ''
    if (!isOwn(word)) {
      rest.push(word)
      continue
    }
    own.set(word, [...(own.get(word) ?? []), argv[++i] ?? usage(`${word} needs an argument.`)])
  }
  return { own, rest }
}

const positive = (option: Own, text: string | undefined, usual: number): number => {
  if (text === undefined) return usual
  const value = Number(text)
  return value > 0 ? value : usage(`${option} wants a number over 0, not "${text}".`)
}

const functionsOf = (files: readonly string[]): readonly ElfFunction[] =>
  files
    .flatMap((file) => elfFunctions(readFileSync(file)) ?? usage(`${file} is no ELF file of 64 bits.`))
    .toSorted((a, b) => (a.address < b.address ? -1 : 1))

const profile = async (
  options: Options,
  seconds: number,
  elf: readonly ElfFunction[],
): Promise<Omit<Profile, 'options'>> => {
  const source = sourceOf(options)
  if (!source.ok) usage(source.what)
  const wallClockSeconds = Math.floor(Date.now() / 1000)
  const run = { source, options, seconds }
  const guestTime = new GuestTime()
  let stop: (() => Promise<HostTime>) | undefined
  const timed = await runGuest({
    ...run,
    start: { wallClockSeconds },
    echo: true,
    begin: async () => {
      stop = await sampleHost()
    },
    look: (vmm, ms) => guestTime.look(vmm, ms),
  })
  const host = await stop?.()
  const causes = new Causes()
  const counting = await runGuest({
    ...run,
    start: { wallClockSeconds, metered: true },
    echo: false,
    begin: async (vmm) => causes.watch(vmm),
    look: (vmm) => causes.take(vmm),
  })
  const [stats, counted] = [timed.stats(), counting.meter()]
  if (counting.stats().instructions !== stats.instructions) throw new Error('the second run was not the first')
  if (host === undefined || counted === undefined) throw new Error('nothing was measured')
  return { host, guest: guestTime.functions(timed, elf), stats, counted, causes: causes.counts }
}

enableWebAssemblyFeatures()
const { own, rest } = splitOptions(process.argv.slice(2))
const parsed = parseOptions(rest)
if (!parsed.ok) usage(parsed.what)
if (parsed.options.help) {
  console.log(
    `npm run profile -- [options]\n\n${Object.entries(OWN)
      .map(([name, text]) => `  ${name} ${text}`)
      .join('\n')}\n\nand those of`,
  )
  console.log(helpText())
  process.exit(0)
}
const seconds = positive('--seconds', own.get('--seconds')?.[0], 60)
const rows = positive('--rows', own.get('--rows')?.[0], 25)
const kernel = parsed.options.kernel === undefined ? [] : [parsed.options.kernel]
const elf = functionsOf(own.get('--symbols') ?? kernel.filter((file) => elfFunctions(readFileSync(file)) !== undefined))
const result = { options: rest, ...(await profile(parsed.options, seconds, elf)) }
printProfile(result, rows)
const json = own.get('--json')?.[0]
const plain = (_key: string, value: unknown): unknown => (value instanceof Map ? Object.fromEntries(value) : value)
if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, plain, 2)}\n`)
