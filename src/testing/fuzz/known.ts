/** Where QEMU (7.2) is wrong: each by name, with the section of the Arm ARM that says so. */
import type { Row } from '../../pure/arch/a64/row.ts'
import { differences, vectorOf } from './batch.ts'
import { record } from './layout.ts'

/** A difference after one instruction: states before it, and after it as each leaves them. */
export interface Difference {
  readonly row: Row
  readonly word: number
  readonly before: DataView
  readonly want: DataView
  readonly got: DataView
}

interface Known {
  readonly name: string
  readonly section: string
  /** The row's name. */
  readonly row: string
  readonly explains: (d: Difference) => boolean
}

const d = (word: number): number => word & 31
const onlyDiffersIn = (found: Difference, name: string): boolean => {
  const list = differences(found.want, found.got)
  return list.length === 1 && list[0]?.startsWith(`${name} is`) === true
}
const nzcv = (state: DataView): number => state.getUint32(record.NZCV, true) >>> 28

export const KNOWN: readonly Known[] = [
  {
    name: 'FCVTZS (scalar, fixed-point) of half precision: QEMU leaves the sign in bits 31 to 16',
    section: 'Arm ARM C7.2, FCVTZS (vector, fixed-point): writing V[] clears what is above',
    row: 'FCVTZS/FCVTZU (scalar, vector fixed-point, half)',
    explains: (found) =>
      onlyDiffersIn(found, `V${d(found.word)}`) &&
      vectorOf(found.got, d(found.word)) === (vectorOf(found.want, d(found.word)) & 0xffffn),
  },
  {
    name: 'FJCVTZS of a denormal that FPCR.FZ flushes: QEMU sets Z (its issue 2375, mended in 9.1)',
    section: 'Arm ARM, FPToFixedJS of shared/functions/float',
    row: 'FJCVTZS',
    explains: (found) =>
      onlyDiffersIn(found, 'NZCV') &&
      (found.before.getUint32(record.FPCR, true) & (1 << 24)) !== 0 &&
      nzcv(found.want) === 4 &&
      nzcv(found.got) === 0,
  },
]

export const knownDifference = (found: Difference): string | undefined => {
  const known = KNOWN.find(({ row, explains }) => row === found.row.name && explains(found))
  return known === undefined ? undefined : `${known.name} (${known.section})`
}
