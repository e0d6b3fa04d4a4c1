import { describe, expect, it } from 'vitest'
import { defaultBlueprint, parseBlueprint } from '../../../pure/blueprint/blueprint.ts'
import { derivedLines, planLines, planOf } from '../../../pure/blueprint/plan.ts'
import { faultOf, moved, orderOf, switched } from './script.ts'

describe('a plan as lines', () => {
  it('is the document’s until a person changes it, and knows whose order it has', () => {
    expect(orderOf(defaultBlueprint)).toBe('qemu')
    const plan = derivedLines(defaultBlueprint, 'kvmtool')
    expect(orderOf({ ...defaultBlueprint, plan })).toBe('kvmtool')
    expect(orderOf({ ...defaultBlueprint, plan: moved(plan, 1, 4) })).toBeUndefined()
  })

  it('moves a line, and leaves everything alone where it cannot', () => {
    expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a'])
    expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b'])
    expect(moved(['a', 'b'], 0, -1)).toEqual(['a', 'b'])
  })

  it('puts a line out of use and back, and does not call it meanwhile', () => {
    const [first = '', ...rest] = planLines(defaultBlueprint)
    const off = switched(first)
    expect(switched(off)).toBe(first)
    expect(faultOf(off)).toBeUndefined()
    expect(planOf({ ...defaultBlueprint, plan: [off, ...rest] })).toHaveLength(rest.length)
  })

  it('with a line that is no call makes no blueprint, and says which line', () => {
    const read = parseBlueprint({ ...defaultBlueprint, plan: ['KVM_CREATE_VM', 'KVM_CREATE_VCPU id x'] })
    expect(read).toEqual({ ok: false, what: 'plan[1]: The id is "x", which is not a number.' })
  })
})
