import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../blueprint/blueprint.ts'
import { planOf } from '../blueprint/plan.ts'
import { parseCall } from './call-parser.ts'
import { callText } from './calls.ts'

describe('a call as text', () => {
  const plans = [
    { ...defaultBlueprint, affinities: { 2: 0x0100_0002 }, routes: { 40: 0x0100_0002 } },
    { ...defaultBlueprint, vcpus: 512, its: true },
    { ...defaultBlueprint, gic: 2 as const },
    { ...defaultBlueprint, cpu: 'max' as const },
  ]

  it.each(plans)('reads every call of a plan back as it was (plan %#)', (blueprint) => {
    for (const call of planOf(blueprint)) expect(parseCall(callText(call))).toEqual({ ok: true, call })
  })

  it.each(['PMU_V3_CTRL PMU_V3_IRQ', 'PMU_V3_CTRL PMU_V3_INIT', 'TIMER_CTRL 0x0'])(
    'reads %s of a vCPU back',
    (attr) => {
      for (const call of ['KVM_HAS_DEVICE_ATTR', 'KVM_GET_DEVICE_ATTR']) {
        const text = `${call} vcpu 3 ${attr}`
        const parsed = parseCall(text)
        expect(parsed.ok ? callText(parsed.call) : parsed.what).toBe(text)
      }
    },
  )

  it.each([
    ['', /A call is missing/],
    ['KVM_MAKE_COFFEE', /"KVM_MAKE_COFFEE" is not a call of a plan/],
    ['KVM_CREATE_VCPU id', /The id is missing/],
    ['KVM_CREATE_VCPU id banana', /The id is "banana", which is not a number/],
    ['KVM_CREATE_VCPU id 1 2', /"2" stands after the end/],
    ['KVM_ARM_VCPU_INIT vcpu 0 { SME }', /"SME" is not one of POWER_OFF/],
    ['KVM_SET_DEVICE_ATTR vcpu 0 ADDR V3_DIST = 0', /"ADDR" is not one of PMU_V3_CTRL/],
    ['KVM_SET_DEVICE_ATTR vcpu 0 PMU_V3_CTRL PMU_V3_INIT = 1', /"=" stands after the end/],
    ['KVM_SET_ONE_REG vcpu 0 MPIDR_EL1 0x1', /"0x1" stands where "=" is expected/],
    ['KVM_SET_ONE_REG vcpu 0 MPIDR_EL1 = 0x10000000000000000', /more than 64 bits/],
    ['KVM_SET_DEVICE_ATTR REDIST_REGS 1.0.0 0x8 = 0', /has 3 fields/],
  ])('%s is refused', (text, says) => {
    const parsed = parseCall(text)
    expect(parsed.ok ? '' : parsed.what).toMatch(says)
  })
})
