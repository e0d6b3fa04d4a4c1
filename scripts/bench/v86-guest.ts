/** v86, Debian's i386 kernel and SeaBIOS, fetched when first asked for; the same C source as in the Linux guest of ours. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildInitramfs } from '../guests/initramfs.ts'
import { BUSYBOX_PACKAGE } from '../guests/recipes.ts'
import { openApt } from '../guests/apt.ts'
import { installTools } from '../lib/debian.mjs'
import { ROOT, run as runProgram } from '../lib/steps.mjs'
import { COMMON_SOURCES, I386_GCC, compileForI386 } from './compile.ts'
import { withFirstProcess } from './linux-guest.ts'
import type { V86Files, V86Guest } from './places/v86.ts'

const V86 = 'v86@0.5.462'
const WORK = join(ROOT, '.guests/bench')
/** Names the newest kernel of i386 for processors without PAE, which v86's is. */
const KERNEL_PACKAGE = 'linux-image-686'

const must = <T>(
  answer: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly what: string },
): T => {
  if (!answer.ok) throw new Error(answer.what)
  return answer.value
}

/** v86 itself, of the exact version. */
const fetchV86 = (): string => {
  const folder = join(WORK, V86)
  const built = join(folder, 'node_modules/v86/build')
  if (!existsSync(built)) {
    mkdirSync(folder, { recursive: true })
    if (!runProgram('npm', ['install', '--silent', '--no-save', '--prefix', folder, V86]))
      throw new Error(`${V86} could not be installed`)
  }
  return built
}

/** Folders with what Debian's packages hold. */
const fetchPackages = (): { readonly kernel: string; readonly busybox: string; readonly seabios: string } => {
  const tree = (name: string): string => join(WORK, `i386-${name}`)
  const found = { kernel: tree('kernel'), busybox: tree('busybox'), seabios: tree('seabios') }
  if (Object.values(found).every((folder) => existsSync(folder))) return found
  const apt = must(openApt(join(ROOT, '.guests/apt-i386'), 'i386'))
  const updated = apt.update()
  if (!updated.ok) console.log(`${updated.what}; going on with the lists that are there`)
  const [kernel = KERNEL_PACKAGE] = apt.depends(KERNEL_PACKAGE)
  must(apt.unpack(kernel, found.kernel))
  must(apt.unpack(BUSYBOX_PACKAGE, found.busybox))
  must(apt.unpack('seabios', found.seabios))
  return found
}

/** Puts the files of the guest into a folder. `parts` and `repeat`: see linux/main.c. */
export const prepareV86 = (
  folder: string,
  { parts, repeat }: { readonly parts: readonly string[]; readonly repeat: number },
): { readonly files: V86Files; readonly guest: V86Guest } => {
  const missing = installTools({ [I386_GCC]: 'gcc-i686-linux-gnu libc6-dev-i386-cross' })
  if (missing.length > 0) throw new Error(`${missing.join(', ')} must be installed for this benchmark`)
  const built = fetchV86()
  const { kernel, busybox, seabios } = fetchPackages()
  const boot = join(kernel, 'boot')
  const image = readdirSync(boot).find((name) => name.startsWith('vmlinuz-'))
  if (image === undefined) throw new Error(`${boot} holds no kernel`)
  const program = compileForI386(join(folder, 'bench-i386'), [...COMMON_SOURCES, 'linux/system.c', 'linux/main.c'])
  const initrd = join(folder, 'initrd-i386')
  writeFileSync(initrd, withFirstProcess(buildInitramfs(readFileSync(join(busybox, 'bin/busybox'))), program))
  const bios = join(seabios, 'usr/share/seabios')
  return {
    files: {
      library: join(built, 'libv86.mjs'),
      wasm: join(built, 'v86.wasm'),
      bios: join(bios, 'bios.bin'),
      vga: join(bios, 'vgabios-stdvga.bin'),
    },
    guest: {
      kernel: join(boot, image),
      initrd,
      append: `console=ttyS0 nowatchdog rdinit=/bench parts=${parts.join(',')} repeat=${repeat}`,
    },
  }
}
