import { assert, asyncProperty, boolean, integer } from '../../testing/property.ts'
import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { readLink, writeLink } from './link.ts'
import type { LinkedDocument } from './link.ts'
import { createView, keptOf } from './view.ts'

const document: LinkedDocument = {
  blueprint: { ...defaultBlueprint, affinities: { 2: 0x0100_0002 }, routes: { 40: 3 } },
  engine: 'interpreter',
  scenario: 'aff3',
  selected: 2,
  program: 'mov x0, #1 // é ☃\n',
  view: keptOf(createView().store.getState()),
}

const refusal = async (fragment: string): Promise<string> => {
  const read = await readLink(fragment)
  return read.ok ? 'taken' : read.what
}

describe('a link', () => {
  it('carries the whole document', async () => {
    expect(await readLink(await writeLink(document))).toEqual({ ok: true, document })
  })

  it('needs no escape in an address and stays short', async () => {
    const link = await writeLink(document)
    expect(link).toMatch(/^v1\.[\w-]+$/)
    expect(link.length).toBeLessThan(600)
  })

  it('is refused with a sentence wherever it was changed or cut off', async () => {
    const link = await writeLink(document)
    await assert(
      asyncProperty(integer({ min: 3, max: link.length - 1 }), boolean(), async (at, cut) => {
        const other = link[at] === 'A' ? 'B' : 'A'
        const text = cut ? link.slice(0, at) : `${link.slice(0, at)}${other}${link.slice(at + 1)}`
        const read = await readLink(text)
        const said = read.ok ? JSON.stringify(read.document) : read.what
        // The last sign may hold bits that no byte has.
        expect(said === JSON.stringify(document) || said.startsWith('This link is damaged: ')).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it.each([
    ['', /does not begin with a version/],
    ['v2.AAAA', /version 2, and this page knows version 1/],
    ['v1.%%%', /signs that no link has/],
    ['v1.AAAA', /checksum/],
  ])('%j is refused', async (fragment, says) => {
    expect(await refusal(fragment)).toMatch(says)
  })

  it('with a machine that cannot be says what is wrong with the machine', async () => {
    const impossible = { ...document, blueprint: { ...defaultBlueprint, vcpus: 513 } }
    expect(await refusal(await writeLink(impossible))).toMatch(/machine of this link cannot be: vcpus .* 1 to 512/)
  })

  it('that unpacks to more than any document is refused before it is read', async () => {
    const huge = { ...document, program: ' '.repeat(5 * 2 ** 20) }
    expect(await refusal(await writeLink(huge))).toMatch(/too large/)
  })
})
