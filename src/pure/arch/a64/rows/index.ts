/** Every instruction there is, by encoding class. */
import type { Feature } from '../../cpu/features.ts'
import type { Row } from '../row.ts'
import { branch } from './branch.ts'
import { crypto } from './crypto.ts'
import { dataImmediate } from './data-immediate.ts'
import { dataRegister } from './data-register.ts'
import { exclusiveAndAtomic } from './exclusive.ts'
import { flags } from './flags.ts'
import { floatingPoint } from './fp.ts'
import { half } from './half.ts'
import { halfVector } from './half-vector.ts'
import { loadStore } from './load-store.ts'
import { pauth } from './pauth.ts'
import { simdCopy } from './simd-copy.ts'
import { simdFloat } from './simd-fp.ts'
import { simdLater } from './simd-later.ts'
import { simdLoadStore } from './simd-load-store.ts'
import { simdMisc } from './simd-misc.ts'
import { simdMultiply } from './simd-multiply.ts'
import { simdShift } from './simd-shift.ts'
import { simdStructures } from './simd-structures.ts'
import { simdThreeSame } from './simd-three-same.ts'
import { system } from './system.ts'

export const classes = {
  'data-immediate': dataImmediate,
  'data-register': dataRegister,
  flags,
  branch,
  pauth,
  'load-store': loadStore,
  exclusive: exclusiveAndAtomic,
  system,
  'simd-load-store': simdLoadStore,
  'simd-structures': simdStructures,
  'simd-three-same': simdThreeSame,
  'simd-misc': simdMisc,
  'simd-copy': simdCopy,
  'simd-shift': simdShift,
  'simd-multiply': simdMultiply,
  'simd-float': simdFloat,
  float: floatingPoint,
  half,
  'half-vector': halfVector,
  'simd-later': simdLater,
  crypto,
} as const satisfies Record<string, readonly Row[]>

export type ClassName = keyof typeof classes

export const isClassName = (name: string): name is ClassName => Object.hasOwn(classes, name)
export const classNames: readonly ClassName[] = Object.keys(classes).filter(isClassName)

export const rows: readonly Row[] = Object.values<readonly Row[]>(classes).flat()

/** The instructions of a CPU with these features: to it, the others are UNDEFINED. */
export const rowsWith = (features: ReadonlySet<Feature>): readonly Row[] =>
  rows.filter(({ feature }) => feature === undefined || features.has(feature))
