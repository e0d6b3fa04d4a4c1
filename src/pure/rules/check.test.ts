import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../blueprint/blueprint.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { HOST_PRESETS } from '../blueprint/host.ts'
import { findings } from './check.ts'
import { matrix } from './matrix.ts'

const AFF3_1 = 0x0100_0001
const texts = (change: Partial<Blueprint>): string[] =>
  findings({ ...defaultBlueprint, ...change }).map(({ severity, text }) => `${severity}: ${text}`)

const NOT_NEEDED =
  'info: No VM needs Aff3: 512 vCPUs fit Aff1 and Aff0. It is for trying topologies, and software that reads all four levels.'

describe('findings', () => {
  it('has nothing to say about the machine one starts with', () => {
    expect(texts({})).toEqual([])
    expect(texts({ vcpus: 512 })).toEqual([])
  })

  it('sees that mainline shows no Aff3', () => {
    const all = texts({ affinities: { 1: AFF3_1 } })
    expect(all[0]).toBe('error: vCPU 1 will find no redistributor: it looks for 1.0.0.1, but GICR_TYPER shows 0.0.0.1.')
    expect(all).toHaveLength(3)
    expect(all[1]).toMatch(/^warning: .*GICD_TYPER\.A3V = 0/)
    expect(all[2]).toBe(NOT_NEEDED)
  })

  it('sees that CPU_ON takes the patch its Aff3 on its own base, and not on a newer one', () => {
    const patched = { ruleSet: 'patch-v1', affinities: { 1: AFF3_1 } } as const
    expect(texts({ ...patched, base: '6.8' })).toContain(
      'error: vCPU 1 will find no redistributor: it looks for 1.0.0.1, but its MPIDR_EL1 is 0.0.0.1 once it runs.',
    )
    expect(texts({ ...patched, base: '6.12' }).filter((text) => text.startsWith('error'))).toEqual([])
  })

  it('sees that the patch drops Aff3 on a host without A3V', () => {
    const all = texts({ ruleSet: 'patch-v1', host: HOST_PRESETS.H0, affinities: { 1: AFF3_1 } })
    // The VMM reads back what is stored, and its device tree says so: the CPU comes up, elsewhere.
    expect(all.filter((text) => text.startsWith('error'))).toEqual([
      'error: vCPU 1 is to be 1.0.0.1, but KVM stores 0.0.0.1 and reports no error.',
    ])
  })

  it('is content with full Aff3 on every host, but tells of the trap', () => {
    const full = { ruleSet: 'full-aff3', affinities: { 1: AFF3_1 } } as const
    expect(texts(full)).toEqual([NOT_NEEDED])
    expect(texts({ ...full, host: HOST_PRESETS.H0 })).toEqual([
      NOT_NEEDED,
      'info: This VM has A3V = 1 and its host 0: KVM traps ICC_CTLR_EL1.',
    ])
  })

  it('asks of a GICv2 machine whether its host can have one, and of its CPUs whether they come up', () => {
    const v2 = { gic: 2, affinities: { 1: AFF3_1 } } as const
    expect(texts({ ...v2, host: HOST_PRESETS.H2 })).toEqual([])
    expect(texts(v2)).toEqual([
      'error: This host cannot emulate a GICv2: KVM_CREATE_DEVICE(ARM_VGIC_V2) fails with ENODEV.',
    ])
    expect(texts({ ...v2, host: HOST_PRESETS.HC })).toEqual([])
    expect(texts({ ...v2, host: HOST_PRESETS.H2, ruleSet: 'patch-v1' })).toContain(
      'error: vCPU 1 is to be 1.0.0.1, but KVM stores 0.0.0.1 and reports no error.',
    )
  })

  it('names duplicates and whom CPU_ON addresses instead', () => {
    const all = texts({ affinities: { 2: 1 } })
    expect(all).toContain('error: vCPUs 1, 2 share the affinity 0.0.0.1: a guest cannot tell them apart.')
    expect(all.some((text) => text.includes('will stay off'))).toBe(true)
  })

  it('names CPUs that no target list reaches', () => {
    expect(texts({ affinities: { 3: 0x10 } })).toEqual([
      'warning: vCPU 3 has Aff0 = 0x10: no SGI but a broadcast reaches it.',
    ])
  })

  it('names routes that lead nowhere or elsewhere', () => {
    expect(texts({ routes: { 40: 0x77 } })).toEqual([
      'warning: SPI 8 (INTID 40) has no target: GICD_IROUTER holds 0.0.0.77, and no vCPU is there. It will stay pending.',
    ])
    // The patch takes the high word for the low one: a plain route ends at 0.0.0.0.
    const [first] = findings({ ...defaultBlueprint, ruleSet: 'patch-v1', routes: { 40: 2 } })
    expect(first).toMatchObject({ severity: 'error', where: { kind: 'spi', index: 40 } })
    expect(first?.text).toContain('is to be routed to 0.0.0.2; GICD_IROUTER keeps 0.0.0.0, which is vCPU 0')
  })

  it('names a host that has no GICv3', () => {
    expect(texts({ host: HOST_PRESETS.H2 })).toEqual([
      'error: This host has a GICv2 only: KVM_CREATE_DEVICE(ARM_VGIC_V3) fails with ENODEV.',
    ])
  })

  it('names redistributors beyond the address space', () => {
    const host = { ...HOST_PRESETS.H1, ipaBits: 36 }
    expect(texts({ host, vcpus: 123 })).toEqual([])
    expect(texts({ host, vcpus: 124 })[0]).toContain("end at 0x4000020000, and this host's guests have 36 address bits")
  })

  it('gives a source with everything it says', () => {
    for (const ruleSet of ['mainline', 'patch-v1', 'full-aff3'] as const) {
      const all = findings({ ...defaultBlueprint, ruleSet, affinities: { 1: AFF3_1, 2: AFF3_1 }, routes: { 40: 9 } })
      expect(all.length).toBeGreaterThan(0)
      for (const { source } of all) expect(source).not.toBe('')
    }
  })
})

const seen = (base: '6.1' | '6.8' | '6.12', host = HOST_PRESETS.H1): Record<string, string> =>
  Object.fromEntries(
    matrix(base, host).map(({ path, cells }) => [
      path,
      [cells.mainline, cells['patch-v1'], cells['full-aff3']].map(({ sees }) => Number(sees)).join(''),
    ]),
  )

describe('the matrix of paths', () => {
  it('tells which path has Aff3 on the usual host', () => {
    expect(seen('6.12')).toMatchObject({
      'KVM_SET_ONE_REG(MPIDR_EL1)': '111',
      'MPIDR_EL1 after PSCI CPU_ON': '111',
      'GICR_TYPER[63:32]': '011',
      'GICD_IROUTER, 64-bit write': '011',
      'GICD_IROUTER, 32-bit halves': '001',
      'Target of the SPI': '011',
      'ICC_SGI1R_EL1.Aff3': '111',
      'PSCI CPU_ON target': '111',
      'GICD_TYPER.A3V': '001',
      'ICC_CTLR_EL1.A3V, read by the guest': '111',
    })
  })

  it('tells what an older kernel and a host without A3V change', () => {
    expect(seen('6.8')).toMatchObject({ 'MPIDR_EL1 after PSCI CPU_ON': '001' })
    expect(seen('6.12', HOST_PRESETS.H0)).toMatchObject({
      'KVM_SET_ONE_REG(MPIDR_EL1)': '101',
      'ICC_SGI1R_EL1.Aff3': '101',
      'ICC_CTLR_EL1.A3V, read by the guest': '001',
      'ICC_CTLR_EL1.A3V = 1, written by the VMM': '001',
    })
  })
})
