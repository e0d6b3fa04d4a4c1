/**
 * Runs a program of ours on real KVM: as /init of one of the prepared Linux kernels, which QEMU starts at EL2. Needs
 * gcc-aarch64-linux-gnu and qemu-system-aarch64.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { writeCpio } from '../../pure/blueprint/cpio.ts'

const GUESTS = join(import.meta.dirname, '../../../public/guests/linux')

/** A prepared kernel, unpacked. */
export const kernelImage = (kernel: string): Uint8Array =>
  gunzipSync(readFileSync(join(GUESTS, `${kernel}.Image.gzip`)))

export interface Question {
  /** A C file of this folder. */
  readonly program: string
  /** `linux-6.1` or `linux-6.12`: whose KVM is asked. */
  readonly kernel: string
  /** The GIC of its host. */
  readonly gic: string
  /** The CPU of its host, as QEMU calls it. */
  readonly cpu?: string
  /** What the program finds in the root of its file system. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[]
  /** `NAME=value` words of the kernel's command line: the program's environment. */
  readonly environment?: readonly string[]
}

const run = (command: string, args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
  return stdout
}

/** The lines it prints. */
export const askKvm = ({
  program,
  kernel,
  gic,
  cpu = 'cortex-a57',
  files,
  environment = [],
}: Question): readonly string[] => {
  const work = mkdtempSync(join(tmpdir(), 'on-kvm-'))
  const file = (name: string): string => join(work, name)
  try {
    run('aarch64-linux-gnu-gcc', ['-O1', '-static', '-pthread', join(import.meta.dirname, program), '-o', file('init')])
    writeFileSync(
      file('root.cpio'),
      writeCpio([
        ...['dev', 'sys', 'proc'].map((name) => ({ kind: 'directory', name }) as const),
        { kind: 'character', name: 'dev/console', major: 5, minor: 1 },
        { kind: 'file', name: 'init', mode: 0o755, bytes: readFileSync(file('init')) },
        ...files.map(({ name, bytes }) => ({ kind: 'file', name, bytes }) as const),
      ]),
    )
    writeFileSync(file('Image'), kernelImage(kernel))
    const machine = ['-M', `virt,virtualization=on,gic-version=${gic}`, '-cpu', cpu, '-m', '1G', '-smp', '2']
    const plain = ['-net', 'none', '-nographic', '-no-reboot']
    const words = ['console=ttyAMA0', 'quiet', ...environment].join(' ')
    const guest = ['-kernel', file('Image'), '-initrd', file('root.cpio'), '-append', words]
    return run('qemu-system-aarch64', [...machine, ...plain, ...guest])
      .replaceAll('\r', '')
      .split('\n')
  } finally {
    rmSync(work, { recursive: true })
  }
}
