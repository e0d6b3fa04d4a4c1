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
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import type { CpioEntry } from '../../pure/blueprint/cpio.ts'
import { openApt } from '../../../scripts/guests/apt.ts'

const GUESTS = join(import.meta.dirname, '../../../.guests')
const ROOT = join(GUESTS, 'programs')
/** Names the packages that the folder holds. */
const STAMP = 'packages'

/** The packages with the programs, and with what they are linked with. */
const PACKAGES =
  'busybox-static mawk perl-base openssl sqlite3 xz-utils zstd python3.11-minimal libpython3.11-minimal stress-ng ' +
  'libc6 libcrypt1 libssl3 libsqlite3-0 libreadline8 libtinfo6 zlib1g liblzma5 libgcc-s1 libstdc++6 liblz4-1 libzstd1 ' +
  'libexpat1 libapparmor1 libbsd0 libmd0 libegl1 libglvnd0 libgbm1 libdrm2 libwayland-server0 libffi8 libgles2 ' +
  'libjpeg62-turbo libjudydebian1 libkmod2 libsctp1 libxxhash0'

/** Of the packages' files only these are wanted: programs, libraries that have no folder of their own, Python's modules. */
const WANTED = [
  /\/bin\/(busybox|mawk|perl|openssl|sqlite3|xz|zstd|python3\.11|stress-ng)$/,
  /\/(ld-linux-aarch64|aarch64-linux-gnu\/lib[\w+-]+)\.so[.0-9]*$/,
  /\/usr\/lib\/python3\.11\/.*\.py$/,
]

function unpackAll(): string | undefined {
  // Set-up has fetched the lists; without them there is nothing to unpack from.
  if (!existsSync(join(GUESTS, 'apt/lists'))) return '"npm run setup" has not prepared apt'
  const apt = openApt(join(GUESTS, 'apt'))
  if (!apt.ok) return apt.what
  const part = `${ROOT}.part`
  rmSync(part, { recursive: true, force: true })
  mkdirSync(part, { recursive: true })
  for (const name of PACKAGES.split(' ')) {
    const target = join(GUESTS, 'package')
    const unpacked = apt.value.unpack(name, target)
    if (!unpacked.ok) return unpacked.what
    cpSync(target, part, { recursive: true, verbatimSymlinks: true })
    rmSync(target, { recursive: true, force: true })
  }
  writeFileSync(join(part, STAMP), PACKAGES)
  rmSync(ROOT, { recursive: true, force: true })
  renameSync(part, ROOT)
  return undefined
}

/** Whether the packages that lie there are those that are wanted. */
const isUnpacked = (): boolean => {
  const stamp = join(ROOT, STAMP)
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === PACKAGES
}

/** The root folder; or why there is none. */
export function prepareRoot(): { readonly root: string } | { readonly what: string } {
  const what = isUnpacked() ? undefined : unpackAll()
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
      else if (WANTED.some((wanted) => wanted.test(path))) {
        const inside = relative(root, path)
        inside.split('/').forEach((_, i, parts) => i > 0 && folders.add(parts.slice(0, i).join('/')))
        entries.push(
          state.isSymbolicLink()
            ? { kind: 'link', name: inside, target: readlinkSync(path) }
            : {
                kind: 'file',
                name: inside,
                mode: 0o755,
                bytes: new Uint8Array(readFileSync(path)),
              },
        )
      }
    }
  }
  walk(root)
  const parents = [...folders].toSorted().map((name) => ({ kind: 'directory', name }) as const)
  // Not busybox, which the guest has.
  return [...parents, ...entries.filter(({ name }) => name !== 'bin/busybox')]
}
