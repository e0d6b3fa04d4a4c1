import { assert, integer, property } from '../../testing/property.ts'
import { describe, expect, it } from 'vitest'
import { AFFINITY_FORMS, readForm } from './affinity-forms.ts'

const form = (name: string) => {
  const found = AFFINITY_FORMS.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no form ${name}`)
  return found
}

describe('the five layouts of an affinity', () => {
  it.each(AFFINITY_FORMS)('$name gives back every affinity it was given', ({ encode, read }) => {
    assert(
      property(integer({ min: 0, max: 0xffff_ffff }), (affinity) => {
        expect(read(encode(affinity))).toEqual({ ok: true, affinity })
      }),
    )
  })

  // Values of the manual's figures, put together by hand: Aff3 = 0xa, Aff2 = 0xb, Aff1 = 0xc, Aff0 = 0xd.
  it.each([
    ['MPIDR_EL1', 0x0a_800b_0c0dn],
    ['GICR_TYPER', 0x0a0b0c0d_00000000n],
    ['GICD_IROUTER', 0x0a_000b_0c0dn],
    ['ICC_SGI1R_EL1', 0x000a_000b_000c_2000n],
    ['KVM attribute', 0x0a0b0c0d_00000000n],
  ])('%s of a.b.c.d is %s', (name, value) => {
    expect(form(name).encode(0x0a0b0c0d)).toBe(value)
  })

  it.each([
    ['MPIDR_EL1', '0x2_8000_0000', undefined],
    ['MPIDR_EL1', '0x10000000000', /Bits 0x10000000000 of MPIDR_EL1/],
    ['GICD_IROUTER', '0x80000000', /Bits 0x80000000 of GICD_IROUTER/],
    ['ICC_SGI1R_EL1', '0x0', /target list is empty/],
    ['ICC_SGI1R_EL1', '0x3', /names 2 CPUs/],
    ['ICC_SGI1R_EL1', '0x10000000001', /IRM is set/],
    ['GICR_TYPER', '0x1_0000_0000_0000_0000', /more than 64 bits/],
    ['GICR_TYPER', 'banana', /"banana" is not a hexadecimal number/],
  ])('%s with %s', (name, text, refusal) => {
    const read = readForm(form(name), text)
    expect(read.ok ? '' : read.what).toMatch(refusal ?? /^$/)
  })
})
