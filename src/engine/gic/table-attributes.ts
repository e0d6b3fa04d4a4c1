/**
 * Memory attributes that KVM does not support become ones that it does, in every register that says where a table lies
 * (arch/arm64/kvm/vgic/vgic-mmio-v3.c: vgic_sanitise_field() and its callers).
 */
import { GICR_PENDBASER } from '../../pure/arch/gic/gicr.ts'
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

const ATTRIBUTES = ['InnerCache', 'OuterCache', 'Shareability'] as const

/** The bits of these fields. */
export const fieldsMask = (register: Register, names: readonly string[]): bigint =>
  (register.fields ?? []).reduce((mask, field) => (names.includes(field.name) ? mask | fieldMask(field) : mask), 0n)

/** A value with the attributes that KVM makes of it; everything else stays. */
export const supportedAttributes = (register: Register, value: bigint): bigint =>
  (value & ~fieldsMask(register, ATTRIBUTES)) |
  encodeRegister(register, {
    InnerCache: inner(decodeField(register, 'InnerCache', value)),
    OuterCache: outer(decodeField(register, 'OuterCache', value)),
    Shareability: share(decodeField(register, 'Shareability', value)),
  })

/** What these registers hold at first: inner shareable, inner read-allocate write-back, outer the same. */
export const initialAttributes = (register: Register): bigint =>
  encodeRegister(register, { InnerCache: READ_ALLOCATE_WRITE_BACK, Shareability: INNER_SHAREABLE })

/** GICR_PENDBASER at first, and GICR_PROPBASER when there is an ITS: both have the fields at one place. */
export const INITIAL_TABLE = initialAttributes(GICR_PENDBASER)
