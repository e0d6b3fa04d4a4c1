/** The SYS instructions: caches, address translation, TLB (Arm ARM C5.3 to C5.5). */
import type { Feature } from '../cpu/features.ts'
import { sysregEncoding } from './encoding.ts'

export type SystemOperation =
  /** Forgets translations: all, those of an ASID, those of an address. */
  | { readonly does: 'tlbi'; readonly scope: 'all' | 'asid' | 'address' }
  /** Forgets fetched instructions. */
  | { readonly does: 'ic'; readonly scope: 'all' | 'address' }
  /** Data cache maintenance by address: checks the address, as the memory is always up to date. */
  | { readonly does: 'dc'; readonly write: boolean }
  /** Data cache maintenance by set and way: nothing is left to do. */
  | { readonly does: 'nothing' }
  | { readonly does: 'at'; readonly write: boolean; readonly el: 0 | 1 }

export interface OperationRow {
  readonly name: string
  readonly encoding: number
  /** The least exception level; at EL0, SCTLR_EL1.UCI decides whether the operation is trapped. */
  readonly el: 0 | 1
  /** Only CPUs with this feature have the operation. */
  readonly feature: Feature | undefined
  readonly operation: SystemOperation
}

/** SCTLR_EL1.UCI: EL0 may use cache maintenance by address. */
export const SCTLR_UCI = 26
/** The ASID in the operand of TLBI: bits 63:48. */
export const TLBI_ASID_LSB = 48n
/** The address in the operand of TLBI: bits 43:0 are bits 55:12 of the address. */
export const TLBI_ADDRESS_MASK = (1n << 44n) - 1n

const at = (
  name: string,
  op1: number,
  crm: number,
  op2: number,
  operation: SystemOperation,
  feature?: Feature,
): OperationRow => ({
  name,
  encoding: sysregEncoding(1, op1, 7, crm, op2),
  el: op1 === 3 ? 0 : 1,
  feature,
  operation,
})

const TLBI = [
  ['VMALLE1', 0, 'all'],
  ['VAE1', 1, 'address'],
  ['ASIDE1', 2, 'asid'],
  ['VAAE1', 3, 'address'],
  ['VALE1', 5, 'address'],
  ['VAALE1', 7, 'address'],
] as const

/** The Inner Shareable forms reach every CPU; the soft TLB is shared, so that the others do too. */
const tlbi: readonly OperationRow[] = TLBI.flatMap(([name, op2, scope]) =>
  [
    { crm: 7, suffix: '' },
    { crm: 3, suffix: 'IS' },
  ].map(
    ({ crm, suffix }): OperationRow => ({
      name: `TLBI ${name}${suffix}`,
      encoding: sysregEncoding(1, 0, 8, crm, op2),
      el: 1,
      feature: undefined,
      operation: { does: 'tlbi', scope },
    }),
  ),
)

export const operations: readonly OperationRow[] = [
  ...tlbi,
  at('IC IALLUIS', 0, 1, 0, { does: 'ic', scope: 'all' }),
  at('IC IALLU', 0, 5, 0, { does: 'ic', scope: 'all' }),
  at('IC IVAU', 3, 5, 1, { does: 'ic', scope: 'address' }),
  at('DC IVAC', 0, 6, 1, { does: 'dc', write: true }),
  at('DC ISW', 0, 6, 2, { does: 'nothing' }),
  at('DC CSW', 0, 10, 2, { does: 'nothing' }),
  at('DC CISW', 0, 14, 2, { does: 'nothing' }),
  at('DC CVAC', 3, 10, 1, { does: 'dc', write: false }),
  at('DC CVAU', 3, 11, 1, { does: 'dc', write: false }),
  at('DC CIVAC', 3, 14, 1, { does: 'dc', write: false }),
  at('AT S1E1R', 0, 8, 0, { does: 'at', write: false, el: 1 }),
  at('AT S1E1W', 0, 8, 1, { does: 'at', write: true, el: 1 }),
  at('AT S1E0R', 0, 8, 2, { does: 'at', write: false, el: 0 }),
  at('AT S1E0W', 0, 8, 3, { does: 'at', write: true, el: 0 }),
]
