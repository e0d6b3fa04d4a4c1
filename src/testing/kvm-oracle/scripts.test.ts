/** What script.c recorded on real KVM, step by step on ours: every line the same. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HostProfile, KernelBase } from '../../pure/blueprint/host.ts'
import { Performer } from './performer.ts'
import { STOCK, STOCK_V2 } from './stock.ts'

const FOLDER = join(import.meta.dirname, 'scripts')
const BASES = ['6.1', '6.12'] as const satisfies readonly KernelBase[]

const hostOf = (script: string): HostProfile => (script.includes('gicv2') ? STOCK_V2 : STOCK)

/** Linux 6.1 lists LPIs in the order in which they were mapped. */
const inOrder = (step: string, result: string): string =>
  step === 'lpis'
    ? result
        .split(' ')
        .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
        .join(' ')
    : result

type Steps = readonly (readonly [step: string, result: string])[]

/** A section is what is done to one VM. */
const sectionsOf = (file: string): readonly Steps[] => {
  const sections: [string, string][][] = []
  for (const line of readFileSync(join(FOLDER, file), 'utf8').split('\n')) {
    const [step = '', result] = line.split('\t')
    if (result === undefined || step === '#') continue
    if (/^(vm2?|bare)( |$)/.test(step)) sections.push([])
    sections.at(-1)?.push([step, inOrder(step, result)])
  }
  return sections
}

const scripts = readdirSync(FOLDER).flatMap((file) => /^(.+)-6\.12\.txt$/.exec(file)?.[1] ?? [])

describe.each(BASES)('as recorded on Linux %s', (base) => {
  describe.each(scripts)('%s', (script) => {
    const sections = sectionsOf(`${script}-${base}.txt`)

    it.each(sections.map((steps, i) => [i + 1, steps] as const))('in VM %d of the script', (_, steps) => {
      const cpu = script.endsWith('-max') ? 'max' : 'cortex-a57'
      const performer = new Performer({ ruleSet: 'mainline', base, host: hostOf(script) }, cpu)
      const ours = steps.map(([step]) => [step, inOrder(step, performer.perform(step))])
      expect(ours).toEqual(steps)
    })
  })
})

it('has all steps of all scripts', () => {
  const asked = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.script'))
    .map((file) => {
      const lines = readFileSync(join(FOLDER, file), 'utf8').split('\n')
      return [file.replace('.script', ''), lines.filter((line) => line !== '' && !line.startsWith('#'))] as const
    })
  for (const [script, steps] of asked) {
    for (const base of BASES)
      expect(
        sectionsOf(`${script}-${base}.txt`)
          .flat()
          .map(([step]) => step),
      ).toEqual(steps)
  }
  // What random-script.ts wrote is in the recordings alone.
  const written = scripts.filter((script) => !script.startsWith('random-'))
  expect(asked.map(([script]) => script).toSorted()).toEqual(written.toSorted())
})
