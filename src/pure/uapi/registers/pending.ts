/** How userspace makes an interrupt pending: by the word of GICR_ISPENDR0 or GICD_ISPENDR<n> that has its bit. */
import type { Affinity } from '../../arch/affinity.ts'
import { GICD_BANKS } from '../../arch/gic/gicd.ts'
import { gicr } from '../../arch/gic/gicr.ts'
import { PRIVATE_COUNT } from '../../arch/intid.ts'
import type { Register } from '../../arch/register.ts'
import type { KvmCall } from '../calls.ts'
import { registerAttr, v2RegisterAttr, VGIC_GROUP } from '../vgic-attr.ts'
import { setAttr } from './row.ts'

const offsetOf = (registers: readonly Register[], name: string): number => {
  const register = registers.find((one) => one.name === name)
  if (register === undefined) throw new Error(`there is no ${name}`)
  return register.offset
}
const GICR_ISPENDR0 = offsetOf(gicr, 'GICR_ISPENDR0')
const GICD_ISPENDR = offsetOf(GICD_BANKS, 'GICD_ISPENDR')
const WORD_BITS = 32

export interface PendingWord {
  readonly read: KvmCall
  /** `word`: as it was read. KVM assigns the word of a GICv3 whole, and of a GICv2 acts on the bits that are 1. */
  pend(word: bigint): KvmCall
}

export const pendingWord = (
  gic: 2 | 3,
  { cpu, affinity }: { readonly cpu: number; readonly affinity: Affinity },
  intid: number,
): PendingWord => {
  const bit = 1n << BigInt(intid % WORD_BITS)
  const banked = GICD_ISPENDR + 4 * Math.floor(intid / WORD_BITS)
  const own = gic === 3 && intid < PRIVATE_COUNT
  const group = own ? VGIC_GROUP.REDIST_REGS : VGIC_GROUP.DIST_REGS
  const attr = own
    ? registerAttr(affinity, GICR_ISPENDR0)
    : gic === 3
      ? registerAttr(0, banked)
      : v2RegisterAttr(cpu, banked)
  return {
    read: { call: 'KVM_GET_DEVICE_ATTR', group, attr },
    pend: (word) => setAttr(group, attr, gic === 3 ? word | bit : bit),
  }
}
