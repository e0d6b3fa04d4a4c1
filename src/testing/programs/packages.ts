/** Debian packages for arm64 with the programs that are compared, unpacked to one root folder of the project's own. */
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import type { CpioEntry } from '../../pure/blueprint/cpio.ts'
import { openApt } from '../../../scripts/guests/apt.ts'

const GUESTS = join(import.meta.dirname, '../../../.guests')
const ROOT = join(GUESTS, 'programs')

/** Programs and, in their wake, what they are linked with. */
const PACKAGES =
  'busybox-static libc6 perl-base libcrypt1 openssl libssl3 sqlite3 libsqlite3-0 libreadline8 libtinfo6 zlib1g xz-utils liblzma5'.split(
    ' ',
  )

/** Of the packages' files only these are wanted. */
const WANTED =
  /(^|\/)(bin\/(busybox|perl|openssl|sqlite3|xz)|(ld-linux-aarch64|libc|libm|libdl|libpthread|libcrypt|libssl|libcrypto|libsqlite3|libreadline|libtinfo|libz|liblzma)\.so[.0-9]*)$/

function unpackAll(): string | undefined {
  // Set-up has fetched the lists; without them there is nothing to unpack from.
  if (!existsSync(join(GUESTS, 'apt/lists'))) return '"npm run setup" has not prepared apt'
  const apt = openApt(join(GUESTS, 'apt'))
  if (!apt.ok) return apt.what
  const part = `${ROOT}.part`
  rmSync(part, { recursive: true, force: true })
  mkdirSync(part, { recursive: true })
  for (const name of PACKAGES) {
    const target = join(GUESTS, 'package')
    const unpacked = apt.value.unpack(name, target)
    if (!unpacked.ok) return unpacked.what
    cpSync(target, part, { recursive: true, verbatimSymlinks: true })
    rmSync(target, { recursive: true, force: true })
  }
  renameSync(part, ROOT)
  return undefined
}

/** The root folder; or why there is none. */
export function prepareRoot(): { readonly root: string } | { readonly what: string } {
  const what = existsSync(ROOT) ? undefined : unpackAll()
  return what === undefined ? { root: ROOT } : { what }
}

/** What of a root folder goes into the guest. */
export function entriesOf(root: string): CpioEntry[] {
  const folders = new Set<string>()
  const entries: CpioEntry[] = []
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      const state = lstatSync(path)
      if (state.isDirectory()) walk(path)
      else if (WANTED.test(path)) {
        const inside = relative(root, path)
        inside.split('/').forEach((_, i, parts) => i > 0 && folders.add(parts.slice(0, i).join('/')))
        entries.push(
          state.isSymbolicLink()
            ? { kind: 'link', name: inside, target: readlinkSync(path) }
            : { kind: 'file', name: inside, mode: 0o755, bytes: new Uint8Array(readFileSync(path)) },
        )
      }
    }
  }
  walk(root)
  const parents = [...folders].toSorted().map((name) => ({ kind: 'directory', name }) as const)
  // Not busybox, which the guest has.
  return [...parents, ...entries.filter(({ name }) => name !== 'bin/busybox')]
}
