/** Real VMMs make the calls of a plan in different orders; KVM takes all of them. */
import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { derivedPlan, PLAN_ORDER_IDS } from '../../pure/blueprint/plan.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import { TestMachine } from '../../testing/test-machine.ts'
import { Kvm } from './kvm.ts'

const machines = [
  { ...defaultBlueprint, affinities: { 2: 0x0100_0002 }, routes: { 40: 1 } },
  { ...defaultBlueprint, its: true },
  { ...defaultBlueprint, gic: 2 as const, host: { ...defaultBlueprint.host, gic: '3+2' as const } },
]

describe.each(PLAN_ORDER_IDS)('the order of %s', (order) => {
  it.each(machines)('builds machine %#', (blueprint) => {
    const { ruleSet, base, host } = blueprint
    const kvm = new Kvm({ hardware: new TestMachine(), rules: rulesFor(ruleSet, base), host })
    const refused = derivedPlan(blueprint, order).flatMap((call) => {
      const answer = kvm.execute(call)
      return answer.ok ? [] : [`${call.call}: ${answer.errno} ${answer.why}`]
    })
    expect(refused).toEqual([])
    expect(kvm.vgic).toBeDefined()
  })
})
