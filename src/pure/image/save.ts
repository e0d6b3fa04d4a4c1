/** Saving a VM: what a VMM asks KVM while all vCPUs stand still. */
import { mpidrAffinity } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { GICR_TYPER } from '../arch/gic/gicr.ts'
import { callText } from '../uapi/calls.ts'
import type { KvmAnswer, KvmCall, VcpuFeature } from '../uapi/calls.ts'
import { MP_STATE } from '../uapi/mp-state.ts'
import { ONE_REG, oneRegName } from '../uapi/one-reg.ts'
import { VGIC_ADDR, VGIC_CTRL, VGIC_GROUP, decodeRedistRegion, registerAttr } from '../uapi/vgic-attr.ts'
import type { ItsImage, RegionImage, Values, VcpuImage, VmImage } from './image.ts'
import { attrBits, distributorWords, interfaceWords, itsRegisters, redistributorWords } from './registers.ts'
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
export const readWord = (execute: Execute, word: GicWord, affinity: Affinity): bigint =>
  word
    .attrs(affinity)
    .reduce(
      (value, attr, i) =>
        value |
        ((ask(execute, { call: 'KVM_GET_DEVICE_ATTR', ...attr }).value ?? 0n) << BigInt(i * attrBits(word.part))),
      0n,
    )

const readWords = (execute: Execute, words: readonly GicWord[], affinity: Affinity): Values =>
  Object.fromEntries(words.map((word) => [word.name, readWord(execute, word, affinity)]))

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

const ICC_CTLR = interfaceWords(0n).find(({ name }) => name === 'ICC_CTLR_EL1')

const readVcpu = (execute: Execute, { id, features }: MadeVcpu, vcpu: number): VcpuImage => {
  const affinity = affinityOf(execute, vcpu)
  const ctlr = ICC_CTLR === undefined ? 0n : readWord(execute, ICC_CTLR, affinity)
  return {
    id,
    features,
    on: ask(execute, { call: 'KVM_GET_MP_STATE', vcpu }).value === MP_STATE.RUNNABLE,
    registers: readRegisters(execute, vcpu),
    redistributor: readWords(execute, redistributorWords, affinity),
    interface: readWords(execute, interfaceWords(ctlr), affinity),
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

/** What is saved of a VM. */
export interface SaveOptions {
  /** In the order of their creation. */
  readonly vcpus: readonly MadeVcpu[]
  readonly savedOn: VmImage['savedOn']
  /** How many ITSes the VM has. */
  readonly itsCount?: number
}

/** Of a VM with an initialised vGICv3. Two vCPUs with one affinity cannot be told apart by KVM's attributes. */
export const saveVm = (execute: Execute, { vcpus, savedOn, itsCount = 0 }: SaveOptions): Saved => {
  const control = (attr: bigint, its?: number): void => {
    const call = { call: 'KVM_SET_DEVICE_ATTR', group: VGIC_GROUP.CTRL, attr, value: 0n } as const
    ask(execute, its === undefined ? call : { ...call, its })
  }
  const allIts = Array.from({ length: itsCount }, (_, its) => its)
  try {
    // LPIs that are pending go to their tables in guest RAM.
    control(VGIC_CTRL.SAVE_PENDING_TABLES)
    for (const its of allIts) control(VGIC_CTRL.ITS_SAVE_TABLES, its)
    const irqs = get(execute, VGIC_GROUP.NR_IRQS, 0n)
    // Even the lines of SPIs are asked for by way of a vCPU.
    const first = affinityOf(execute, 0)
    return {
      ok: true,
      image: {
        version: 1,
        savedOn,
        vcpus: vcpus.map((made, vcpu) => readVcpu(execute, made, vcpu)),
        gic: {
          irqs,
          distributorBase: get(execute, VGIC_GROUP.ADDR, VGIC_ADDR.V3_DIST),
          regions: readRegions(execute),
          lpis: (get(execute, VGIC_GROUP.REDIST_REGS, registerAttr(first, GICR_TYPER.offset)) & PLPIS) !== 0,
          distributor: readWords(execute, distributorWords(irqs), first),
        },
        its: allIts.map((its) => readIts(execute, its)),
      },
    }
  } catch (error) {
    if (error instanceof Failed) return { ok: false, what: error.message }
    throw error
  }
}
