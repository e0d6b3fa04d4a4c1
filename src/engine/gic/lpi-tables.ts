/**
 * What KVM makes of GICR_PROPBASER and GICR_PENDBASER: memory attributes it does not support become ones it does
 * (arch/arm64/kvm/vgic/vgic-mmio-v3.c: vgic_sanitise_propbaser(), vgic_sanitise_pendbaser()).
 */
import { GICR_PENDBASER, GICR_PROPBASER } from '../../pure/arch/gic/gicr.ts'
import { decodeField, encodeRegister, fieldMask } from '../../pure/arch/register.ts'
import type { Register } from '../../pure/arch/register.ts'

/** IHI 0069, 12.11: Shareability, InnerCache and OuterCache. */
const INNER_SHAREABLE = 1n
const OUTER_SHAREABLE = 2n
const DEVICE = 0n
const NON_CACHEABLE = 1n
const READ_ALLOCATE_WRITE_BACK = 3n
const SAME_AS_INNER = 0n

const inner = (cache: bigint): bigint =>
  cache === DEVICE || cache === NON_CACHEABLE ? READ_ALLOCATE_WRITE_BACK : cache
const outer = (cache: bigint): bigint => (cache === NON_CACHEABLE ? cache : SAME_AS_INNER)
const share = (shareability: bigint): bigint => (shareability === OUTER_SHAREABLE ? INNER_SHAREABLE : shareability)

const kept = (register: Register, names: readonly string[]): bigint =>
  (register.fields ?? []).reduce((mask, field) => (names.includes(field.name) ? mask | fieldMask(field) : mask), 0n)

const sanitise = (register: Register, keep: bigint, value: bigint): bigint =>
  (value & keep) |
  encodeRegister(register, {
    InnerCache: inner(decodeField(register, 'InnerCache', value)),
    OuterCache: outer(decodeField(register, 'OuterCache', value)),
    Shareability: share(decodeField(register, 'Shareability', value)),
  })

const PROPBASER_KEPT = kept(GICR_PROPBASER, ['IDbits', 'Physical_Address'])
const PENDBASER_KEPT = kept(GICR_PENDBASER, ['Physical_Address'])

export const sanitisePropbaser = (value: bigint): bigint => sanitise(GICR_PROPBASER, PROPBASER_KEPT, value)
/** PTZ reads as zero. */
export const sanitisePendbaser = (value: bigint): bigint => sanitise(GICR_PENDBASER, PENDBASER_KEPT, value)

/** A vCPU's GICR_PENDBASER at first: inner shareable, inner read-allocate write-back, outer the same. */
export const INITIAL_TABLE = encodeRegister(GICR_PENDBASER, {
  InnerCache: READ_ALLOCATE_WRITE_BACK,
  Shareability: INNER_SHAREABLE,
})
