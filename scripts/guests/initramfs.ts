/** The first root file system of the Linux guests: busybox, and an init that mounts, tells and starts a shell. */
import { writeCpio } from '../../src/pure/blueprint/cpio.ts'
import type { CpioEntry } from '../../src/pure/blueprint/cpio.ts'

/** Scripts and tests wait for this line of the console. */
export const READY_LINE = 'guest: ready'

/** The kernel starts this; busybox' init takes over, which also answers poweroff, halt and reboot. */
const INIT = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
[ -e /bin/ls ] || /bin/busybox --install -s /bin
export TERM=xterm-256color
echo
echo '${READY_LINE}'
exec /bin/init
`

/** cttyhack makes the terminal under /dev/console the shell's own, which job control needs. */
const INITTAB = `::respawn:/bin/cttyhack /bin/sh -l
::ctrlaltdel:/bin/reboot
`

const PROFILE = `export HOME=/root
export PS1='\\[\\e[1;32m\\]guest\\[\\e[0m\\]:\\[\\e[1;34m\\]\\w\\[\\e[0m\\]\\$ '
alias ll='ls -l'
cd
`

const text = (content: string): Uint8Array => new TextEncoder().encode(content)

/** Where busybox keeps the names of its applets: in order, each ended by a zero byte, the first ones \`[\` and \`[[\`. */
const FIRST_APPLETS = '\0[\0[[\0'
const APPLET_NAME = /^[a-z0-9_.+[-]+$/

/** Reads the names of the applets out of a busybox of any architecture. Empty where they do not stand as expected. */
export const appletsOf = (busybox: Uint8Array): readonly string[] => {
  const binary = Buffer.from(busybox.buffer, busybox.byteOffset, busybox.length)
  const start = binary.indexOf(FIRST_APPLETS, 0, 'latin1')
  if (start < 0) return []
  const names: string[] = []
  for (let at = start + 1; ;) {
    const end = binary.indexOf(0, at)
    const name = binary.toString('latin1', at, end)
    if (end < 0 || !APPLET_NAME.test(name)) return names
    names.push(name)
    at = end + 1
  }
}

/** The whole archive. Device nodes are entries of it, so making it needs no privilege. */
export const buildInitramfs = (busybox: Uint8Array): Uint8Array => {
  const folders = ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp']
  const entries: CpioEntry[] = [
    ...folders.map((name) => ({ kind: 'directory', name }) as const),
    { kind: 'character', name: 'dev/console', major: 5, minor: 1 },
    { kind: 'character', name: 'dev/null', major: 1, minor: 3, mode: 0o666 },
    { kind: 'file', name: 'bin/busybox', mode: 0o755, bytes: busybox },
    ...appletsOf(busybox)
      .filter((applet) => applet !== 'busybox')
      .map((applet) => ({ kind: 'link', name: `bin/${applet}`, target: 'busybox' }) as const),
    { kind: 'file', name: 'etc/passwd', bytes: text('root:x:0:0:root:/root:/bin/sh\n') },
    { kind: 'file', name: 'etc/group', bytes: text('root:x:0:\ntty:x:5:\n') },
    { kind: 'file', name: 'etc/inittab', bytes: text(INITTAB) },
    { kind: 'file', name: 'etc/profile', bytes: text(PROFILE) },
    { kind: 'file', name: 'init', mode: 0o755, bytes: text(INIT) },
  ]
  return writeCpio(entries)
}
