/**
 * Prepares the Linux guests: fetches Debian's arm64 kernels and busybox, packs them for the page.
 * Quick when all is there already; the playground works without them, so a machine that cannot get them is no error.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { openApt } from './guests/apt.ts'
import type { Answer, Apt } from './guests/apt.ts'
import { buildInitramfs } from './guests/initramfs.ts'
import { BUSYBOX_PACKAGE, COMMAND_LINE, INITRAMFS_FILE, LINUX_GUESTS, kernelFile } from './guests/recipes.ts'
import type { LinuxGuest, ManifestGuest } from './guests/recipes.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const WORK = join(ROOT, '.guests')
const OUTPUT = join(ROOT, 'public/guests/linux')
const MANIFEST = 'manifest.json'
const STAMP = join(WORK, 'stamp.json')
const RECIPE_FILES = ['scripts/setup.ts', 'scripts/guests', 'src/pure/blueprint/cpio.ts']

const say = (line: string): void => console.log(`setup: ${line}`)

const digest = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** What the outputs are made by: when it changes, they are made anew. */
const recipe = (): string => {
  const files = RECIPE_FILES.flatMap((name) =>
    name.endsWith('.ts')
      ? [name]
      : readdirSync(join(ROOT, name))
          .filter((file) => !file.endsWith('.test.ts'))
          .map((file) => join(name, file)),
  )
  return digest(
    files
      .toSorted()
      .map((name) => `${name} ${digest(readFileSync(join(ROOT, name)))}`)
      .join('\n'),
  )
}

/** The stamp: a line per output with its digest, under the recipe's. Anything else than exactly that is not done. */
const stampOf = (recipeDigest: string, names: readonly string[]): string =>
  JSON.stringify({
    recipe: recipeDigest,
    outputs: Object.fromEntries(names.map((name) => [name, digest(readFileSync(join(OUTPUT, name)))])),
  })

const outputs = (): readonly string[] =>
  existsSync(OUTPUT)
    ? readdirSync(OUTPUT)
        .filter((name) => !name.endsWith('.part'))
        .toSorted()
    : []

const isDone = (recipeDigest: string): boolean =>
  existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stampOf(recipeDigest, outputs())

/** Under another name first, so that a broken-off set-up leaves no half file under the right one. */
const put = (name: string, bytes: Uint8Array | string): void => {
  writeFileSync(join(OUTPUT, `${name}.part`), bytes)
  renameSync(join(OUTPUT, `${name}.part`), join(OUTPUT, name))
}

const fileIn = (folder: string, start: string): string | undefined =>
  existsSync(folder) ? readdirSync(folder).find((name) => name.startsWith(start)) : undefined

const prepareKernel = (apt: Apt, guest: LinuxGuest): Answer<string> => {
  const name = guest.packages
    .flatMap((meta) => apt.depends(meta))
    .find((dependency) => dependency.startsWith(`linux-image-${guest.series}.`))
  if (name === undefined) return { ok: false, what: `apt knows no arm64 kernel of the ${guest.series} series` }
  const tree = join(WORK, 'tree')
  const unpacked = apt.unpack(name, tree)
  if (!unpacked.ok) return unpacked
  const image = fileIn(join(tree, 'boot'), 'vmlinuz-')
  if (image === undefined) return { ok: false, what: `${name} holds no /boot/vmlinuz` }
  put(kernelFile(guest), gzipSync(readFileSync(join(tree, 'boot', image)), { level: 9 }))
  return { ok: true, value: image.replace('vmlinuz-', '') }
}

const prepareInitramfs = (apt: Apt): Answer<string> => {
  const tree = join(WORK, 'tree')
  const unpacked = apt.unpack(BUSYBOX_PACKAGE, tree)
  if (!unpacked.ok) return unpacked
  const path = ['bin/busybox', 'usr/bin/busybox'].map((name) => join(tree, name)).find((name) => existsSync(name))
  if (path === undefined) return { ok: false, what: `${BUSYBOX_PACKAGE} holds no busybox` }
  put(INITRAMFS_FILE, buildInitramfs(readFileSync(path)))
  return { ok: true, value: INITRAMFS_FILE }
}

const writeManifest = (guests: readonly ManifestGuest[]): void =>
  put(MANIFEST, `${JSON.stringify({ guests }, undefined, 2)}\n`)

const prepareAll = (apt: Apt): Answer<readonly ManifestGuest[]> => {
  say('fetching the lists of arm64 packages')
  const updated = apt.update()
  if (!updated.ok) say(`${updated.what}; going on with the lists that are there`)
  const initramfs = prepareInitramfs(apt)
  if (!initramfs.ok) return initramfs
  const guests = LINUX_GUESTS.flatMap((guest) => {
    say(`fetching ${guest.title}`)
    const prepared = prepareKernel(apt, guest)
    if (!prepared.ok) {
      say(`no ${guest.title}: ${prepared.what}`)
      return []
    }
    const title = `${guest.title} (Debian ${prepared.value})`
    return [{ id: guest.id, title, kernel: kernelFile(guest), initrd: INITRAMFS_FILE, append: COMMAND_LINE }]
  })
  rmSync(join(WORK, 'tree'), { recursive: true, force: true })
  return guests.length > 0 ? { ok: true, value: guests } : { ok: false, what: 'apt offers no kernel for arm64' }
}

const main = (): void => {
  const recipeDigest = recipe()
  if (isDone(recipeDigest)) return say('the Linux guests are ready')
  rmSync(STAMP, { force: true })
  rmSync(OUTPUT, { recursive: true, force: true })
  mkdirSync(OUTPUT, { recursive: true })
  mkdirSync(WORK, { recursive: true })
  const apt = openApt(join(WORK, 'apt'))
  const guests = apt.ok ? prepareAll(apt.value) : apt
  if (!guests.ok) {
    writeManifest([])
    return say(`no Linux guest: ${guests.what}. The playground starts without; drop a kernel Image onto it.`)
  }
  writeManifest(guests.value)
  writeFileSync(STAMP, stampOf(recipeDigest, outputs()))
  say(`ready: ${guests.value.map(({ title }) => title).join(', ')}`)
}

main()
