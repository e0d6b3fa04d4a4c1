/** `npm run vm` with a flat binary: its console on standard output, its end as the exit status. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { flatBinary } from '../testing/flat-guest.ts'

const TIMEOUT = 120_000
const ROOT = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'vm-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** Prints a letter, then calls PSCI. */
const program = (psci: number): Uint8Array =>
  flatBinary(`
        ldr     x1, =0x09000000
        mov     w0, #'!'
        strb    w0, [x1]
        ldr     x0, =${psci}
        hvc     #0
`)

const vm = (...options: readonly string[]): { readonly status: number | null; out: string; err: string } => {
  const { status, stdout, stderr } = spawnSync(
    join(ROOT, 'node_modules/.bin/tsx'),
    [join(ROOT, 'src/cli/main.ts'), ...options],
    { input: '', timeout: TIMEOUT },
  )
  return { status, out: stdout.toString(), err: stderr.toString() }
}

describe('npm run vm', { timeout: TIMEOUT }, () => {
  const off = file('off.flat', program(0x8400_0008))
  const environment = file('environment', 'NR_CPUS=4\n')

  it.each([
    ['3', ['--its']],
    ['2', []],
  ] as const)('runs a flat binary with a GICv%s to SYSTEM_OFF, which is status 0', (gic, more) => {
    const options = ['--append', 'mmio only', '--initrd', environment, '--smp', '4', '--gic', gic, ...more]
    expect(vm('--kernel', off, ...options)).toEqual({ status: 0, out: '!', err: '' })
  })

  it('says with status 1 that no CPU is left', () => {
    expect(vm('--kernel', file('stuck.flat', program(0x8400_0002)))).toEqual({
      status: 1,
      out: '!',
      err: 'Every vCPU is off, and the guest has not powered off.\n',
    })
  })

  it('says with status 2 what is wrong with a file', () => {
    const { status, err } = vm('--kernel', file('text.flat', 'hello, world'))
    expect([status, err]).toEqual([
      2,
      'The kernel: neither an arm64 Image, nor gzip, nor ELF, nor A64 code; it begins with 68 65 6c 6c.\n',
    ])
  })
})
