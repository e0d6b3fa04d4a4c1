/** The lock file names versions and hashes; where the packages come from is the machine's own business. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const LOCK = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8')

it('package-lock.json names no address that a package was fetched from', () => {
  const lines = LOCK.split('\n').flatMap((line, i) =>
    /"resolved":|https?:\/\/[^"]*\.tgz"/.test(line) ? [`package-lock.json:${i + 1}: ${line.trim()}`] : [],
  )
  expect(lines).toEqual([])
})

it('package-lock.json has a hash for every package', () => {
  const { packages } = JSON.parse(LOCK)
  const without = Object.entries<{ integrity?: string }>(packages)
    .filter(([name, { integrity }]) => name !== '' && integrity === undefined)
    .map(([name]) => name)
  expect(without).toEqual([])
})
