/** The driver's image, assembled: for QEMU as a program, for our CPU as bytes at the start of RAM. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BLOCKS, RAM } from './layout.ts'

const SOURCE = join(import.meta.dirname, 'driver.s')
const TOOLS = ['aarch64-linux-gnu-as', 'aarch64-linux-gnu-ld', 'aarch64-linux-gnu-objcopy', 'aarch64-linux-gnu-nm']

export const missingForDriver = (): string[] => TOOLS.filter((tool) => spawnSync(tool, ['--version']).status !== 0)

export function run(command: string, args: readonly string[], input?: Uint8Array): Buffer {
  const result = spawnSync(command, args, { ...(input === undefined ? {} : { input }), maxBuffer: 1 << 30 })
  if (result.status !== 0)
    throw new Error(
      `${command} ${args.join(' ')}: ${result.signal ?? `status ${result.status}`} ${result.stderr.toString()}`,
    )
  return result.stdout
}

export interface DriverImage {
  /** From the start of RAM. */
  readonly bytes: Uint8Array
  /** Where it begins on a CPU without a system. */
  readonly entry: number
}

export interface Driver {
  readonly image: DriverImage
  /** The path of the Linux program. */
  readonly program: string
  dispose(): void
}

export function buildDriver(): Driver {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
  const file = (name: string): string => join(folder, name)
  const hex = (n: number): string => `0x${n.toString(16)}`
  run('aarch64-linux-gnu-as', ['-o', file('o'), SOURCE])
  run('aarch64-linux-gnu-ld', [
    '-static',
    `-Ttext=${hex(RAM.base)}`,
    `--section-start=.batch=${hex(BLOCKS)}`,
    '-o',
    file('program'),
    file('o'),
  ])
  run('aarch64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', file('program'), file('image')])
  const symbols = run('aarch64-linux-gnu-nm', [file('program')]).toString()
  const entry = /^([0-9a-f]+) T bare$/m.exec(symbols)?.[1]
  if (entry === undefined) throw new Error('the driver has no entry "bare"')
  return {
    image: { bytes: new Uint8Array(readFileSync(file('image'))), entry: Number.parseInt(entry, 16) },
    program: file('program'),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  }
}
