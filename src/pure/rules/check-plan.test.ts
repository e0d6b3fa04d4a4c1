/** What a plan by hand does to a machine, and the way back. */
import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../blueprint/blueprint.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { applyEdit } from '../blueprint/edits.ts'
import { planLines, routeCalls } from '../blueprint/plan.ts'
import { callText } from '../uapi/calls.ts'
import { findings } from './check.ts'
import { curesOf } from './cures.ts'

const lines = planLines(defaultBlueprint)
const texts = (plan: readonly string[], change: Partial<Blueprint> = {}): readonly string[] =>
  findings({ ...defaultBlueprint, ...change, plan }).map(({ severity, text }) => `${severity}: ${text}`)
const replaced = (from: RegExp, to: string): readonly string[] => lines.map((line) => line.replace(from, to))

describe('the findings of a plan by hand', () => {
  it('are none where it does what the document says', () => expect(texts(lines)).toEqual([]))

  it('follow the affinities that it sets, not those of the document', () => {
    const moved = lines.toSpliced(-1, 0, 'KVM_SET_ONE_REG vcpu 1 MPIDR_EL1 = 0x180000001')
    expect(texts(moved)[0]).toBe(
      'error: vCPU 1 will find no redistributor: it looks for 1.0.0.1, but GICR_TYPER shows 0.0.0.1.',
    )
    expect(texts(lines, { affinities: { 1: 0x0100_0001 } })).toEqual([])
    expect(texts(lines.toSpliced(-1, 0, 'KVM_SET_ONE_REG vcpu 1 MPIDR_EL1 = 0x80000000'))[0]).toContain(
      'vCPUs 0, 1 share the affinity 0.0.0.0',
    )
  })

  it('name a route that was written before its CPU moved', () => {
    const route = routeCalls(40, 2).map(callText)
    const move = 'KVM_SET_ONE_REG vcpu 2 MPIDR_EL1 = 0x80000005'
    expect(texts([...lines, ...route, move])).toContain(
      'warning: SPI 8 (INTID 40) goes to vCPU 2, which was at 0.0.0.2 when the route was written and is at 0.0.0.5 now.',
    )
    // Under full-aff3 the target follows: nobody is there now.
    expect(texts([...lines, ...route, move], { ruleSet: 'full-aff3' })[0]).toContain('has no target')
  })

  it('name a region that is too small, elsewhere, or one too many', () => {
    expect(texts(replaced(/count 4/, 'count 3'))).toEqual([
      'error: The plan has room for 3 redistributors, and 4 vCPUs: KVM refuses to run vCPU 3.',
    ])
    expect(texts(replaced(/base 0x80a0000/, 'base 0x80b0000'))).toEqual([
      'error: Redistributors are at 0x80b0000, and the device tree names no region that begins there.',
    ])
    const two = lines.flatMap((line) =>
      line.includes('REDIST_REGION')
        ? [line.replace('count 4', 'count 2'), line.replace(/\{.*\}/, '{ index 1, base 0x4000000000, count 2 }')]
        : [line],
    )
    expect(texts(two)[0]).toBe('error: The plan fills 2 redistributor regions, and the device tree names 1.')
  })

  it('have a cure that takes them away and can be undone', () => {
    const blueprint = { ...defaultBlueprint, plan: replaced(/count 4/, 'count 3') }
    const [finding] = findings(blueprint)
    const [cure] = finding === undefined ? [] : curesOf(finding, blueprint)
    if (cure === undefined || !('edit' in cure)) throw new Error('no cure')
    const cured = applyEdit(blueprint, cure.edit)
    if (!cured.ok) throw new Error(cured.what)
    expect(findings(cured.blueprint)).toEqual([])
    expect(applyEdit(cured.blueprint, cured.inverse)).toMatchObject({ ok: true, blueprint })
  })
})
