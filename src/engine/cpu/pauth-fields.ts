/** Which bits of an address pointer authentication puts its code into (Arm ARM D8.10.3, CalculateBottomPACBit()). */
import { slotOf } from '../../pure/arch/sysregs/table.ts'
import { sysregAt } from './layout.ts'
import type { Registers } from './state.ts'

const TCR = { T0SZ: 0n, T1SZ: 16n, TBI0: 37n, TBI1: 38n, TBID0: 51n, TBID1: 52n } as const
const BIT_55 = 1n << 55n
const TOP_BYTE = 0xffn << 56n
/** TnSZ below 16 means 16, above 48 means 48. */
const SIZE = { MIN: 16, MAX: 48 } as const

const bit = (value: bigint, lsb: bigint): boolean => ((value >> lsb) & 1n) === 1n

/** The field, bit 55 included, of addresses in one half: up to bit 55, or to bit 63 where the top byte is not ignored. */
function field(tcr: bigint, size: bigint, topByteIgnored: boolean): bigint {
  const width = Math.min(SIZE.MAX, Math.max(SIZE.MIN, Number((tcr >> size) & 63n)))
  const bottom = BigInt(64 - width)
  const below = (BIT_55 - 1n) & ~((1n << bottom) - 1n)
  return below | BIT_55 | (topByteIgnored ? 0n : TOP_BYTE)
}

/** By kind of address: the fields for the lower and the upper half, and the bit that tells those apart. */
const SLOTS = {
  I: ['PAC_FIELD_I0', 'PAC_FIELD_I1', 'PAC_SELECTOR_I'],
  D: ['PAC_FIELD_D0', 'PAC_FIELD_D1', 'PAC_SELECTOR_D'],
} as const

/** Writes the running CPU's fields, which the instructions read, for a value of TCR_EL1. */
export function writePauthFields(r: Registers, tcr: bigint): void {
  for (const kind of ['I', 'D'] as const) {
    const ignored0 = bit(tcr, TCR.TBI0) && !(kind === 'I' && bit(tcr, TCR.TBID0))
    const ignored1 = bit(tcr, TCR.TBI1) && !(kind === 'I' && bit(tcr, TCR.TBID1))
    const values = [field(tcr, TCR.T0SZ, ignored0), field(tcr, TCR.T1SZ, ignored1), ignored0 || ignored1 ? 55n : 63n]
    SLOTS[kind].forEach((name, i) => r.setAt(sysregAt(slotOf(name)), values[i] ?? 0n))
  }
}
