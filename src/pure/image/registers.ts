/**
 * What makes up the state of a vGICv3 for those who save it, register by register: the words of GICD_*, GICR_* and ICC_*
 * under their own names. What a register's neighbour tells as well is not here (ICENABLER shows what ISENABLER shows).
 */
import { gicd } from '../arch/gic/gicd.ts'
import { gicr } from '../arch/gic/gicr.ts'
import { GITS_BASER, GITS_CBASER, GITS_CREADR, GITS_CTLR, GITS_CWRITER, GITS_IIDR } from '../arch/gic/gits.ts'
import { FIRST_SPI, PRIVATE_COUNT } from '../arch/intid.ts'
import type { Register } from '../arch/register.ts'
import { ICC } from '../arch/sysregs/gic-cpu.ts'
import type { IccName } from '../arch/sysregs/gic-cpu.ts'
import type { Affinity } from '../arch/affinity.ts'
import type { DeviceAttr } from '../uapi/calls.ts'
import { VGIC_GROUP, registerAttr } from '../uapi/vgic-attr.ts'

/** Whose registers: the VM's, or each vCPU's. */
export type Part = 'distributor' | 'redistributor' | 'interface'

/** One word of a frame, or a system register, as a device attribute. */
export interface GicWord {
  /** `GICD_ISENABLER1`, `GICD_IROUTER40`, `GICR_PENDBASER`, `ICC_PMR_EL1`. */
  readonly name: string
  /** The bank it is a word of: `GICD_ISENABLER`. */
  readonly bank: string
  readonly part: Part
  /** One attribute for each 32 bits, low word first; CPU_SYSREGS has 64. */
  attrs(affinity: Affinity): readonly DeviceAttr[]
}

/** Bits of one attribute's value. */
export const attrBits = (part: Part): 32 | 64 => (part === 'interface' ? 64 : 32)

const GROUP = { distributor: VGIC_GROUP.DIST_REGS, redistributor: VGIC_GROUP.REDIST_REGS } as const

const frameWord = (
  part: 'distributor' | 'redistributor',
  bank: string,
  name: string,
  offset: number,
  bytes: number,
): GicWord => ({
  name,
  bank,
  part,
  attrs: (affinity) =>
    Array.from({ length: bytes / 4 }, (_, i) => ({
      group: GROUP[part],
      attr: registerAttr(part === 'distributor' ? 0 : affinity, offset + 4 * i),
    })),
})

/** The line levels, which no register shows: KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO. */
const levelWord = (part: 'distributor' | 'redistributor', intid: number): GicWord => ({
  name: `LEVEL_INFO${intid / 32}`,
  bank: 'LEVEL_INFO',
  part,
  attrs: (affinity) => [{ group: VGIC_GROUP.LEVEL_INFO, attr: registerAttr(affinity, intid) }],
})

const WORD_BITS = 32
const ROUTE_BITS = 64

/** A bank's words (of GICD_IROUTER its 64-bit registers) for the interrupts from `first` on. */
const words = (
  part: 'distributor' | 'redistributor',
  register: Register,
  first: number,
  irqs: number,
): readonly GicWord[] => {
  const { name, offset, size, perIrq } = register
  if (perIrq === undefined || size === 4) return [frameWord(part, name, name, offset, size)]
  const bits = perIrq.bits === ROUTE_BITS ? ROUTE_BITS : WORD_BITS
  const from = (first * perIrq.bits) / bits
  return Array.from({ length: ((irqs - first) * perIrq.bits) / bits }, (_, i) =>
    frameWord(part, name, `${name}${from + i}`, offset + ((from + i) * bits) / 8, bits / 8),
  )
}

const named = <R extends Register>(table: readonly R[], name: R['name']): R => {
  const found = table.find((register) => register.name === name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}

const DISTRIBUTOR = [
  'GICD_CTLR',
  'GICD_IIDR',
  'GICD_IGROUPR',
  'GICD_ISENABLER',
  'GICD_ISPENDR',
  'GICD_ISACTIVER',
  'GICD_IPRIORITYR',
  'GICD_ICFGR',
  'GICD_IROUTER',
] as const

const REDISTRIBUTOR = [
  'GICR_CTLR',
  'GICR_PROPBASER',
  'GICR_PENDBASER',
  'GICR_IGROUPR0',
  'GICR_ISENABLER0',
  'GICR_ISPENDR0',
  'GICR_ISACTIVER0',
  'GICR_IPRIORITYR',
  'GICR_ICFGR',
] as const

const INTERFACE = [
  'ICC_SRE_EL1',
  'ICC_CTLR_EL1',
  'ICC_IGRPEN0_EL1',
  'ICC_IGRPEN1_EL1',
  'ICC_PMR_EL1',
  'ICC_BPR0_EL1',
  'ICC_BPR1_EL1',
] as const satisfies readonly IccName[]

/** ICC_AP0R<n>_EL1 and ICC_AP1R<n>_EL1: one for each 32 preemption levels. */
const ACTIVE = [
  ['ICC_AP0R0_EL1', 'ICC_AP1R0_EL1'],
  ['ICC_AP0R1_EL1', 'ICC_AP1R1_EL1'],
  ['ICC_AP0R2_EL1', 'ICC_AP1R2_EL1'],
  ['ICC_AP0R3_EL1', 'ICC_AP1R3_EL1'],
] as const satisfies readonly (readonly IccName[])[]

const sysregWord = (name: IccName): GicWord => ({
  name,
  bank: name,
  part: 'interface',
  attrs: (affinity) => [{ group: VGIC_GROUP.CPU_SYSREGS, attr: registerAttr(affinity, ICC[name]) }],
})

const PRIBITS = { lsb: 8n, mask: 7n } as const

/** How many ICC_AP0R<n>_EL1 there are, by the PRIbits of an ICC_CTLR_EL1 (12.2.2). */
const activeWords = (ctlr: bigint): number => 2 ** Math.max(0, Number((ctlr >> PRIBITS.lsb) & PRIBITS.mask) + 1 - 5)

export const distributorWords = (irqs: number): readonly GicWord[] => [
  ...DISTRIBUTOR.flatMap((name) => words('distributor', named(gicd, name), FIRST_SPI, irqs)),
  ...Array.from({ length: (irqs - FIRST_SPI) / WORD_BITS }, (_, i) =>
    levelWord('distributor', FIRST_SPI + WORD_BITS * i),
  ),
]

export const redistributorWords: readonly GicWord[] = [
  ...REDISTRIBUTOR.flatMap((name) => words('redistributor', named(gicr, name), 0, PRIVATE_COUNT)),
  levelWord('redistributor', 0),
]

export const interfaceWords = (ctlr: bigint): readonly GicWord[] => [
  ...INTERFACE.map(sysregWord),
  ...ACTIVE.slice(0, Math.min(activeWords(ctlr), ACTIVE.length))
    .flat()
    .map(sysregWord),
]

/** An ITS's registers in the order of their restore: the tables' places before anything lies in them, GITS_CTLR last. */
export const itsRegisters: readonly { readonly name: string; readonly attr: bigint }[] = [
  { name: 'GITS_IIDR', attr: BigInt(GITS_IIDR.offset) },
  // It sets the other two of the queue to 0.
  { name: 'GITS_CBASER', attr: BigInt(GITS_CBASER.offset) },
  { name: 'GITS_CREADR', attr: BigInt(GITS_CREADR.offset) },
  { name: 'GITS_CWRITER', attr: BigInt(GITS_CWRITER.offset) },
  { name: 'GITS_BASER0', attr: BigInt(GITS_BASER.offset) },
  { name: 'GITS_BASER1', attr: BigInt(GITS_BASER.offset + 8) },
  { name: 'GITS_CTLR', attr: BigInt(GITS_CTLR.offset) },
]

/** The register that clears what the saved one sets, and the like: written, never saved. */
export const clearingWord = (word: GicWord): GicWord => {
  const clearing = word.bank.replace(/_IS(ENABLE|PEND|ACTIVE)R/, '_IC$1R')
  const table: readonly Register[] = word.part === 'distributor' ? gicd : gicr
  const [set, clear] = [word.bank, clearing].map((name) => table.find((register) => register.name === name))
  if (set === undefined || clear === undefined || set === clear) throw new Error(`nothing clears ${word.name}`)
  const distance = BigInt(clear.offset - set.offset)
  return {
    ...word,
    name: word.name.replace(word.bank, clearing),
    attrs: (affinity) => word.attrs(affinity).map(({ group, attr }) => ({ group, attr: attr + distance })),
  }
}
