/** Putting a saved VM together again: the KVM calls, and what became of them. */
import { mpidrAffinity } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { pmuCalls } from '../blueprint/plan.ts'
import type { KvmCall } from '../uapi/calls.ts'
import { MP_STATE } from '../uapi/mp-state.ts'
import { ONE_REG, oneRegIdOf } from '../uapi/one-reg.ts'
import { DEVICE_TYPE, VGIC_ADDR, VGIC_CTRL, VGIC_GROUP, encodeRedistRegion } from '../uapi/vgic-attr.ts'
import type { Errno } from '../uapi/errno.ts'
import type { GicImage, ItsImage, Values, VcpuImage, VmImage } from './image.ts'
import type { Order, Stage, VcpuPart, Write } from './order.ts'
import { clearingWord, gicWords, itsRegisters } from './registers.ts'
import type { GicWord, Part } from './registers.ts'
import type { Execute } from './save.ts'

/** One call of a restore, and which value of which register it is to bring back. */
export interface RestoreStep {
  readonly call: KvmCall
  /** `ICC_CTLR_EL1 of vCPU 0`; of a call that restores no register, what it makes. */
  readonly what: string
  readonly wanted?: bigint
  /** Asks for the value it has. */
  readonly readBack?: KvmCall
}

const setAttr = (group: number, attr: bigint, value: bigint): KvmCall => ({
  call: 'KVM_SET_DEVICE_ATTR',
  group,
  attr,
  value,
})

const of = (name: string, vcpu: number | undefined): string => (vcpu === undefined ? name : `${name} of vCPU ${vcpu}`)

const vcpuSteps = (vcpus: readonly VcpuImage[]): readonly RestoreStep[] => [
  { call: { call: 'KVM_CREATE_VM' }, what: 'the VM' },
  ...vcpus.map(({ id }, vcpu) => ({ call: { call: 'KVM_CREATE_VCPU', id } as const, what: `vCPU ${vcpu}` })),
  ...vcpus.map(({ features }, vcpu) => ({
    call: { call: 'KVM_ARM_VCPU_INIT', vcpu, features } as const,
    what: `the features of vCPU ${vcpu}`,
  })),
]

/** Once the GIC is initialised: until then PMU_V3_INIT answers ENODEV. */
const pmuSteps = (vcpus: readonly VcpuImage[]): readonly RestoreStep[] =>
  vcpus.flatMap(({ pmuIrq }, vcpu) =>
    pmuIrq === undefined ? [] : pmuCalls(vcpu, pmuIrq).map((call) => ({ call, what: of('the PMU', vcpu) })),
  )

const oneRegStep = (name: string, vcpu: number, reg: bigint, value: bigint): RestoreStep => ({
  call: { call: 'KVM_SET_ONE_REG', vcpu, reg, value },
  what: of(name, vcpu),
  wanted: value,
  readBack: { call: 'KVM_GET_ONE_REG', vcpu, reg },
})

const mpidrOf = ({ registers }: VcpuImage): bigint => registers['MPIDR_EL1'] ?? 0n

/** A VMM addresses a vCPU by the affinity that it saved; with a GICv2 by its id. */
const addressOf = (image: VcpuImage | undefined, version: 2 | 3): number => {
  if (image === undefined) return 0
  return version === 2 ? image.id : mpidrAffinity.decode(mpidrOf(image))
}

const affinitySteps = (vcpus: readonly VcpuImage[]): readonly RestoreStep[] =>
  vcpus.map((image, vcpu) => oneRegStep('MPIDR_EL1', vcpu, ONE_REG.MPIDR_EL1, mpidrOf(image)))

/** Made with the GIC, since GICR_CTLR.EnableLPIs has no effect without. */
const createItsSteps = ({ base }: ItsImage, its: number): readonly RestoreStep[] => [
  { call: { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.ITS }, what: `ITS ${its}` },
  { call: setItsAttr(its, VGIC_GROUP.ADDR, VGIC_ADDR.ITS, BigInt(base)), what: `the address of ITS ${its}` },
  { call: setItsAttr(its, VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n), what: `the initialisation of ITS ${its}` },
]

const setItsAttr = (its: number, group: number, attr: bigint, value: bigint): KvmCall => ({
  call: 'KVM_SET_DEVICE_ATTR',
  group,
  attr,
  value,
  its,
})

const itsSteps = ({ registers }: ItsImage, its: number): readonly RestoreStep[] => {
  const steps = itsRegisters.map(({ name, attr }): RestoreStep => ({
    call: setItsAttr(its, VGIC_GROUP.ITS_REGS, attr, registers[name] ?? 0n),
    what: `${name} of ITS ${its}`,
    wanted: registers[name] ?? 0n,
    readBack: { call: 'KVM_GET_DEVICE_ATTR', group: VGIC_GROUP.ITS_REGS, attr, its },
  }))
  const tables: RestoreStep = {
    call: setItsAttr(its, VGIC_GROUP.CTRL, VGIC_CTRL.ITS_RESTORE_TABLES, 0n),
    what: `the tables of ITS ${its}`,
  }
  return [...steps.slice(0, -1), tables, ...steps.slice(-1)]
}

const gicV2Steps = ({ irqs, distributorBase, interfaceBase }: GicImage): readonly RestoreStep[] => [
  { call: { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V2 }, what: 'the GIC' },
  { call: setAttr(VGIC_GROUP.NR_IRQS, 0n, BigInt(irqs)), what: 'the number of interrupts' },
  {
    call: setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V2_DIST, BigInt(distributorBase)),
    what: 'the address of the distributor',
  },
  {
    call: setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V2_CPU, BigInt(interfaceBase)),
    what: 'the address of the CPU interface',
  },
  { call: setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n), what: "the GIC's initialisation" },
]

const gicV3Steps = ({ irqs, distributorBase, regions }: GicImage): readonly RestoreStep[] => [
  { call: { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V3 }, what: 'the GIC' },
  { call: setAttr(VGIC_GROUP.NR_IRQS, 0n, BigInt(irqs)), what: 'the number of interrupts' },
  {
    call: setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V3_DIST, BigInt(distributorBase)),
    what: 'the address of the distributor',
  },
  ...regions.map(({ base, count }, index) => ({
    call:
      count === 0
        ? setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V3_REDIST, BigInt(base))
        : setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V3_REDIST_REGION, encodeRedistRegion({ index, base, count, flags: 0 })),
    what: `redistributor region ${index}`,
  })),
  { call: setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n), what: "the GIC's initialisation" },
]

/** Half of a 64-bit register is a step of its own: each half may be refused. */
const wordSteps = (word: GicWord, affinity: Affinity, vcpu: number | undefined, value: bigint): RestoreStep[] => {
  const bits = word.attrBits
  return word.attrs(affinity).map(({ group, attr }, i) => {
    const part = BigInt.asUintN(bits, value >> BigInt(bits * i))
    return {
      call: setAttr(group, attr, part),
      what: of(word.name, vcpu),
      wanted: part,
      readBack: { call: 'KVM_GET_DEVICE_ATTR', group, attr },
    }
  })
}

const ALL_ONES = 0xffff_ffffn

/** Whose words are written, and what was saved of them. */
interface Target {
  readonly words: readonly GicWord[]
  readonly saved: Values
  readonly affinity: Affinity
  readonly vcpu?: number
  /** Whether the redistributors have LPIs. */
  readonly lpis: boolean
}

/** The steps of a list of banks, for the words that were saved. */
const writeSteps = (writes: readonly Write[], target: Target): readonly RestoreStep[] =>
  writes.flatMap((write) => bankSteps(write, target))

const bankSteps = (write: Write, { words, saved, affinity, vcpu, lpis }: Target): readonly RestoreStep[] => {
  const bank = typeof write === 'string' ? write : 'clear' in write ? write.clear : write.bank
  return words
    .filter((word) => word.bank === bank)
    .flatMap((word) => {
      const value = saved[word.name] ?? 0n
      if (typeof write === 'string') return wordSteps(word, affinity, vcpu, value)
      if ('clear' in write) {
        return wordSteps(clearingWord(word), affinity, vcpu, write.with === 'ones' ? ALL_ONES : value)
      }
      return (write.where === 'LPIs' ? lpis : value !== 0n) ? wordSteps(word, affinity, vcpu, value) : []
    })
}

const wordsOf = (part: Exclude<Part, 'distributor'>, image: VcpuImage, version: 2 | 3): readonly GicWord[] =>
  part === 'redistributor'
    ? gicWords[version].redistributor
    : gicWords[version].interface(image.interface['ICC_CTLR_EL1'] ?? 0n)

const registerSteps = (image: VcpuImage, vcpu: number): readonly RestoreStep[] => {
  // PSTATE decides which stack pointer is the current one: it comes before both.
  const names = Object.keys(image.registers)
  const ordered = [...names.filter((name) => name === 'PSTATE'), ...names.filter((name) => name !== 'PSTATE')]
  return ordered.map((name) => oneRegStep(name, vcpu, oneRegIdOf(name) ?? 0n, image.registers[name] ?? 0n))
}

const partSteps = (part: VcpuPart, image: VcpuImage, vcpu: number, gic: GicImage): readonly RestoreStep[] => {
  switch (part.part) {
    case 'registers':
      return registerSteps(image, vcpu)
    case 'power': {
      const state = image.on ? MP_STATE.RUNNABLE : MP_STATE.STOPPED
      return [
        {
          call: { call: 'KVM_SET_MP_STATE', vcpu, state },
          what: of('the power state', vcpu),
          wanted: state,
          readBack: { call: 'KVM_GET_MP_STATE', vcpu },
        },
      ]
    }
    default: {
      return writeSteps(part.writes, {
        words: wordsOf(part.part, image, gic.version),
        saved: image[part.part],
        affinity: addressOf(image, gic.version),
        vcpu,
        lpis: gic.lpis,
      })
    }
  }
}

const stageSteps = (stage: Stage, { vcpus, gic, its }: VmImage): readonly RestoreStep[] => {
  switch (stage.do) {
    case 'vcpus':
      return vcpuSteps(vcpus)
    case 'affinities':
      return affinitySteps(vcpus)
    case 'gic':
      return [
        ...(gic.version === 2 ? gicV2Steps(gic) : gicV3Steps(gic)),
        ...its.flatMap(createItsSteps),
        ...pmuSteps(vcpus),
      ]
    case 'its':
      return its.flatMap(itsSteps)
    case 'distributor':
      return writeSteps(stage.writes, {
        words: gicWords[gic.version].distributor(gic.irqs),
        saved: gic.distributor,
        affinity: addressOf(vcpus[0], gic.version),
        lpis: gic.lpis,
      })
    case 'each vcpu':
      return vcpus.flatMap((image, vcpu) => stage.parts.flatMap((part) => partSteps(part, image, vcpu, gic)))
  }
}

/** The whole restore, into a VM that does not exist yet. */
export const restorePlan = (image: VmImage, { stages }: Order): readonly RestoreStep[] =>
  stages.flatMap((stage) => stageSteps(stage, image))

export interface RestoreStop {
  readonly ok: false
  readonly step: RestoreStep
  readonly errno: Errno
  readonly why: string
  readonly source: string
  /** What the register holds instead of what was wanted; `undefined`: nothing that could be read. */
  readonly had: bigint | undefined
  readonly done: number
}

export type Restored = RestoreStop | { readonly ok: true; readonly notes: readonly string[] }

/** Stops at the first refusal, as VMMs do; what KVM says it lost on the way is told. */
export const restore = (execute: Execute, plan: readonly RestoreStep[]): Restored => {
  const notes: string[] = []
  for (const [done, step] of plan.entries()) {
    const answer = execute(step.call)
    if (!answer.ok) {
      const now = step.readBack === undefined ? undefined : execute(step.readBack)
      return { ...answer, step, done, had: now?.ok === true ? now.value : undefined }
    }
    if (answer.note !== undefined) notes.push(`${step.what}: ${answer.note}`)
  }
  return { ok: true, notes }
}

const hex = (value: bigint): string => `0x${value.toString(16)}`

/** `ICC_CTLR_EL1 of vCPU 0: 0x400 wanted, 0x8400 found; EINVAL: …` */
export const stopText = ({ step, errno, why, had }: RestoreStop): string => {
  const wanted = step.wanted === undefined ? '' : `: ${hex(step.wanted)} wanted`
  const found = had === undefined ? '' : `, ${hex(had)} found`
  return `${step.what}${wanted}${found}; ${errno}: ${why}`
}
