import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { elfFunctions, functionAt } from './elf-symbols.ts'
import { has } from '../lib/debian.mjs'

const [GCC, NM] = ['aarch64-linux-gnu-gcc', 'aarch64-linux-gnu-nm']
const SOURCE =
  'int data = 3; static int twice(int x) { return 2 * x; } int (*f)(int) = twice; int main(void) { return f(data); }'

describe.skipIf(!has(GCC) || !has(NM))('symbols of a compiled program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gicscope-elf-'))
  const elf = join(folder, 'program')
  writeFileSync(join(folder, 'program.c'), SOURCE)
  spawnSync(GCC, ['-O1', '-static', '-o', elf, join(folder, 'program.c')])
  const bytes = readFileSync(elf)
  const listed = spawnSync(NM, ['-S', elf], { encoding: 'utf8', maxBuffer: 2 ** 26 }).stdout
  rmSync(folder, { recursive: true })

  it('are those that nm lists', () => {
    const found = new Map(elfFunctions(bytes)?.map(({ name, address, size }) => [name, [address, size]]))
    for (const name of ['main', 'twice', 'printf_parse_nothing', '__libc_start_main']) {
      const [, address, size] = new RegExp(`^([0-9a-f]+) ([0-9a-f]+) [tT] ${name}$`, 'm').exec(listed) ?? []
      const expected = address === undefined ? undefined : [BigInt(`0x${address}`), BigInt(`0x${size}`)]
      expect([name, found.get(name)]).toEqual([name, expected])
    }
    expect(found.get('main')).toBeDefined()
    expect(found.has('data')).toBe(false)
  })

  it('name every address of a function, and none before the first', () => {
    const functions = elfFunctions(bytes) ?? []
    const main = functions.find(({ name }) => name === 'main')
    const [address, size] = [main?.address ?? 0n, main?.size ?? 0n]
    expect(functionAt(functions, address)).toBe('main')
    expect(functionAt(functions, address + size - 4n)).toBe('main')
    expect(functionAt(functions, address + size)).not.toBe('main')
    expect(functionAt(functions, 0n)).toBeUndefined()
  })

  it('are not read out of what is cut short', () => {
    expect(elfFunctions(bytes.subarray(0, bytes.length - 4096))).toBeUndefined()
    expect(elfFunctions(new Uint8Array(8))).toBeUndefined()
    expect(elfFunctions(new TextEncoder().encode('#!/bin/sh\n'.repeat(10)))).toBeUndefined()
  })
})
