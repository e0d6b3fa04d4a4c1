/**
 * What makes up the state of a vGIC for those who save it, register by register: the words of GICD_*, GICR_*, ICC_* and
 * GICC_* under their own names. What a register's neighbour tells as well is not here (ICENABLER shows what ISENABLER shows).
 */
import { gicd } from '../arch/gic/gicd.ts'
import { gicc } from '../arch/gic/gicc.ts'
import { gicdV2 } from '../arch/gic/gicd-v2.ts'
import { gicr } from '../arch/gic/gicr.ts'
import { GITS_BASER, GITS_CBASER, GITS_CREADR, GITS_CTLR, GITS_CWRITER, GITS_IIDR } from '../arch/gic/gits.ts'
import { FIRST_SPI, PRIVATE_COUNT, SGI_COUNT } from '../arch/intid.ts'
import type { Register } from '../arch/register.ts'
import { ICC } from '../arch/sysregs/gic-cpu.ts'
import type { IccName } from '../arch/sysregs/gic-cpu.ts'
import type { DeviceAttr } from '../uapi/calls.ts'
import { VGIC_GROUP, registerAttr } from '../uapi/vgic-attr.ts'

/** Whose registers: the VM's, or each vCPU's. A GICv2 has no redistributors: there it is the banked words of GICD_*. */
export type Part = 'distributor' | 'redistributor' | 'interface'

/** One word of a frame, or a system register, as a device attribute. */
export interface GicWord {
  /** `GICD_ISENABLER1`, `GICD_IROUTER40`, `GICR_PENDBASER`, `ICC_PMR_EL1`. */
  readonly name: string
  /** The bank it is a word of: `GICD_ISENABLER`. */
  readonly bank: string
  readonly part: Part
  /** Bits of one attribute's value. */
  readonly attrBits: 32 | 64
  /** One attribute after the other, the lowest bits first. `vcpu`: its affinity; with a GICv2 its id. */
  attrs(vcpu: number): readonly DeviceAttr[]
}

/** A frame of registers: whose they are, and the group that reaches them. */
interface Frame {
  readonly part: Part
  readonly group: number
  readonly table: readonly Register[]
}

const FRAMES = {
  distributor: { part: 'distributor', group: VGIC_GROUP.DIST_REGS, table: gicd },
  redistributor: { part: 'redistributor', group: VGIC_GROUP.REDIST_REGS, table: gicr },
  distributorV2: { part: 'distributor', group: VGIC_GROUP.DIST_REGS, table: gicdV2 },
  bankedV2: { part: 'redistributor', group: VGIC_GROUP.DIST_REGS, table: gicdV2 },
  interfaceV2: { part: 'interface', group: VGIC_GROUP.CPU_REGS, table: gicc },
} as const satisfies Record<string, Frame>

const frameWord = ({ part, group }: Frame, bank: string, name: string, offset: number, bytes: number): GicWord => ({
  name,
  bank,
  part,
  attrBits: 32,
  attrs: (vcpu) => Array.from({ length: bytes / 4 }, (_, i) => ({ group, attr: registerAttr(vcpu, offset + 4 * i) })),
})

/** The line levels, which no register shows: KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO. */
const levelWord = (part: 'distributor' | 'redistributor', intid: number): GicWord => ({
  name: `LEVEL_INFO${intid / 32}`,
  bank: 'LEVEL_INFO',
  part,
  attrBits: 32,
  attrs: (affinity) => [{ group: VGIC_GROUP.LEVEL_INFO, attr: registerAttr(affinity, intid) }],
})

const WORD_BITS = 32
const ROUTE_BITS = 64

/** A bank's words (of GICD_IROUTER its 64-bit registers) for the interrupts from `first` on. */
const words = (
  frame: Frame,
  { name, offset, size, perIrq }: Register,
  first: number,
  irqs: number,
): readonly GicWord[] => {
  if (perIrq === undefined || size === 4) return [frameWord(frame, name, name, offset, size)]
  const bits = perIrq.bits === ROUTE_BITS ? ROUTE_BITS : WORD_BITS
  const from = (first * perIrq.bits) / bits
  return Array.from({ length: ((irqs - first) * perIrq.bits) / bits }, (_, i) =>
    frameWord(frame, name, `${name}${from + i}`, offset + ((from + i) * bits) / 8, bits / 8),
  )
}

const bankWords = (frame: Frame, names: readonly string[], first: number, irqs: number): readonly GicWord[] =>
  names.flatMap((name) => {
    const register = frame.table.find((one) => one.name === name)
    if (register === undefined) throw new Error(`there is no ${name}`)
    return words(frame, register, first, irqs)
  })

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
  attrBits: 64,
  attrs: (affinity) => [{ group: VGIC_GROUP.CPU_SYSREGS, attr: registerAttr(affinity, ICC[name]) }],
})

const PRIBITS = { lsb: 8n, mask: 7n } as const

/** How many ICC_AP0R<n>_EL1 there are, by the PRIbits of an ICC_CTLR_EL1 (12.2.2). */
const activeWords = (ctlr: bigint): number => 2 ** Math.max(0, Number((ctlr >> PRIBITS.lsb) & PRIBITS.mask) + 1 - 5)

/** The words of one version of the GIC. */
export interface GicWords {
  distributor(irqs: number): readonly GicWord[]
  readonly redistributor: readonly GicWord[]
  /** `ctlr`: ICC_CTLR_EL1, which tells how many priority bits there are. */
  interface(ctlr: bigint): readonly GicWord[]
}

const v3: GicWords = {
  distributor: (irqs) => [
    ...bankWords(FRAMES.distributor, DISTRIBUTOR, FIRST_SPI, irqs),
    ...Array.from({ length: (irqs - FIRST_SPI) / WORD_BITS }, (_, i) =>
      levelWord('distributor', FIRST_SPI + WORD_BITS * i),
    ),
  ],
  redistributor: [...bankWords(FRAMES.redistributor, REDISTRIBUTOR, 0, PRIVATE_COUNT), levelWord('redistributor', 0)],
  interface: (ctlr) => [
    ...INTERFACE.map(sysregWord),
    ...ACTIVE.slice(0, Math.min(activeWords(ctlr), ACTIVE.length))
      .flat()
      .map(sysregWord),
  ],
}

const BANKS_V2 = ['GICD_IGROUPR', 'GICD_ISENABLER', 'GICD_ISPENDR', 'GICD_ISACTIVER', 'GICD_IPRIORITYR', 'GICD_ICFGR']

const v2: GicWords = {
  distributor: (irqs) =>
    bankWords(FRAMES.distributorV2, ['GICD_CTLR', 'GICD_IIDR', ...BANKS_V2, 'GICD_ITARGETSR'], FIRST_SPI, irqs),
  redistributor: [
    ...bankWords(FRAMES.bankedV2, BANKS_V2, 0, PRIVATE_COUNT),
    // Of each SGI that is pending, who sent it.
    ...bankWords(FRAMES.bankedV2, ['GICD_SPENDSGIR'], 0, SGI_COUNT),
  ],
  interface: () =>
    bankWords(FRAMES.interfaceV2, ['GICC_CTLR', 'GICC_PMR', 'GICC_BPR', 'GICC_ABPR', 'GICC_APR'], 0, PRIVATE_COUNT),
}

export const gicWords: Readonly<Record<2 | 3, GicWords>> = { 2: v2, 3: v3 }

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

/** The bank that clears what another sets; the same where none does. */
const clearingBank = (bank: string): string =>
  bank.replace(/_IS(ENABLE|PEND|ACTIVE)R/, '_IC$1R').replace('SPENDSGIR', 'CPENDSGIR')

/** Whether what a bank sets is cleared by another. */
export const isCleared = (bank: string): boolean => clearingBank(bank) !== bank

/** The register that clears what the saved one sets: written, never saved. */
export const clearingWord = (word: GicWord): GicWord => {
  const clearing = clearingBank(word.bank)
  const table: readonly Register[] = [...gicd, ...gicr, ...gicdV2]
  const [set, clear] = [word.bank, clearing].map((name) => table.find((register) => register.name === name))
  if (set === undefined || clear === undefined || set === clear) throw new Error(`nothing clears ${word.name}`)
  const distance = BigInt(clear.offset - set.offset)
  return {
    ...word,
    name: word.name.replace(word.bank, clearing),
    attrs: (vcpu) => word.attrs(vcpu).map(({ group, attr }) => ({ group, attr: attr + distance })),
  }
}
