/** Exceptions, traps, translation, debug and PMU at EL1 and EL0, as QEMU's system emulator has them. */
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { missingBinutils } from '../oracle/run-instruction.ts'
import { KNOWN } from './known.ts'
import { probe } from './probe.ts'
import type { Outcome, Snippet } from './probe.ts'
import { ABSENT, BASE, MAX, USER } from './snippets.ts'

const hasQemu = spawnSync('qemu-system-aarch64', ['--version']).status === 0 && missingBinutils().length === 0

const texts = (snippets: readonly Snippet[], all: readonly Outcome[]): string[] =>
  snippets.map(({ name }, i) => `${name}: ${(all[i] ?? ['nothing']).join('; ')}`)

describe.skipIf(!hasQemu)('privileged code', () => {
  it.each([
    // A Cortex-A57 has no granule of 16 KiB.
    ['cortex-a57', [...BASE.filter(({ name }) => !name.includes('16 KiB')), ...USER, ...ABSENT]],
    ['cortex-a76', [...BASE, ...USER, ...ABSENT]],
    ['max', [...BASE, ...USER, ...MAX]],
  ] as const)('of %s does what it does on QEMU', { timeout: 120_000 }, (cpu, snippets) => {
    const program = probe(snippets)
    try {
      const theirs = texts(snippets, program.onQemu(cpu))
      for (const translate of [false, true]) {
        const ours = texts(snippets, program.onOurs(cpu, translate))
        const wrong = ours.flatMap((text, i) => {
          const known = KNOWN.some(({ names }) => names.test(snippets[i]?.name ?? ''))
          return text === theirs[i] || known ? [] : [`${text}\n  QEMU ${theirs[i]}`]
        })
        expect(wrong).toEqual([])
      }
    } finally {
      program.dispose()
    }
  })
})
