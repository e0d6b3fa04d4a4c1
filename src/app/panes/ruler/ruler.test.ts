import { describe, expect, it } from 'vitest'
import { AFFINITY_FORMS } from '../../../pure/arch/affinity-forms.ts'
import { defaultBlueprint } from '../../../pure/blueprint/blueprint.ts'
import { forecast } from '../../../pure/rules/forecast.ts'
import { bytesOf } from './bytes.ts'
import { lostIn } from '../shared/lost-levels.ts'

const coloured = (name: string, affinity: number): string => {
  const form = AFFINITY_FORMS.find((one) => one.name === name)
  return (form === undefined ? [] : bytesOf(form, affinity))
    .filter(({ level }) => level !== undefined)
    .map(({ level, bits, text }) => `Aff${level} ${bits} ${text}`)
    .join(', ')
}

describe('the bytes of a ruler', () => {
  it('carry the levels where each form has them', () => {
    expect(coloured('MPIDR_EL1', 0x0a0b0c0d)).toBe('Aff3 39:32 0a, Aff2 23:16 0b, Aff1 15:8 0c, Aff0 7:0 0d')
    expect(coloured('GICR_TYPER', 0x0a0b0c0d)).toBe('Aff3 63:56 0a, Aff2 55:48 0b, Aff1 47:40 0c, Aff0 39:32 0d')
  })

  it('carry Aff0 of an SGI in the byte of its bit', () => {
    expect(coloured('ICC_SGI1R_EL1', 0x0100_0002)).toContain('Aff0 7:0 04')
    expect(coloured('ICC_SGI1R_EL1', 0x0100_000d)).toContain('Aff0 15:8 20')
  })
})

describe('what is lost on the way', () => {
  const blueprint = { ...defaultBlueprint, affinities: { 2: 0x0100_0002 } }

  it('is GICR_TYPER and GICD_IROUTER under mainline, and nothing under full-aff3', () => {
    expect(Object.keys(lostIn(forecast(blueprint), 2))).toEqual(['GICR_TYPER', 'GICD_IROUTER'])
    expect(lostIn(forecast({ ...blueprint, ruleSet: 'full-aff3' }), 2)).toEqual({})
  })

  it('is MPIDR_EL1 as well where an old base resets it', () => {
    expect(Object.keys(lostIn(forecast({ ...blueprint, ruleSet: 'patch-v1', base: '6.8' }), 2))).toContain('MPIDR_EL1')
  })
})
