import { describe, expect, it } from 'vitest'
import { checkCpio } from '../../src/pure/blueprint/cpio.ts'
import { appletsOf, buildInitramfs } from './initramfs.ts'

/** A file with the table of names as busybox has it. */
const busybox = (...names: readonly string[]): Uint8Array =>
  new TextEncoder().encode(`\x7fELF...\0[\0[[\0${names.map((name) => `${name}\0`).join('')}\0rest\0`)

describe('the initramfs', () => {
  it('has a link for each applet, and busybox itself as a file', () => {
    const archive = checkCpio(buildInitramfs(busybox('busybox', 'nproc', 'taskset', 'vi')))
    expect(archive.ok && archive.names.filter((name) => name.startsWith('bin/'))).toEqual([
      'bin/busybox',
      'bin/[',
      'bin/[[',
      'bin/nproc',
      'bin/taskset',
      'bin/vi',
    ])
  })

  it('finds no applets in another program', () => {
    expect(appletsOf(new TextEncoder().encode('\x7fELF and no table'))).toEqual([])
    expect(appletsOf(new Uint8Array(0))).toEqual([])
  })

  it('has the places that the kernel and init need', () => {
    const archive = checkCpio(buildInitramfs(busybox('sh')))
    const names = archive.ok ? archive.names : []
    for (const name of ['init', 'dev/console', 'proc', 'sys', 'etc/inittab', 'etc/profile'])
      expect(names).toContain(name)
  })
})
