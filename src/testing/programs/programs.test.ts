/** Programs of Debian under our Linux, and the same programs under QEMU: the same output, byte for byte. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CpioEntry } from '../../pure/blueprint/cpio.ts'
import { GuestMachine, hasLinux } from '../guest-machine.ts'
import { missingTools } from '../oracle/run-instruction.ts'
import { CASES, testData } from './cases.ts'
import type { Case } from './cases.ts'
import { entriesOf, prepareRoot } from './packages.ts'

const prepared = hasLinux && !missingTools().includes('qemu-aarch64') ? prepareRoot() : { what: 'no Linux or no QEMU' }
if ('what' in prepared) console.warn(`the programs are not compared: ${prepared.what}`)

const DATA = '/root/data'
const text = (content: string): Uint8Array => new TextEncoder().encode(content)
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
const inputFile = (index: number): string => `/root/input-${index}`
const END = '== the end'
/** All of them together take less than ten thousand million. */
const MAX_INSTRUCTIONS = 20e9
/** Python looks for its modules here, and for nothing elsewhere. */
const ENVIRONMENT = { LC_ALL: 'C', PYTHONHOME: '/usr' } as const
const STATUS = '== status'
const mark = (index: number): string => `== case ${index}`

/** Each case behind a line that names it. */
const script = (): string =>
  [
    ...CASES.map(({ pipeline, input }, i) => {
      const line = pipeline.map((words) => words.map(quoted).join(' ')).join(' | ')
      return `echo; echo '${mark(i)}'\n{ ${line}; } 2>&1 < ${input === undefined ? DATA : inputFile(i)}; echo ${STATUS} $?\n`
    }),
    `echo; echo '${END}'\n`,
  ].join('')

const files = (root: string): CpioEntry[] => [
  ...entriesOf(root),
  { kind: 'file', name: DATA.slice(1), bytes: testData() },
  { kind: 'file', name: 'root/cases.sh', bytes: text(script()) },
  ...CASES.flatMap(({ input }, i) =>
    input === undefined ? [] : [{ kind: 'file', name: inputFile(i).slice(1), bytes: text(input) } as const],
  ),
]

/** What the pipeline prints under QEMU, and the exit status of its last program. */
function onQemu(root: string, { pipeline, input }: Case): string {
  let status: number | null = 0
  let passed: Uint8Array = input === undefined ? testData() : text(input)
  for (const [program = '', ...args] of pipeline) {
    const path = ['bin', 'usr/bin', ''].map((folder) => join(root, folder, program)).find((file) => existsSync(file))
    if (path === undefined) throw new Error(`there is no ${program}`)
    const run = spawnSync('qemu-aarch64', ['-cpu', 'cortex-a57', '-L', root, '-0', program, path, ...args], {
      input: passed,
      env: { ...ENVIRONMENT, PATH: '/bin' },
      maxBuffer: 1 << 28,
    })
    passed = new Uint8Array(Buffer.concat([run.stdout, run.stderr]))
    status = run.status
  }
  return `${Buffer.from(passed).toString('latin1')}${STATUS} ${status}\n`
}

describe.skipIf('what' in prepared)('programs', () => {
  const root = 'root' in prepared ? prepared.root : ''
  const outputs = new Map<number, string>()

  it('run to their end under our Linux', { timeout: 900_000 }, () => {
    const guest = new GuestMachine({
      guest: 'linux-6.1',
      files: files(root),
      blueprint: { vcpus: 1 },
      maxInstructions: MAX_INSTRUCTIONS,
    }).boot(10)
    const environment = Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`)
    guest.type(`export ${environment.join(' ')}; dmesg -n 1; stty -echo; sh /root/cases.sh\r`)
    const console = guest.until(`\n${END}\n`, 300)
    for (const part of console.split('\n== case ').slice(1)) {
      const end = part.indexOf('\n')
      outputs.set(Number(part.slice(0, end)), part.slice(end + 1))
    }
    expect(outputs.size).toBe(CASES.length)
  })

  it.each(CASES.map((one, index) => ({ ...one, index })))('print the same: $name', { timeout: 120_000 }, (one) => {
    const wanted = onQemu(root, one).replaceAll('\r', '')
    expect(wanted.endsWith(`${STATUS} 0\n`), `on QEMU it fails: ${wanted}`).toBe(true)
    expect(outputs.get(one.index)).toBe(wanted)
  })
})
