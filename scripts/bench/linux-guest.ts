/** Debian's kernel with a first process of ours, and OpenSSL where apt can get it. */
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { writeCpio } from '../../src/pure/blueprint/cpio.ts'
import type { CpioEntry } from '../../src/pure/blueprint/cpio.ts'
import { openApt } from '../guests/apt.ts'
import { ROOT } from '../lib/steps.mjs'
import { KERNEL_SOURCES, compileForLinux } from './compile.ts'
import type { BenchGuest } from './places/place.ts'

const LINUX = join(ROOT, 'public/guests/linux')
const manifestSchema = z.object({
  guests: z.array(z.object({ id: z.string(), kernel: z.string(), initrd: z.string(), append: z.string() })),
})

/** The default guest, as set-up prepared it. */
const preparedGuest = (): z.infer<typeof manifestSchema>['guests'][number] => {
  const [guest] = manifestSchema.parse(JSON.parse(readFileSync(join(LINUX, 'manifest.json'), 'utf8'))).guests
  if (guest === undefined) throw new Error('no Linux guest is prepared: run "npm run setup"')
  return guest
}

/** The default guest with its kernel unpacked into a folder, as QEMU takes it. */
export const defaultGuest = (folder: string): Required<Omit<BenchGuest, 'vcpus' | 'memory'>> => {
  const { kernel, initrd, append } = preparedGuest()
  const image = join(folder, 'Image')
  writeFileSync(image, gunzipSync(readFileSync(join(LINUX, kernel))))
  return { kernel: image, initrd: join(LINUX, initrd), append }
}

const OPENSSL = {
  packages: ['openssl', 'libssl3', 'libc6'],
  files: /\/(?:bin\/openssl|ld-linux-aarch64\.so\.1|lib(?:ssl|crypto|c)\.so\.\d+)$/,
}

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((name) => statSync(name, { throwIfNoEntry: false })?.isFile() === true)

/** The program and its libraries, where the loader looks for them; nothing where apt does not get them. */
const openssl = (): readonly CpioEntry[] => {
  const work = join(ROOT, '.guests/bench')
  mkdirSync(work, { recursive: true })
  const trees = OPENSSL.packages.map((name) => join(work, name))
  if (!trees.every((tree) => existsSync(tree))) {
    const apt = openApt(join(ROOT, '.guests/apt'))
    if (!apt.ok) return []
    for (const [i, name] of OPENSSL.packages.entries()) {
      const unpacked = apt.value.unpack(name, trees[i] ?? '')
      if (unpacked.ok) continue
      console.log(`without OpenSSL: ${unpacked.what}`)
      return []
    }
  }
  const found = trees.flatMap(filesBelow).filter((name) => OPENSSL.files.test(name))
  const entries = found.map((name): CpioEntry => {
    const file = name.endsWith('/openssl') ? 'usr/bin/openssl' : `lib/${name.split('/').at(-1) ?? ''}`
    return { kind: 'file', name: file, mode: 0o755, bytes: readFileSync(name) }
  })
  const folders = ['usr', 'usr/bin', 'lib'].map((name): CpioEntry => ({ kind: 'directory', name }))
  return entries.length < OPENSSL.packages.length ? [] : [...folders, ...entries]
}

export interface BenchLinux {
  /** The sets of parts that can run (linux/main.c). */
  readonly parts: readonly string[]
  /** `append`: more parameters of the kernel. */
  running(of: { vcpus: number; parts: readonly string[]; repeat: number; append?: string }): BenchGuest
}

/** A first root file system, and after it the program that is started first, with what else the program needs. */
export const withFirstProcess = (base: Uint8Array, program: string, more: readonly CpioEntry[] = []): Uint8Array => {
  // The kernel unpacks one archive after the other, each at a multiple of four bytes.
  const padding = new Uint8Array((4 - (base.length % 4)) % 4)
  const own = writeCpio([...more, { kind: 'file', name: 'bench', mode: 0o755, bytes: readFileSync(program) }])
  return Buffer.concat([base, padding, own])
}

/** The default guest with a program as its first process, and what else the program needs. */
const withProgram = (
  folder: string,
  sources: readonly string[],
  more: readonly CpioEntry[] = [],
): Required<Omit<BenchGuest, 'vcpus' | 'memory'>> => {
  const { kernel, initrd, append } = defaultGuest(folder)
  const root = join(folder, 'initrd')
  writeFileSync(root, withFirstProcess(readFileSync(initrd), compileForLinux(join(folder, 'bench'), sources), more))
  return { kernel, initrd: root, append: `${append} rdinit=/bench` }
}

/** Puts the files of the guest into a folder. */
export const prepareLinux = (folder: string): BenchLinux => {
  const libraries = openssl()
  const guest = withProgram(folder, [...KERNEL_SOURCES, 'linux/system.c', 'linux/main.c'], libraries)
  return {
    parts: ['processor', 'arm', 'kernel', 'programs', ...(libraries.length > 0 ? ['openssl'] : [])],
    running: ({ vcpus, parts, repeat, append = '' }) => ({
      ...guest,
      vcpus,
      append: `${guest.append} parts=${parts.join(',')} repeat=${repeat} ${append}`.trim(),
    }),
  }
}

/** A load of many kinds (linux/soak.c). */
export interface Load {
  readonly vcpus: number
  /** Of the guest's time. */
  readonly seconds: number
  /** Per cent of the time that it works; default: all of it. */
  readonly busy?: number
  readonly seed: number
}

/** A guest that is under load. */
export const prepareSoak = (
  folder: string,
  { vcpus, seconds, busy = 100, seed }: Load,
): Required<Omit<BenchGuest, 'memory'>> => {
  const guest = withProgram(folder, ['linux/soak.c'])
  return {
    ...guest,
    vcpus,
    append: `${guest.append} quiet seconds=${seconds} busy=${Math.ceil(busy * 10)} seed=${seed}`,
  }
}
