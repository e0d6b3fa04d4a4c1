/**
 * The affinity of a CPU, and the forms in which registers and KVM's attributes carry it.
 * Arm ARM D24.2 (MPIDR_EL1); GIC architecture IHI 0069 12.9 (GICD_IROUTER), 12.11 (GICR_TYPER), 12.2 (ICC_SGI1R_EL1).
 */

/** Aff3.Aff2.Aff1.Aff0 as one unsigned 32-bit number, Aff3 in the top byte: GICR_TYPER[63:32] as it stands. */
export type Affinity = number

export interface AffinityLevels {
  readonly aff3: number
  readonly aff2: number
  readonly aff1: number
  readonly aff0: number
}

const LEVEL_MAX = 0xff

/** The lowest bit of each level in every form. A level that is absent is not carried by that form. */
export const AFFINITY_BYTES = {
  packed: { aff3: 24, aff2: 16, aff1: 8, aff0: 0 },
  mpidr: { aff3: 32, aff2: 16, aff1: 8, aff0: 0 },
  typer: { aff3: 56, aff2: 48, aff1: 40, aff0: 32 },
  irouter: { aff3: 32, aff2: 16, aff1: 8, aff0: 0 },
  sgi1r: { aff3: 48, aff2: 32, aff1: 16 },
  attribute: { aff3: 56, aff2: 48, aff1: 40, aff0: 32 },
} as const

const LEVELS = ['aff3', 'aff2', 'aff1', 'aff0'] as const

type Form = Partial<Record<(typeof LEVELS)[number], number>>

/** One way to write an affinity into a 64-bit value. */
export interface AffinityCodec {
  /** The bits that carry affinity. */
  readonly mask: bigint
  encode(affinity: Affinity): bigint
  /** Ignores every bit outside the mask; a level the form does not carry is 0. */
  decode(value: bigint): Affinity
}

/** The lower 32 bits of a value and the upper: a guest has one decoded for each SGI, and a number of 64 bits is slow. */
type Halves = readonly [low: number, high: number]

const halvesOf = (value: bigint): Halves => [
  Number(BigInt.asUintN(32, value)),
  Number(BigInt.asUintN(32, value >> 32n)),
]

/** A field that lies in one half. */
const fieldOf = (halves: Halves, { lsb, mask }: { readonly lsb: number; readonly mask: number }): number =>
  (halves[lsb < 32 ? 0 : 1] >>> (lsb & 31)) & mask

const codec = (form: Form): AffinityCodec => {
  const fields = LEVELS.flatMap((level) => {
    const lsb = form[level]
    return lsb === undefined ? [] : [{ packed: AFFINITY_BYTES.packed[level], lsb }]
  })
  return {
    mask: fields.reduce((mask, { lsb }) => mask | (BigInt(LEVEL_MAX) << BigInt(lsb)), 0n),
    encode: (affinity) =>
      fields.reduce((value, { packed, lsb }) => value | (BigInt((affinity >>> packed) & LEVEL_MAX) << BigInt(lsb)), 0n),
    decode: (value) => {
      const halves = halvesOf(value)
      let affinity = 0
      for (const { packed, lsb } of fields) affinity |= fieldOf(halves, { lsb, mask: LEVEL_MAX }) << packed
      return affinity >>> 0
    },
  }
}

/** MPIDR_EL1; the mask is Linux's MPIDR_HWID_BITMASK, the only bits CPU_ON accepts. */
export const mpidrAffinity = codec(AFFINITY_BYTES.mpidr)
/** GICR_TYPER.Affinity_Value, bits 63:32 of the 64-bit register. */
export const typerAffinity = codec(AFFINITY_BYTES.typer)
/** GICD_IROUTER<n>; bit 31 (Interrupt_Routing_Mode) is not part of the affinity. */
export const irouterAffinity = codec(AFFINITY_BYTES.irouter)
/** ICC_SGI1R_EL1 and its siblings: the cluster; Aff0 is in the target list. */
export const sgiAffinity = codec(AFFINITY_BYTES.sgi1r)
/** The mpidr field of KVM's vGICv3 device attributes (Documentation/virt/kvm/devices/arm-vgic-v3.rst). */
export const attributeAffinity = codec(AFFINITY_BYTES.attribute)

export const affinityOf = ({ aff3, aff2, aff1, aff0 }: AffinityLevels): Affinity =>
  ((aff3 << AFFINITY_BYTES.packed.aff3) |
    (aff2 << AFFINITY_BYTES.packed.aff2) |
    (aff1 << AFFINITY_BYTES.packed.aff1) |
    (aff0 << AFFINITY_BYTES.packed.aff0)) >>>
  0

export const affinityLevels = (affinity: Affinity): AffinityLevels => ({
  aff3: (affinity >>> AFFINITY_BYTES.packed.aff3) & LEVEL_MAX,
  aff2: (affinity >>> AFFINITY_BYTES.packed.aff2) & LEVEL_MAX,
  aff1: (affinity >>> AFFINITY_BYTES.packed.aff1) & LEVEL_MAX,
  aff0: (affinity >>> AFFINITY_BYTES.packed.aff0) & LEVEL_MAX,
})

export const aff3Of = (affinity: Affinity): number => (affinity >>> AFFINITY_BYTES.packed.aff3) & LEVEL_MAX

/** The same affinity with Aff3 = 0: what a path that knows three levels makes of it. */
export const withoutAff3 = (affinity: Affinity): Affinity => affinity & ~(LEVEL_MAX << AFFINITY_BYTES.packed.aff3)

export const withAff3 = (affinity: Affinity, aff3: number): Affinity =>
  (withoutAff3(affinity) | ((aff3 & LEVEL_MAX) << AFFINITY_BYTES.packed.aff3)) >>> 0

/** Whether two affinities agree from `level` (0 to 3) upwards, as PSCI AFFINITY_INFO compares them. */
export const sameFromLevel = (a: Affinity, b: Affinity, level: 0 | 1 | 2 | 3): boolean =>
  LEVELS.slice(0, LEVELS.length - level).every((name) => ((a ^ b) & (LEVEL_MAX << AFFINITY_BYTES.packed[name])) === 0)

/** MPIDR_EL1.[31], RES1 in AArch64 state. */
export const MPIDR_RES1 = 1n << 31n

/** How reset_mpidr() (arch/arm64/kvm/sys_regs.c) splits a vCPU id: 16 CPUs a cluster, as the SGI target list wants. */
const RESET_SPLIT = [
  { level: 'aff0', lsb: 0, mask: 0xf },
  { level: 'aff1', lsb: 4, mask: 0xff },
  { level: 'aff2', lsb: 12, mask: 0xff },
] as const

/** The affinity KVM gives the vCPU that was created with this id. */
export const resetAffinity = (vcpuId: number): Affinity =>
  RESET_SPLIT.reduce(
    (all, { level, lsb, mask }) => all | (((vcpuId >>> lsb) & mask) << AFFINITY_BYTES.packed[level]),
    0,
  ) >>> 0

/** The MPIDR_EL1 that KVM gives the vCPU that was created with this id. */
export const resetMpidr = (vcpuId: number): bigint => MPIDR_RES1 | mpidrAffinity.encode(resetAffinity(vcpuId))

/** An MPIDR_EL1 with this affinity and all else as after reset. */
export const mpidrOf = (affinity: Affinity): bigint => MPIDR_RES1 | mpidrAffinity.encode(affinity)

/** `1.0.0.2`: four hexadecimal fields, Aff3 first. */
export const affinityText = (affinity: Affinity): string =>
  LEVELS.map((level) => ((affinity >>> AFFINITY_BYTES.packed[level]) & LEVEL_MAX).toString(16)).join('.')

export type ParsedAffinity =
  | { readonly ok: true; readonly affinity: Affinity }
  | { readonly ok: false; readonly what: string }

const wrong = (what: string): ParsedAffinity => ({ ok: false, what })

/** Reads `1.0.0.2` (hexadecimal fields) or an MPIDR_EL1 value such as `0x180000002`. */
export const parseAffinity = (text: string): ParsedAffinity => {
  const trimmed = text.trim().toLowerCase()
  if (trimmed === '') return wrong('An affinity is missing: write Aff3.Aff2.Aff1.Aff0, for example 1.0.0.2.')
  return trimmed.includes('.') ? parseDotted(trimmed) : parseMpidr(trimmed)
}

const parseDotted = (text: string): ParsedAffinity => {
  const parts = text.split('.')
  if (parts.length !== LEVELS.length) {
    return wrong(`"${text}" has ${parts.length} fields; an affinity has four: Aff3.Aff2.Aff1.Aff0.`)
  }
  let affinity = 0
  for (const [i, level] of LEVELS.entries()) {
    const part = parts[i] ?? ''
    const name = level.replace('a', 'A')
    if (!/^[0-9a-f]+$/.test(part)) return wrong(`${name} is "${part}", which is not a hexadecimal number.`)
    const value = Number.parseInt(part, 16)
    if (value > LEVEL_MAX) return wrong(`${name} is 0x${part}; a level holds 0x0 to 0xff.`)
    affinity |= value << AFFINITY_BYTES.packed[level]
  }
  return { ok: true, affinity: affinity >>> 0 }
}

const parseMpidr = (text: string): ParsedAffinity => {
  if (!/^(0x)?[0-9a-f]+$/.test(text)) {
    return wrong(`"${text}" is neither Aff3.Aff2.Aff1.Aff0 nor a hexadecimal MPIDR_EL1 value.`)
  }
  const value = BigInt(text.startsWith('0x') ? text : `0x${text}`)
  // Bit 31 (RES1) may be there or not; everything else outside the affinity is a mistake worth naming.
  const rest = value & ~(mpidrAffinity.mask | MPIDR_RES1)
  if (rest !== 0n) {
    return wrong(
      `0x${value.toString(16)} sets bits 0x${rest.toString(16)}, which are not part of MPIDR_EL1's affinity.`,
    )
  }
  return { ok: true, affinity: mpidrAffinity.decode(value) }
}

/** ICC_SGI1R_EL1, ICC_ASGI1R_EL1 and ICC_SGI0R_EL1 share this layout. */
const SGI = {
  TargetList: { lsb: 0, mask: 0xffff },
  INTID: { lsb: 24, mask: 0xf },
  IRM: { lsb: 40, mask: 1 },
  RS: { lsb: 44, mask: 0xf },
} as const

export interface SgiRegister {
  /** Aff3.Aff2.Aff1 with Aff0 = 0. */
  readonly cluster: Affinity
  /** Bit b stands for Aff0 = b (plus 16 times the range selector, where that is honoured). */
  readonly targetList: number
  readonly intid: number
  /** Interrupt Routing Mode: every CPU but the writer. */
  readonly allButSelf: boolean
  readonly rangeSelector: number
}

/** CPUs that a target list names. */
export const SGI_LIST = 16

export const decodeSgi = (value: bigint): SgiRegister => {
  const halves = halvesOf(value)
  return {
    cluster: sgiAffinity.decode(value),
    targetList: fieldOf(halves, SGI.TargetList),
    intid: fieldOf(halves, SGI.INTID),
    allButSelf: fieldOf(halves, SGI.IRM) === 1,
    rangeSelector: fieldOf(halves, SGI.RS),
  }
}

export const encodeSgi = (sgi: SgiRegister): bigint =>
  sgiAffinity.encode(sgi.cluster) |
  (BigInt(sgi.targetList) << BigInt(SGI.TargetList.lsb)) |
  (BigInt(sgi.intid) << BigInt(SGI.INTID.lsb)) |
  ((sgi.allButSelf ? 1n : 0n) << BigInt(SGI.IRM.lsb)) |
  (BigInt(sgi.rangeSelector) << BigInt(SGI.RS.lsb))

/** To the one CPU with this affinity: of Aff0 the list has 16 steps, the range selector counts them. */
export const sgiTo = (affinity: Affinity, intid: number): SgiRegister => {
  const { aff0 } = affinityLevels(affinity)
  return {
    cluster: sgiAffinity.decode(sgiAffinity.encode(affinity)),
    targetList: 1 << (aff0 % SGI_LIST),
    intid,
    allButSelf: false,
    rangeSelector: Math.floor(aff0 / SGI_LIST),
  }
}

/** The affinity that bit `bit` of an SGI's target list names. */
export const sgiTarget = (cluster: Affinity, bit: number): Affinity => (cluster | bit) >>> 0
