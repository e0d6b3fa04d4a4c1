/** How a system register of the CPU is described. Those of the GIC and the timer are described by their owners. */
import type { Feature } from '../cpu/features.ts'
import { sysregEncoding } from './encoding.ts'

/** What a read answers and a write does. */
export type SysregKind =
  /** Reads a fixed value; writing is UNDEFINED. */
  | { readonly kind: 'constant'; readonly value: bigint }
  /** Tells the features of the CPU's model, beside what all have. */
  | { readonly kind: 'identification'; readonly base: bigint }
  /** Keeps the bits of `mask` that are written, and those that features add; the others read as in `reset`. */
  | {
      readonly kind: 'stored'
      readonly reset: bigint
      readonly mask: bigint
      readonly featureMasks: FeatureMasks
      readonly retranslate: boolean
    }
  /** Reads as zero, ignores writes. */
  | { readonly kind: 'ignored' }
  /** A part of PSTATE, or computed: the register file knows it by name. */
  | { readonly kind: 'special' }

/** Bits of a register that only CPUs with a feature have. */
export type FeatureMasks = Readonly<Partial<Record<Feature, bigint>>>

export interface SysregRow {
  readonly name: string
  /** Bits 20:5 of MRS and MSR. */
  readonly encoding: number
  /** The least exception level that may read and write it; `undefined`: nobody. */
  readonly read: 0 | 1 | undefined
  readonly write: 0 | 1 | undefined
  /** The bit of SCTLR_EL1 that lets EL0 have access; without it the access is trapped. */
  readonly el0Control: number | undefined
  /** Only CPUs with this feature have the register. */
  readonly feature: Feature | undefined
  readonly is: SysregKind
}

type Encoded = readonly [op0: number, op1: number, crn: number, crm: number, op2: number]

interface Options {
  readonly read?: 0 | 1
  readonly write?: 0 | 1
  readonly el0Control?: number
  readonly feature?: Feature
}

const ALL = 0xffff_ffff_ffff_ffffn

/** Registers whose op1 is 3 are those of EL0 (Arm ARM D22.3.1). */
const leastLevel = ([, op1]: Encoded): 0 | 1 => (op1 === 3 ? 0 : 1)

const row = (name: string, e: Encoded, is: SysregKind, options: Options, writable: boolean): SysregRow => ({
  name,
  encoding: sysregEncoding(...e),
  read: options.read ?? leastLevel(e),
  write: writable ? (options.write ?? leastLevel(e)) : undefined,
  el0Control: options.el0Control,
  feature: options.feature,
  is,
})

export const constant = (name: string, e: Encoded, value: bigint, options: Options = {}): SysregRow =>
  row(name, e, { kind: 'constant', value }, options, false)

export const stored = (
  name: string,
  e: Encoded,
  options: Options & {
    readonly reset?: bigint
    readonly mask?: bigint
    readonly featureMasks?: FeatureMasks
    readonly retranslate?: boolean
  } = {},
): SysregRow => {
  const { reset = 0n, mask = ALL, featureMasks = {}, retranslate = false } = options
  return row(name, e, { kind: 'stored', reset, mask, featureMasks, retranslate }, options, true)
}

export const identifies = (name: string, e: Encoded, base = 0n): SysregRow =>
  row(name, e, { kind: 'identification', base }, {}, false)

export const ignored = (name: string, e: Encoded, options: Options = {}): SysregRow =>
  row(name, e, { kind: 'ignored' }, options, true)

export const special = (
  name: string,
  e: Encoded,
  options: Options & { readonly readOnly?: boolean; readonly writeOnly?: boolean } = {},
): SysregRow => {
  const made = row(name, e, { kind: 'special' }, options, options.readOnly !== true)
  return options.writeOnly === true ? { ...made, read: undefined } : made
}
