/** Every instruction there is. */
import type { Feature } from '../../cpu/features.ts'
import type { Row } from '../row.ts'
import { branch } from './branch.ts'
import { dataImmediate } from './data-immediate.ts'
import { dataRegister } from './data-register.ts'
import { floatingPoint } from './fp.ts'
import { loadStore } from './load-store.ts'
import { simdCopy } from './simd-copy.ts'
import { simdFloat } from './simd-fp.ts'
import { simdLoadStore } from './simd-load-store.ts'
import { simdMisc } from './simd-misc.ts'
import { simdMultiply } from './simd-multiply.ts'
import { simdShift } from './simd-shift.ts'
import { simdStructures } from './simd-structures.ts'
import { simdThreeSame } from './simd-three-same.ts'
import { system } from './system.ts'

export const rows: readonly Row[] = [
  ...dataImmediate,
  ...dataRegister,
  ...branch,
  ...loadStore,
  ...system,
  ...simdLoadStore,
  ...simdStructures,
  ...simdThreeSame,
  ...simdMisc,
  ...simdCopy,
  ...simdShift,
  ...simdMultiply,
  ...simdFloat,
  ...floatingPoint,
]

/** The instructions of a CPU with these features: to it, the others are UNDEFINED. */
export const rowsWith = (features: ReadonlySet<Feature>): readonly Row[] =>
  rows.filter(({ feature }) => feature === undefined || features.has(feature))
