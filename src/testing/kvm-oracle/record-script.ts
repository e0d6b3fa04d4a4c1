/**
 * Asks real KVM what the steps of a script answer: `npx tsx src/testing/kvm-oracle/record-script.ts
 * scripts/its.script linux-6.12 [2|3]`, with one of the prepared kernels, which QEMU starts at EL2 on a host with that
 * GIC. `-` for the script reads standard input. Needs gcc-aarch64-linux-gnu and qemu-system-aarch64.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { writeCpio } from '../../pure/blueprint/cpio.ts'

const here = import.meta.dirname
const [script = 'scripts/its.script', kernel = 'linux-6.12', gic = '3'] = process.argv.slice(2)
const guests = join(here, '../../../public/guests/linux')
const work = mkdtempSync(join(tmpdir(), 'kvm-script-'))
const file = (name: string): string => join(work, name)

const run = (command: string, args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
  return stdout
}

try {
  run('aarch64-linux-gnu-gcc', ['-O1', '-static', '-pthread', join(here, 'script.c'), '-o', file('init')])
  writeFileSync(
    file('root.cpio'),
    writeCpio([
      ...['dev', 'sys', 'proc'].map((name) => ({ kind: 'directory', name }) as const),
      { kind: 'character', name: 'dev/console', major: 5, minor: 1 },
      { kind: 'file', name: 'init', mode: 0o755, bytes: readFileSync(file('init')) },
      {
        kind: 'file',
        name: 'steps.script',
        bytes: readFileSync(script === '-' ? process.stdin.fd : join(here, script)),
      },
    ]),
  )
  writeFileSync(file('Image'), gunzipSync(readFileSync(join(guests, `${kernel}.Image.gzip`))))
  const machine = ['-M', `virt,virtualization=on,gic-version=${gic}`, '-cpu', 'cortex-a57', '-m', '1G', '-smp', '2']
  const plain = ['-net', 'none', '-nographic', '-no-reboot']
  const guest = ['-kernel', file('Image'), '-initrd', file('root.cpio'), '-append', 'console=ttyAMA0 quiet']
  const lines = run('qemu-system-aarch64', [...machine, ...plain, ...guest])
    .replaceAll('\r', '')
    .split('\n')
    .filter((line) => line.includes('\t') && !/^(#\tORACLE-END|SCRIPT\t)/.test(line))
  process.stdout.write(`${lines.join('\n')}\n`)
} finally {
  rmSync(work, { recursive: true })
}
