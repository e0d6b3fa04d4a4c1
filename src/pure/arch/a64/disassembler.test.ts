import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { corpus } from '../../../testing/a64-corpus.ts'
import { missingBinutils } from '../../../testing/oracle/run-instruction.ts'
import { assemble } from './assembler/assemble.ts'
import { disassemble } from './disassembler.ts'

const ADDRESS = 0x4008_0000

function wordsOf(source: string): number[] {
  const result = assemble(source, ADDRESS)
  if (!result.ok) throw new Error(result.errors[0]?.what)
  const view = new DataView(result.bytes.buffer)
  return Array.from({ length: result.bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true))
}

const dir = mkdtempSync(join(tmpdir(), 'disassembler-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** What objdump writes for words at an address, without its remarks. */
function objdump(words: readonly number[]): string[] {
  const file = (name: string): string => join(dir, name)
  const run = (command: string, args: readonly string[], input = ''): string => {
    const result = spawnSync(command, args, { input, maxBuffer: 1 << 28 })
    if (result.status !== 0) throw new Error(result.stderr.toString())
    return result.stdout.toString()
  }
  run('aarch64-linux-gnu-as', ['-o', file('o'), '-'], words.map((word) => `.inst ${word}\n`).join(''))
  run('aarch64-linux-gnu-ld', [`-Ttext=0x${ADDRESS.toString(16)}`, '-e', '0', '-o', file('elf'), file('o')])
  return run('aarch64-linux-gnu-objdump', ['-d', '--no-show-raw-insn', file('elf')])
    .split('\n')
    .filter((line) => /^\s*[0-9a-f]+:\t/.test(line))
    .map((line) =>
      line
        .replace(/^\s*[0-9a-f]+:\t/, '')
        .replace(/\s*\/\/.*$/, '')
        .replace(/([0-9a-f]+)\s*<.*>$/, '0x$1')
        .replace('\t', ' ')
        .trim(),
    )
}

/** Numbers are compared, not how they are written. */
const normal = (text: string): string =>
  text
    .toLowerCase()
    .replace(/#?(-?)(\b0x[0-9a-f]+\b|(?<=#-?)\d+)/g, (_, sign: string, digits: string) => `#${sign}${BigInt(digits)}`)

/** Names of later extensions in hint space and elsewhere, which this table does not have. */
const NEWER: Readonly<Record<string, string>> = {
  'bfi w1, wzr, #31, #1': 'bfc w1, #31, #1',
  'dsb #0x0': 'ssbb',
}

describe('the disassembler', () => {
  it.skipIf(missingBinutils().length > 0)('writes what objdump writes, aliases included', () => {
    const words = [...new Set(wordsOf(corpus().join('\n')))]
    const theirs = objdump(words)
    const wrong = words.flatMap((word, i) => {
      const ours = disassemble(word, ADDRESS + 4 * i)
      return normal(NEWER[ours] ?? ours) === normal(theirs[i] ?? '') ? [] : [`${ours} | ${theirs[i]}`]
    })
    expect(wrong).toEqual([])
    expect(words.length).toBeGreaterThan(5000)
  })

  it('writes what assembles to the same word', () => {
    const words = wordsOf(corpus().join('\n'))
    const text = words.map((word, i) => disassemble(word, ADDRESS + 4 * i))
    expect(text.filter((line) => line.startsWith('.inst'))).toEqual([])
    expect(wordsOf(text.join('\n'))).toEqual(words)
  })

  it('leaves as numbers what it has no text for', () => {
    expect(disassemble(0, 0)).toBe('.inst 0x0')
    expect(disassemble(0xffffffff, 0)).toBe('.inst 0xffffffff')
  })

  it('writes the target of a branch as an address, wrapped to 64 bits', () => {
    expect(disassemble(0x17ffffff, 0x1000)).toBe('b 0xffc')
    expect(disassemble(0x17ffffff, 0n)).toBe('b 0xfffffffffffffffc')
    expect(disassemble(0x54000040, 0xffff_8000_0800_0000n)).toBe('b.eq 0xffff800008000008')
  })
})
