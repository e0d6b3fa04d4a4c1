/** Saving a VM: what a VMM asks KVM while all vCPUs stand still. */
import { mpidrAffinity } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { GICR_TYPER } from '../arch/gic/gicr.ts'
import { callText } from '../uapi/calls.ts'
import type { KvmAnswer, KvmCall, VcpuFeature } from '../uapi/calls.ts'
import { MP_STATE } from '../uapi/mp-state.ts'
import { ONE_REG, oneRegName } from '../uapi/one-reg.ts'
import { PMU_V3, VCPU_GROUP } from '../uapi/vcpu-attr.ts'
import { VGIC_ADDR, VGIC_CTRL, VGIC_GROUP, decodeRedistRegion, registerAttr } from '../uapi/vgic-attr.ts'
import type { GicImage, ItsImage, RegionImage, Values, VcpuImage, VmImage } from './image.ts'
import { gicWords, itsRegisters } from './registers.ts'
import type { GicWord } from './registers.ts'

export type Execute = (call: KvmCall) => KvmAnswer

export type Saved = { readonly ok: true; readonly image: VmImage } | { readonly ok: false; readonly what: string }

/** What a VMM remembers of a vCPU it made. */
export interface MadeVcpu {
  readonly id: number
  readonly features: readonly VcpuFeature[]
}

/** Thrown and caught in this file only: the first call that fails ends the saving. */
class Failed extends Error {}

const ask = (execute: Execute, call: KvmCall): Extract<KvmAnswer, { ok: true }> => {
  const answer = execute(call)
  if (!answer.ok) throw new Failed(`${callText(call)} answered ${answer.errno}: ${answer.why}`)
  return answer
}

/** A register's value, however many attributes it takes. */
export const readWord = (execute: Execute, word: GicWord, address: number): bigint =>
  word
    .attrs(address)
    .reduce(
      (value, attr, i) =>
        value | ((ask(execute, { call: 'KVM_GET_DEVICE_ATTR', ...attr }).value ?? 0n) << BigInt(i * word.attrBits)),
      0n,
    )

const readWords = (execute: Execute, words: readonly GicWord[], address: number): Values =>
  Object.fromEntries(words.map((word) => [word.name, readWord(execute, word, address)]))

const readRegisters = (execute: Execute, vcpu: number): Values => {
  const { list = [] } = ask(execute, { call: 'KVM_GET_REG_LIST', vcpu })
  return Object.fromEntries(
    list.map((reg) => {
      const { value = 0n } = ask(execute, { call: 'KVM_GET_ONE_REG', vcpu, reg })
      return [oneRegName(reg) ?? `0x${reg.toString(16)}`, value]
    }),
  )
}

const readRegions = (execute: Execute): readonly RegionImage[] => {
  const regions: RegionImage[] = []
  for (;;) {
    const call = { call: 'KVM_GET_DEVICE_ATTR', group: VGIC_GROUP.ADDR, attr: VGIC_ADDR.V3_REDIST_REGION } as const
    const answer = execute({ ...call, value: BigInt(regions.length) })
    if (!answer.ok) return regions
    const { base, count } = decodeRedistRegion(answer.value ?? 0n)
    regions.push({ base, count })
  }
}

const get = (execute: Execute, group: number, attr: bigint): number =>
  Number(ask(execute, { call: 'KVM_GET_DEVICE_ATTR', group, attr }).value ?? 0n)

const ICC_CTLR = gicWords[3].interface(0n).find(({ name }) => name === 'ICC_CTLR_EL1')

/** How an attribute names a vCPU: by its affinity, with a GICv2 by its id. */
const addressOf = (execute: Execute, version: 2 | 3, { id }: MadeVcpu, vcpu: number): number =>
  version === 2 ? id : affinityOf(execute, vcpu)

const readPmuIrq = (execute: Execute, vcpu: number): number => {
  const attr = { group: VCPU_GROUP.PMU_V3_CTRL, attr: PMU_V3.PMU_V3_IRQ, vcpu }
  return Number(ask(execute, { call: 'KVM_GET_DEVICE_ATTR', ...attr }).value ?? 0n)
}

const readVcpu = (execute: Execute, version: 2 | 3, made: MadeVcpu, vcpu: number): VcpuImage => {
  const address = addressOf(execute, version, made, vcpu)
  const ctlr = version === 2 || ICC_CTLR === undefined ? 0n : readWord(execute, ICC_CTLR, address)
  const words = gicWords[version]
  return {
    id: made.id,
    features: made.features,
    ...(made.features.includes('PMU_V3') ? { pmuIrq: readPmuIrq(execute, vcpu) } : {}),
    on: ask(execute, { call: 'KVM_GET_MP_STATE', vcpu }).value === MP_STATE.RUNNABLE,
    registers: readRegisters(execute, vcpu),
    redistributor: readWords(execute, words.redistributor, address),
    interface: readWords(execute, words.interface(ctlr), address),
  }
}

const affinityOf = (execute: Execute, vcpu: number): Affinity =>
  mpidrAffinity.decode(ask(execute, { call: 'KVM_GET_ONE_REG', vcpu, reg: ONE_REG.MPIDR_EL1 }).value ?? 0n)

/** GICR_TYPER.PLPIS; it is the same for all vCPUs. */
const PLPIS = 1

const ask64 = (execute: Execute, group: number, attr: bigint, its: number): bigint =>
  ask(execute, { call: 'KVM_GET_DEVICE_ATTR', group, attr, its }).value ?? 0n

const readIts = (execute: Execute, its: number): ItsImage => ({
  base: Number(ask64(execute, VGIC_GROUP.ADDR, VGIC_ADDR.ITS, its)),
  registers: Object.fromEntries(
    itsRegisters.map(({ name, attr }) => [name, ask64(execute, VGIC_GROUP.ITS_REGS, attr, its)]),
  ),
})

type Layout = Pick<GicImage, 'distributorBase' | 'interfaceBase' | 'regions' | 'lpis'>

const layoutV2 = (execute: Execute): Layout => ({
  distributorBase: get(execute, VGIC_GROUP.ADDR, VGIC_ADDR.V2_DIST),
  interfaceBase: get(execute, VGIC_GROUP.ADDR, VGIC_ADDR.V2_CPU),
  regions: [],
  lpis: false,
})

const layoutV3 = (execute: Execute, first: Affinity): Layout => ({
  distributorBase: get(execute, VGIC_GROUP.ADDR, VGIC_ADDR.V3_DIST),
  interfaceBase: 0,
  regions: readRegions(execute),
  lpis: (get(execute, VGIC_GROUP.REDIST_REGS, registerAttr(first, GICR_TYPER.offset)) & PLPIS) !== 0,
})

/** What is saved of a VM. */
export interface SaveOptions {
  /** In the order of their creation. */
  readonly vcpus: readonly MadeVcpu[]
  readonly savedOn: VmImage['savedOn']
  /** The version of its GIC. 3, if not given. */
  readonly version?: 2 | 3
  /** How many ITSes the VM has. */
  readonly itsCount?: number
}

/** Of a VM with an initialised vGIC. Two vCPUs with one affinity cannot be told apart by KVM's attributes. */
export const saveVm = (execute: Execute, { vcpus, savedOn, version = 3, itsCount = 0 }: SaveOptions): Saved => {
  const control = (attr: bigint, its?: number): void => {
    const call = { call: 'KVM_SET_DEVICE_ATTR', group: VGIC_GROUP.CTRL, attr, value: 0n } as const
    ask(execute, its === undefined ? call : { ...call, its })
  }
  const allIts = Array.from({ length: itsCount }, (_, its) => its)
  try {
    // LPIs that are pending go to their tables in guest RAM.
    if (version === 3) control(VGIC_CTRL.SAVE_PENDING_TABLES)
    for (const its of allIts) control(VGIC_CTRL.ITS_SAVE_TABLES, its)
    const irqs = get(execute, VGIC_GROUP.NR_IRQS, 0n)
    // Even the lines of SPIs are asked for by way of a vCPU.
    const first = version === 2 ? (vcpus[0]?.id ?? 0) : affinityOf(execute, 0)
    return {
      ok: true,
      image: {
        version: 1,
        savedOn,
        vcpus: vcpus.map((made, vcpu) => readVcpu(execute, version, made, vcpu)),
        gic: {
          version,
          irqs,
          ...(version === 2 ? layoutV2(execute) : layoutV3(execute, first)),
          distributor: readWords(execute, gicWords[version].distributor(irqs), first),
        },
        its: allIts.map((its) => readIts(execute, its)),
      },
    }
  } catch (error) {
    if (error instanceof Failed) return { ok: false, what: error.message }
    throw error
  }
}
