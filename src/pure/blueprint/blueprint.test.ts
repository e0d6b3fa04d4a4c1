import * as fc from '../../testing/property.ts'
import { describe, expect, it } from 'vitest'
import { callText } from '../uapi/calls.ts'
import { defaultBlueprint, mpidrOf, parseBlueprint } from './blueprint.ts'
import { applyEdit, chooseGic } from './edits.ts'
import type { Edit } from './edits.ts'
import { HOST_PRESETS } from './host.ts'
import { derivedLines, planOf } from './plan.ts'

describe('parseBlueprint', () => {
  it('reads what was written', () => {
    const blueprint = { ...defaultBlueprint, affinities: { 1: 0x0100_0001, 3: 0 }, routes: { 40: 2 }, vcpus: 512 }
    const parsed = parseBlueprint(JSON.parse(JSON.stringify(blueprint)))
    expect(parsed).toEqual({ ok: true, blueprint })
  })

  it('takes a document without a GIC version for one with a GICv3', () => {
    const { gic: _, ...older } = defaultBlueprint
    expect(parseBlueprint(older)).toEqual({ ok: true, blueprint: defaultBlueprint })
  })

  it.each([
    [{ vcpus: 0 }, 'vcpus must be a whole number from 1 to 512; it is 0.'],
    [{ vcpus: 513 }, 'vcpus must be a whole number from 1 to 512; it is 513.'],
    [{ vcpus: 1.5 }, 'vcpus must be a whole number from 1 to 512; it is 1.5.'],
    [{ version: 2 }, 'version must be 1, the only one there is; it is 2.'],
    [{ ruleSet: 'best' }, 'ruleSet must be one of mainline, patch-v1, full-aff3; it is "best".'],
    [{ base: '5.10' }, 'base must be one of 6.1, 6.8, 6.12; it is "5.10".'],
    [
      { affinities: { 1: 2 ** 32 } },
      'affinities[1] must be an affinity from 0 (0.0.0.0) to 4294967295 (ff.ff.ff.ff); it is 4294967296.',
    ],
    [{ affinities: { 4: 1 } }, 'affinities names vCPU "4"; this machine has vCPU 0 to 3.'],
    [{ affinities: { '01': 1 } }, 'affinities names vCPU "01"; this machine has vCPU 0 to 3.'],
    [{ affinities: [1] }, 'affinities must be an object; it is a list.'],
    [{ routes: { 31: 1 } }, 'routes names INTID "31"; this machine has INTID 32 to 287.'],
    [{ memory: 1024 }, 'memory is too small: 1024 bytes; a guest needs at least 16 MiB.'],
    [{ memory: 64 * 2 ** 20 + 1 }, 'memory must be a whole number of MiB; it is 67108865 bytes.'],
    [{ memory: 2 ** 33 }, 'memory must be a whole number from 16777216 to 3221225472 bytes; it is 8589934592.'],
    [
      { guest: { id: 'plan9', append: '' } },
      'guest.id must be one of linux-6.1, linux-6.12, gicsh, own; it is "plan9".',
    ],
    [{ guest: { id: 'gicsh' } }, 'guest.append must be text; it is missing.'],
    [{ host: { ...HOST_PRESETS.H1, priBits: 9 } }, 'host.priBits must be a whole number from 5 to 8; it is 9.'],
    [{ gic: 4 }, 'gic must be one of 2, 3; it is 4.'],
    [{ gic: 2, vcpus: 9 }, 'vcpus must be a whole number from 1 to 8 with a GICv2; it is 9.'],
    [
      { gic: 2, routes: { 40: 1 } },
      'routes must be empty: a GICv2 has no GICD_IROUTER: its SPIs have target masks, which the guest writes.',
    ],
    [{ its: 1 }, 'its must be true or false; it is 1.'],
    [{ gic: 2, its: true }, 'its must be false: a GICv2 has no LPIs that an ITS could raise.'],
    [{ host: { ...HOST_PRESETS.H1, a3v: 1 } }, 'host.a3v must be true or false; it is 1.'],
  ])('says what is wrong with %j', (change, what) => {
    expect(parseBlueprint({ ...defaultBlueprint, ...change })).toEqual({ ok: false, what })
  })

  it('takes a document of before for a machine without an ITS', () => {
    const { its, ...before } = defaultBlueprint
    expect(parseBlueprint(before)).toEqual({ ok: true, blueprint: { ...before, its } })
  })

  it('says what is wrong with something else altogether', () => {
    expect(parseBlueprint('vm')).toEqual({ ok: false, what: 'The blueprint must be an object; it is "vm".' })
    expect(parseBlueprint(null)).toMatchObject({ ok: false })
    const extra = parseBlueprint({ ...defaultBlueprint, cpus: 4 })
    expect(extra.ok ? '' : extra.what).toContain('The blueprint has "cpus", which is not one of version,')
  })

  it('never throws, whatever it is given', () => {
    const anyField = fc.property(
      fc.anything({ withBigInt: true }),
      fc.constantFrom(...Object.keys(defaultBlueprint)),
      (value, field) => {
        const parsed = [parseBlueprint(value), parseBlueprint({ ...defaultBlueprint, [field]: value })]
        return parsed.every((answer) => answer.ok || answer.what.endsWith('.'))
      },
    )
    expect(fc.check(anyField, { numRuns: 300, seed: 1 })).toMatchObject({ failed: false })
  })
})

describe('mpidrOf', () => {
  it("is KVM's default or the blueprint's", () => {
    const blueprint = { ...defaultBlueprint, vcpus: 512, affinities: { 1: 0x0102_0304 } }
    expect([0, 1, 15, 16, 511].map((index) => mpidrOf(blueprint, index))).toEqual([
      0x8000_0000n,
      0x1_8002_0304n,
      0x8000_000fn,
      0x8000_0100n,
      0x8000_1f0fn,
    ])
  })
})

describe('edits', () => {
  const edits: readonly Edit[] = [
    { edit: 'setAffinity', vcpu: 1, affinity: 0x0100_0001 },
    { edit: 'setAffinity', vcpu: 3, affinity: undefined },
    { edit: 'setRoute', intid: 40, affinity: 2 },
    { edit: 'setVcpus', vcpus: 2 },
    { edit: 'setRuleSet', ruleSet: 'full-aff3' },
    { edit: 'setBase', base: '6.1' },
    { edit: 'setHost', host: HOST_PRESETS.H0 },
    { edit: 'setCpu', cpu: 'max' },
    { edit: 'setIts', its: false },
    { edit: 'setGic', gic: 2 },
    { edit: 'setMemory', memory: 512 * 2 ** 20 },
    { edit: 'setGuest', guest: { id: 'gicsh', append: '' } },
  ]
  const busy = { ...defaultBlueprint, its: true, affinities: { 1: 9, 2: 7, 3: 0x0300_0003 }, routes: { 41: 1 } }

  it.each([...edits, { edit: 'several', edits } as const].map((edit) => [edit.edit, edit] as const))(
    '%s has an inverse',
    (_, edit) => {
      const after = applyEdit(busy, edit)
      if (!after.ok) throw new Error(after.what)
      expect(after.blueprint).not.toEqual(busy)
      const back = applyEdit(after.blueprint, after.inverse)
      // Strict: an affinity that is undefined is not the same as none.
      expect(back).toStrictEqual({ ok: true, blueprint: busy, inverse: expect.anything() })
    },
  )

  it('takes a host along that can emulate the GIC, and leaves one that can', () => {
    const onH0 = { ...defaultBlueprint, host: HOST_PRESETS.H0 }
    const edited = applyEdit(onH0, chooseGic(onH0, 2))
    expect(edited).toMatchObject({ ok: true, blueprint: { gic: 2, host: { gic: '3+2', a3v: false } } })
    const onH2 = { ...defaultBlueprint, host: HOST_PRESETS.H2 }
    expect(applyEdit(onH2, chooseGic(onH2, 2))).toMatchObject({
      ok: true,
      blueprint: { gic: 2, host: HOST_PRESETS.H2 },
    })
  })

  const gicV2 = { ...defaultBlueprint, gic: 2 } as const
  it.each([
    [gicV2, { edit: 'setVcpus', vcpus: 9 }, 'A machine with a GICv2 has 1 to 8 vCPUs; 9 is not among them.'],
    [{ ...defaultBlueprint, vcpus: 9 }, { edit: 'setGic', gic: 2 }, 'A GICv2 serves 8 CPUs; this machine has 9.'],
    [
      gicV2,
      { edit: 'setRoute', intid: 40, affinity: 1 },
      'INTID 40 cannot be routed: a GICv2 has no GICD_IROUTER: its SPIs have target masks, which the guest writes.',
    ],
    [
      gicV2,
      { edit: 'setIts', its: true },
      'This machine cannot have an ITS: a GICv2 has no LPIs that an ITS could raise.',
    ],
  ] as const)('knows the limits of a GICv2', (blueprint, edit, what) => {
    expect(applyEdit(blueprint, edit)).toEqual({ ok: false, what })
  })

  it('forgets an affinity that is what KVM gives anyway', () => {
    const edited = applyEdit(defaultBlueprint, { edit: 'setAffinity', vcpu: 2, affinity: 2 })
    expect(edited).toMatchObject({ ok: true, blueprint: { affinities: {} } })
  })

  it.each([
    [{ edit: 'setAffinity', vcpu: 4, affinity: 1 }, 'There is no vCPU 4: this machine has 0 to 3.'],
    [{ edit: 'setRoute', intid: 288, affinity: 1 }, 'INTID 288 is not an SPI of this machine: it has 32 to 287.'],
    [{ edit: 'setVcpus', vcpus: 513 }, 'A machine has 1 to 512 vCPUs; 513 is not among them.'],
    [{ edit: 'setMemory', memory: 1 }, 'RAM is 16 to 3072 whole MiB; 1 bytes is not.'],
  ] as const)('refuses %j', (edit, what) => {
    expect(applyEdit(defaultBlueprint, edit)).toEqual({ ok: false, what })
  })
})

describe('cpu', () => {
  it('is a Cortex-A57 in a document that does not name it', () => {
    const { cpu, ...older } = defaultBlueprint
    expect(cpu).toBe('cortex-a57')
    expect(parseBlueprint(older)).toEqual({ ok: true, blueprint: defaultBlueprint })
  })

  it('is one that there is', () => {
    expect(parseBlueprint({ ...defaultBlueprint, cpu: 'cortex-a72' })).toEqual({
      ok: false,
      what: 'cpu must be one of cortex-a57, cortex-a76, max; it is "cortex-a72".',
    })
  })
})

describe('planOf', () => {
  it("is in QEMU's order", () => {
    const plan = planOf({ ...defaultBlueprint, vcpus: 2, affinities: { 1: 0x0100_0001 }, routes: { 40: 0x0100_0001 } })
    expect(plan.map(callText)).toEqual([
      'KVM_CREATE_VM',
      'KVM_CREATE_VCPU id 0',
      'KVM_CREATE_VCPU id 1',
      'KVM_ARM_VCPU_INIT vcpu 0 { PSCI_0_2, PMU_V3 }',
      'KVM_ARM_VCPU_INIT vcpu 1 { POWER_OFF, PSCI_0_2, PMU_V3 }',
      'KVM_SET_ONE_REG vcpu 1 MPIDR_EL1 = 0x180000001',
      'KVM_CREATE_DEVICE ARM_VGIC_V3',
      'KVM_SET_DEVICE_ATTR NR_IRQS = 288',
      'KVM_SET_DEVICE_ATTR ADDR V3_DIST = 0x8000000',
      'KVM_SET_DEVICE_ATTR ADDR V3_REDIST_REGION = { index 0, base 0x80a0000, count 2 }',
      'KVM_SET_DEVICE_ATTR CTRL INIT',
      'KVM_SET_DEVICE_ATTR vcpu 0 PMU_V3_CTRL PMU_V3_IRQ = 23',
      'KVM_SET_DEVICE_ATTR vcpu 0 PMU_V3_CTRL PMU_V3_INIT',
      'KVM_SET_DEVICE_ATTR vcpu 1 PMU_V3_CTRL PMU_V3_IRQ = 23',
      'KVM_SET_DEVICE_ATTR vcpu 1 PMU_V3_CTRL PMU_V3_INIT',
      'KVM_SET_DEVICE_ATTR DIST_REGS 0x6140 = 0x1',
      'KVM_SET_DEVICE_ATTR DIST_REGS 0x6144 = 0x1',
    ])
  })

  it('makes an ITS after the GIC', () => {
    const plan = planOf({ ...defaultBlueprint, its: true, routes: { 40: 1 }, vcpus: 1 }).map(callText)
    expect(plan.slice(plan.indexOf('KVM_SET_DEVICE_ATTR CTRL INIT') + 1)).toEqual([
      'KVM_CREATE_DEVICE ARM_VGIC_ITS',
      'KVM_SET_DEVICE_ATTR ITS 0 CTRL INIT',
      'KVM_SET_DEVICE_ATTR ITS 0 ADDR ITS = 0x8080000',
      'KVM_SET_DEVICE_ATTR vcpu 0 PMU_V3_CTRL PMU_V3_IRQ = 23',
      'KVM_SET_DEVICE_ATTR vcpu 0 PMU_V3_CTRL PMU_V3_INIT',
      'KVM_SET_DEVICE_ATTR DIST_REGS 0x6140 = 0x1',
      'KVM_SET_DEVICE_ATTR DIST_REGS 0x6144 = 0x0',
    ])
  })

  it("is in QEMU's order with a GICv2 too", () => {
    const plan = planOf({ ...defaultBlueprint, gic: 2, vcpus: 1 })
    expect(plan.map(callText).slice(3)).toEqual([
      'KVM_CREATE_DEVICE ARM_VGIC_V2',
      'KVM_SET_DEVICE_ATTR NR_IRQS = 288',
      'KVM_SET_DEVICE_ATTR CTRL INIT',
      'KVM_SET_DEVICE_ATTR ADDR V2_CPU = 0x8010000',
      'KVM_SET_DEVICE_ATTR ADDR V2_DIST = 0x8000000',
      'KVM_SET_DEVICE_ATTR vcpu 0 PMU_V3_CTRL PMU_V3_IRQ = 23',
      'KVM_SET_DEVICE_ATTR vcpu 0 PMU_V3_CTRL PMU_V3_INIT',
    ])
  })

  it.each([
    ['qemu', 'cortex-a57', 'PSCI_0_2, PMU_V3', true],
    ['qemu', 'max', 'PSCI_0_2, PMU_V3, PTRAUTH_ADDRESS, PTRAUTH_GENERIC', true],
    ['kvmtool', 'max', 'PSCI_0_2, PTRAUTH_ADDRESS, PTRAUTH_GENERIC', false],
    ['kvmtool', 'cortex-a57', 'PSCI_0_2', false],
    ['firecracker', 'max', 'PSCI_0_2', false],
  ] as const)('asks for what %s asks for on a %s', (order, cpu, features, pmu) => {
    const plan = derivedLines({ ...defaultBlueprint, cpu, vcpus: 1 }, order)
    expect(plan).toContain(`KVM_ARM_VCPU_INIT vcpu 0 { ${features} }`)
    expect(plan.some((line) => line.includes('PMU_V3_INIT'))).toBe(pmu)
  })

  it('splits 512 redistributors over two regions', () => {
    const regions = planOf({ ...defaultBlueprint, vcpus: 512 })
      .map(callText)
      .filter((text) => text.includes('REDIST_REGION'))
    expect(regions).toEqual([
      'KVM_SET_DEVICE_ATTR ADDR V3_REDIST_REGION = { index 0, base 0x80a0000, count 123 }',
      'KVM_SET_DEVICE_ATTR ADDR V3_REDIST_REGION = { index 1, base 0x4000000000, count 389 }',
    ])
  })
})
