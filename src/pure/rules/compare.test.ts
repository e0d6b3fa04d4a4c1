import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../blueprint/blueprint.ts'
import { HOST_PRESETS, RULE_SETS } from '../blueprint/host.ts'
import { compareMachines } from './compare.ts'

const blueprint = { ...defaultBlueprint, affinities: { 2: 0x0100_0002 }, routes: { 40: 0x0100_0002 } }
const rows = compareMachines(RULE_SETS.map((ruleSet) => ({ ...blueprint, ruleSet })))
const values = (name: string) => rows.find((row) => row.name === name)?.values

describe('machines beside each other', () => {
  it('differ in GICR_TYPER and what the guest finds, by rule set', () => {
    expect(values('vCPU 2: GICR_TYPER[63:32]')).toEqual(['0x00000002', '0x01000002', '0x01000002'])
    expect(values('vCPU 2: search for its redistributor')).toEqual([
      'looks for 1.0.0.2, finds none',
      'looks for 1.0.0.2, finds that of vCPU 2',
      'looks for 1.0.0.2, finds that of vCPU 2',
    ])
  })

  it('tell what becomes of them before the registers that make it so', () => {
    const [first] = rows.filter(({ differs }) => differs)
    expect(first?.name).toBe('vCPU 2: search for its redistributor')
  })

  it('differ in a route that is written in halves', () => {
    expect(values('GICD_IROUTER40')).toEqual(['0x0000000000000002', '0x0000000000000001', '0x0000000100000002'])
  })

  it('agree on CPUs that have no Aff3', () => {
    expect(rows.filter(({ cpu, differs }) => cpu === 1 && differs)).toEqual([])
  })

  it('differ in nothing from themselves', () => {
    expect(compareMachines([blueprint, blueprint]).filter(({ differs }) => differs)).toEqual([])
  })

  it('say nothing where a machine has no such thing', () => {
    const [first, second] = [blueprint, { ...blueprint, vcpus: 2, affinities: {}, routes: {} }]
    const row = compareMachines([first, second]).find(({ name }) => name.startsWith('vCPU 3: MPIDR'))
    expect(row?.values[1]).toBeUndefined()
    expect(row?.differs).toBe(true)
  })

  it('differ between hosts where the rules ask the host', () => {
    const hosts = [HOST_PRESETS.H1, HOST_PRESETS.H0].map((host) => ({
      ...blueprint,
      ruleSet: 'patch-v1' as const,
      host,
    }))
    const masked = compareMachines(hosts).find(({ name }) => name === 'vCPU 2: MPIDR_EL1 once it runs')
    expect(masked?.values).toEqual(['0x0000000180000002', '0x0000000080000002'])
  })
})
