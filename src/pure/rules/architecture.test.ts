import { describe, expect, it } from 'vitest'
import { HOST_PRESETS } from '../blueprint/host.ts'
import { ARCHITECTURE_PATHS, architectureCell } from './architecture.ts'
import { aff3Matrix } from './matrix.ts'

const affinity = 0x0100_0002
const rows = aff3Matrix({ base: '6.12', host: HOST_PRESETS.H1, affinity, cpu: 2 })

describe('the column of the architecture', () => {
  it('answers for rows that the matrix has', () => {
    const paths = rows.map(({ path }) => path)
    expect(ARCHITECTURE_PATHS.filter((path) => !paths.includes(path))).toEqual([])
  })

  // full-aff3 is defined as the architecture on every path that a guest can see.
  it.each(ARCHITECTURE_PATHS)('agrees with full-aff3 on %s', (path) => {
    const row = rows.find((one) => one.path === path)
    expect(architectureCell(path, affinity)?.text).toBe(row?.cells['full-aff3'].text)
  })

  it('says nothing of what only a hypervisor has', () => {
    expect(architectureCell('KVM_SET_ONE_REG(MPIDR_EL1)', affinity)).toBeUndefined()
  })
})
