import { spawnSync } from 'node:child_process'
import * as fc from '../../testing/property.ts'
import { describe, expect, it } from 'vitest'
import { checkCpio, isCpio, writeCpio } from './cpio.ts'
import type { CpioEntry } from './cpio.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const ENTRIES: readonly CpioEntry[] = [
  { kind: 'directory', name: 'dev' },
  { kind: 'character', name: 'dev/console', major: 5, minor: 1 },
  { kind: 'file', name: 'init', mode: 0o755, bytes: bytes('#!/bin/sh\n') },
  { kind: 'link', name: 'bin', target: 'usr/bin' },
  { kind: 'file', name: 'empty', bytes: bytes('') },
]

describe('a cpio archive', () => {
  const hasCpio = spawnSync('cpio', ['--version']).status === 0

  it.skipIf(!hasCpio)('reads the same to cpio(1)', () => {
    const listed = spawnSync('cpio', ['-itvn'], { input: writeCpio(ENTRIES) })
    expect(listed.status).toBe(0)
    const lines = listed.stdout.toString().trim().split('\n')
    expect(lines.map((line) => line.replace(/\s+/g, ' ').replace(/ Jan 1 1970/, ''))).toEqual([
      'drwxr-xr-x 2 0 0 0 dev',
      'crw------- 1 0 0 5, 1 dev/console',
      '-rwxr-xr-x 1 0 0 10 init',
      'lrwxrwxrwx 1 0 0 7 bin -> usr/bin',
      '-rw-r--r-- 1 0 0 0 empty',
    ])
  })

  it('passes the check, with its names in order', () => {
    expect(checkCpio(writeCpio(ENTRIES))).toEqual({ ok: true, names: ENTRIES.map(({ name }) => name) })
  })

  it('is told by its magic, with checksums or without', () => {
    expect(isCpio(bytes('070701...'))).toBe(true)
    expect(isCpio(bytes('070702...'))).toBe(true)
    expect(isCpio(bytes('070707...'))).toBe(false)
    expect(isCpio(bytes('0707'))).toBe(false)
  })

  it('that is cut short anywhere before its end is found out', () => {
    const whole = writeCpio(ENTRIES)
    const trailer = new TextDecoder().decode(whole).indexOf('TRAILER!!!') + 'TRAILER!!!\0'.length
    fc.assert(
      fc.property(fc.integer({ min: 0, max: trailer - 1 }), (length) => {
        expect(checkCpio(whole.subarray(0, length)).ok).toBe(false)
      }),
    )
  })

  it('that breaks off inside a file says which', () => {
    const whole = writeCpio([{ kind: 'file', name: 'big', bytes: new Uint8Array(5000) }])
    expect(checkCpio(whole.subarray(0, 2000))).toEqual({
      ok: false,
      what: 'it ends at byte 2000, inside "big", which reaches to 5116',
    })
  })

  it('with a size that is no number is refused', () => {
    const broken = writeCpio(ENTRIES)
    broken.set(bytes('zzzzzzzz'), 54)
    expect(checkCpio(broken)).toEqual({ ok: false, what: 'the header at 0x0 has a size that is no number' })
  })
})
