import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../blueprint/blueprint.ts'
import { planOf } from '../blueprint/plan.ts'
import { parseCall } from './call-parser.ts'
import { callText, KVM_MSI_VALID_DEVID } from './calls.ts'
import type { KvmCall } from './calls.ts'
import { KVM_CAP } from './capabilities.ts'
import { IRQFD } from './irqfd.ts'

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

  it.each<KvmCall>([
    { call: 'KVM_CHECK_EXTENSION', capability: KVM_CAP.IRQ_ROUTING },
    { call: 'KVM_CHECK_EXTENSION', capability: 9999 },
    { call: 'KVM_GET_REG_LIST', vcpu: 1 },
    { call: 'KVM_GET_MP_STATE', vcpu: 1 },
    { call: 'KVM_SET_MP_STATE', vcpu: 1, state: 3n },
    { call: 'KVM_IRQFD', fd: 3, gsi: 8, flags: 0 },
    { call: 'KVM_IRQFD', fd: 3, gsi: 8, flags: IRQFD.DEASSIGN },
    { call: 'KVM_IRQFD', fd: 3, gsi: 8, flags: IRQFD.RESAMPLE, resamplefd: 4 },
    { call: 'eventfd_write', fd: 3 },
    { call: 'eventfd_read', fd: 3 },
    { call: 'KVM_SIGNAL_MSI', address: 0x809_0040n, data: 1, flags: KVM_MSI_VALID_DEVID, devid: 7 },
    { call: 'KVM_SIGNAL_MSI', address: 0x809_0040n, data: 1, flags: 0, devid: 0 },
    { call: 'KVM_SET_GSI_ROUTING', flags: 0, routes: [] },
    {
      call: 'KVM_SET_GSI_ROUTING',
      flags: 1,
      routes: [
        { gsi: 8, flags: 0, to: 'irqchip', irqchip: 0, pin: 9 },
        { gsi: 9, flags: 2, to: 'irqchip', irqchip: 1, pin: 988 },
        { gsi: 10, flags: KVM_MSI_VALID_DEVID, to: 'msi', address: 0x809_0040n, data: 1, devid: 7 },
        { gsi: 11, flags: 0, to: 'msi', address: 0x809_0040n, data: 1, devid: 0 },
        { gsi: 12, flags: 2 | KVM_MSI_VALID_DEVID, to: 'msi', address: 0n, data: 0, devid: 0 },
        { gsi: 13, flags: 4, to: 'other', type: 5 },
      ],
    },
    { call: 'KVM_RUN', vcpu: 1, stay: true },
  ])('reads $call back', (call) => {
    expect(parseCall(callText(call))).toEqual({ ok: true, call })
  })

  it('names where each GSI leads', () => {
    const routes = [{ gsi: 8, flags: 0, to: 'irqchip', irqchip: 0, pin: 9 }] as const
    expect(callText({ call: 'KVM_SET_GSI_ROUTING', flags: 0, routes })).toBe(
      'KVM_SET_GSI_ROUTING { gsi 8 = irqchip 0 pin 9 }',
    )
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
    ['KVM_SET_GSI_ROUTING { gsi 8 = spi 9 }', /"spi" is not one of irqchip, msi, type/],
    ['KVM_SET_GSI_ROUTING { gsi 8 = irqchip 0 pin 9', /"gsi" is missing at the end/],
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
