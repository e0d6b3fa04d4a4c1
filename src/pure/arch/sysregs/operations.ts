/** The SYS instructions: caches, address translation, TLB (Arm ARM C5.3 to C5.5). */
import type { Feature } from '../cpu/features.ts'
import { sysregEncoding } from './encoding.ts'

export type SystemOperation =
  /** Forgets translations: all, those of an ASID, those of an address, those of a range of addresses. */
  | { readonly does: 'tlbi'; readonly scope: 'all' | 'asid' | 'address' | 'range' }
  /** Forgets fetched instructions. */
  | { readonly does: 'ic'; readonly scope: 'all' | 'address' }
  /** Data cache maintenance by address: checks the address, as the memory is always up to date. */
  | { readonly does: 'dc'; readonly write: boolean }
  /** Data cache maintenance by set and way, restrictions of prediction: nothing is left to do. */
  | { readonly does: 'nothing' }
  /** `pan`: as PSTATE.PAN says. */
  | { readonly does: 'at'; readonly write: boolean; readonly el: 0 | 1; readonly pan: boolean }

export interface OperationRow {
  readonly name: string
  readonly encoding: number
  /** The least exception level. */
  readonly el: 0 | 1
  /** The bit of SCTLR_EL1 that lets EL0 have it; without it the operation is trapped. */
  readonly el0Control: number
  /** Whether the instruction names a register. */
  readonly takesRegister: boolean
  /** Only CPUs with this feature have the operation. */
  readonly feature: Feature | undefined
  readonly operation: SystemOperation
}

/** SCTLR_EL1: EL0 may use cache maintenance by address, restrict prediction. */
const UCI = 26
const EN_RCTX = 10
/** The ASID in the operand of TLBI: bits 63:48. */
export const TLBI_ASID_LSB = 48n
/** The address in the operand of TLBI: bits 43:0 are bits 55:12 of the address. */
export const TLBI_ADDRESS_MASK = (1n << 44n) - 1n

/** The operand of TLBI by range: which addresses it means (C5.5, "TLBI RVAE1"). */
export function tlbiRange(operand: bigint): { readonly first: bigint; readonly pages: bigint } {
  const field = (lsb: bigint, width: bigint): bigint => (operand >> lsb) & ((1n << width) - 1n)
  // TG 1, 2, 3 are 4, 16, 64 KiB.
  const granule = [12n, 12n, 14n, 16n][Number(field(46n, 2n))] ?? 12n
  const units = (field(39n, 5n) + 1n) << (5n * field(44n, 2n) + 1n)
  const first = BigInt.asUintN(64, BigInt.asIntN(37, field(0n, 37n)) << granule)
  return { first, pages: units << (granule - 12n) }
}

interface Options {
  readonly feature?: Feature
  readonly control?: number
  readonly takesRegister?: boolean
}

const row = (
  name: string,
  op1: number,
  crn: number,
  crm: number,
  op2: number,
  operation: SystemOperation,
  o: Options = {},
): OperationRow => ({
  name,
  encoding: sysregEncoding(1, op1, crn, crm, op2),
  el: op1 === 3 ? 0 : 1,
  el0Control: o.control ?? UCI,
  takesRegister: o.takesRegister ?? true,
  feature: o.feature,
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
/** By range: the same numbers as those by address. */
const RANGED = [
  ['RVAE1', 1],
  ['RVAAE1', 3],
  ['RVALE1', 5],
  ['RVAALE1', 7],
] as const

/** The shareable forms reach every CPU; the soft TLB is shared, so that the others do too. CRm of both kinds. */
const SHAREABILITY = [
  { suffix: '', crm: 7, ranged: 6 },
  { suffix: 'IS', crm: 3, ranged: 2 },
  { suffix: 'OS', crm: 1, ranged: 5, feature: 'FEAT_TLBIOS' },
] as const

const tlbi: readonly OperationRow[] = SHAREABILITY.flatMap(({ suffix, crm, ranged, ...only }) => [
  ...TLBI.map(([name, op2, scope]) =>
    row(`TLBI ${name}${suffix}`, 0, 8, crm, op2, { does: 'tlbi', scope }, { ...only, takesRegister: scope !== 'all' }),
  ),
  ...RANGED.map(([name, op2]) =>
    row(`TLBI ${name}${suffix}`, 0, 8, ranged, op2, { does: 'tlbi', scope: 'range' }, { feature: 'FEAT_TLBIRANGE' }),
  ),
])

const cache = (
  name: string,
  op1: number,
  crm: number,
  op2: number,
  operation: SystemOperation,
  o: Options = {},
): OperationRow => row(name, op1, 7, crm, op2, operation, o)
const clean = { does: 'dc', write: false } as const
const at = (write: boolean, el: 0 | 1, pan = false): SystemOperation => ({ does: 'at', write, el, pan })
const prediction: Options = { feature: 'FEAT_SPECRES', control: EN_RCTX }

export const operations: readonly OperationRow[] = [
  ...tlbi,
  cache('IC IALLUIS', 0, 1, 0, { does: 'ic', scope: 'all' }, { takesRegister: false }),
  cache('IC IALLU', 0, 5, 0, { does: 'ic', scope: 'all' }, { takesRegister: false }),
  cache('IC IVAU', 3, 5, 1, { does: 'ic', scope: 'address' }),
  cache('DC IVAC', 0, 6, 1, { does: 'dc', write: true }),
  cache('DC ISW', 0, 6, 2, { does: 'nothing' }),
  cache('DC CSW', 0, 10, 2, { does: 'nothing' }),
  cache('DC CISW', 0, 14, 2, { does: 'nothing' }),
  cache('DC CVAC', 3, 10, 1, clean),
  cache('DC CVAU', 3, 11, 1, clean),
  cache('DC CVAP', 3, 12, 1, clean, { feature: 'FEAT_DPB' }),
  cache('DC CVADP', 3, 13, 1, clean, { feature: 'FEAT_DPB2' }),
  cache('DC CIVAC', 3, 14, 1, clean),
  cache('AT S1E1R', 0, 8, 0, at(false, 1)),
  cache('AT S1E1W', 0, 8, 1, at(true, 1)),
  cache('AT S1E0R', 0, 8, 2, at(false, 0)),
  cache('AT S1E0W', 0, 8, 3, at(true, 0)),
  cache('AT S1E1RP', 0, 9, 0, at(false, 1, true), { feature: 'FEAT_PAN2' }),
  cache('AT S1E1WP', 0, 9, 1, at(true, 1, true), { feature: 'FEAT_PAN2' }),
  cache('CFP RCTX', 3, 3, 4, { does: 'nothing' }, prediction),
  cache('DVP RCTX', 3, 3, 5, { does: 'nothing' }, prediction),
  cache('CPP RCTX', 3, 3, 7, { does: 'nothing' }, prediction),
]
