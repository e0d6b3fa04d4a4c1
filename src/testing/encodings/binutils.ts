/** GNU binutils as an oracle for encodings: words to text, and text to words. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Everything that our rows may have, and what they have not, which is then no error of the assembler's. */
const ARCHITECTURE = 'armv8.5-a+crypto+sha3+sm4+fp16+fp16fml+rng+memtag+profile'

export const undefinedText = '.inst'

function run(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { maxBuffer: 1 << 30 })
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr.toString().slice(0, 2000)}`)
  return result.stdout.toString()
}

/** Runs with a folder that is gone afterwards. */
function within<T>(work: (file: (name: string) => string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'binutils-'))
  try {
    return work((name) => join(folder, name))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const hex = (n: number): string => `0x${n.toString(16)}`

/** What objdump writes for each word, without its remarks; `.inst …` for what it does not know. */
export const objdump = (words: readonly number[], address: number): string[] =>
  within((file) => {
    writeFileSync(file('words'), new Uint8Array(Uint32Array.from(words).buffer))
    const listing = run('aarch64-linux-gnu-objdump', [
      '-D',
      '-z',
      '-b',
      'binary',
      '-m',
      'aarch64',
      '--no-show-raw-insn',
      `--adjust-vma=${hex(address)}`,
      file('words'),
    ])
    const lines = listing.split('\n').filter((line) => /^\s*[0-9a-f]+:\t/.test(line))
    if (lines.length !== words.length) throw new Error(`${words.length} words, ${lines.length} lines`)
    return lines.map((line) =>
      line
        .replace(/^\s*[0-9a-f]+:\t/, '')
        .replace(/\s*(\/\/|;).*$/, '')
        .replace(/\s*<.*>$/, '')
        .replaceAll('\t', ' ')
        .trim(),
    )
  })

/** The words of lines, one instruction each, placed at an address; of a line that is refused, the reason. */
export const gnuAssemble = (lines: readonly string[], address: number): (number | string)[] =>
  within((file) => {
    const assemble = (some: readonly string[]): string => {
      writeFileSync(file('s'), `.arch ${ARCHITECTURE}\n${some.join('\n')}\n`)
      return spawnSync('aarch64-linux-gnu-as', ['-o', file('o'), file('s')], { maxBuffer: 1 << 30 }).stderr.toString()
    }
    const refused = new Map<number, string>()
    for (const [, line, why] of assemble(lines).matchAll(/:(\d+): Error: (.*)/g))
      refused.set(Number(line) - 2, why ?? '')
    if (refused.size > 0) assemble(lines.map((line, i) => (refused.has(i) ? 'nop' : line)))
    run('aarch64-linux-gnu-ld', [`-Ttext=${hex(address)}`, '-e', '0', '-o', file('elf'), file('o')])
    run('aarch64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', file('elf'), file('bin')])
    const bytes = readFileSync(file('bin'))
    return lines.map((_, i) => refused.get(i) ?? bytes.readUInt32LE(4 * i))
  })
