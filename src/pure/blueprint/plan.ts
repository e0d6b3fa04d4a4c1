/** The KVM calls that build a blueprint: as QEMU's `virt` machine makes them, as another VMM would, or as a person wrote them. */
import { irouterAffinity } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { CPU_MODELS } from '../arch/cpu/models.ts'
import { GICD_IROUTER } from '../arch/gic/gicd.ts'
import { PPI } from '../arch/intid.ts'
import { parseCall } from '../uapi/call-parser.ts'
import { callText } from '../uapi/calls.ts'
import type { KvmCall, VcpuFeature } from '../uapi/calls.ts'
import { ONE_REG } from '../uapi/one-reg.ts'
import { PMU_V3, VCPU_GROUP } from '../uapi/vcpu-attr.ts'
import { givenFeatures } from '../uapi/vcpu-features.ts'
import { DEVICE_TYPE, VGIC_ADDR, VGIC_CTRL, VGIC_GROUP, encodeRedistRegion, registerAttr } from '../uapi/vgic-attr.ts'
import { isOff, NR_IRQS, mpidrOf } from './blueprint.ts'
import type { Blueprint } from './blueprint.ts'
import { memoryMap } from './memory-map.ts'

const setAttr = (group: number, attr: bigint, value: bigint): Extract<KvmCall, { call: 'KVM_SET_DEVICE_ATTR' }> => ({
  call: 'KVM_SET_DEVICE_ATTR',
  group,
  attr,
  value,
})

const indexes = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

/** Where GICD_IROUTER<n> has its upper word; n has 64 bits. */
const HIGH_WORD = 4
const IROUTER_BYTES = 8

/** KVM's device attributes are 32-bit: low word, then high word, as every VMM restores it. */
export const routeCalls = (intid: number, affinity: Affinity): readonly KvmCall[] => {
  const value = irouterAffinity.encode(affinity)
  const offset = GICD_IROUTER.offset + IROUTER_BYTES * intid
  return [
    setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, offset), BigInt.asUintN(32, value)),
    setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, offset + HIGH_WORD), value >> 32n),
  ]
}

/** What the VMM asks when a person changes a vCPU's affinity. */
export const mpidrCall = (vcpu: number, mpidr: bigint): KvmCall => ({
  call: 'KVM_SET_ONE_REG',
  vcpu,
  reg: ONE_REG.MPIDR_EL1,
  value: mpidr,
})

/** As many redistributors a region as the memory map has room for; a region that stays empty is not made. */
const redistributorCalls = (vcpus: number): readonly KvmCall[] => {
  const calls: KvmCall[] = []
  let left = vcpus
  for (const [index, { base, frames }] of memoryMap.redistributors.entries()) {
    if (left <= 0) break
    const count = Math.min(left, frames)
    const value = encodeRedistRegion({ index, base, count, flags: 0 })
    calls.push(setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V3_REDIST_REGION, value))
    left -= count
  }
  return calls
}

const gicV3Calls = (vcpus: number): readonly KvmCall[] => [
  { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V3 },
  setAttr(VGIC_GROUP.NR_IRQS, 0n, BigInt(NR_IRQS)),
  setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V3_DIST, BigInt(memoryMap.gicd.base)),
  ...redistributorCalls(vcpus),
  setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n),
]

/** QEMU makes it after the GIC (hw/intc/arm_gicv3_its_kvm.c). */
const itsCalls: readonly KvmCall[] = [
  { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.ITS },
  { ...setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n), its: 0 },
  { ...setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.ITS, BigInt(memoryMap.its.base)), its: 0 },
]

/** QEMU sets the addresses when the machine is complete, those it heard of last first (target/arm/kvm.c). */
const gicV2Calls: readonly KvmCall[] = [
  { call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V2 },
  setAttr(VGIC_GROUP.NR_IRQS, 0n, BigInt(NR_IRQS)),
  setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n),
  setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V2_CPU, BigInt(memoryMap.gicc.base)),
  setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V2_DIST, BigInt(memoryMap.gicd.base)),
]

/** QEMU tells each vCPU's PMU its interrupt once the GIC is there (hw/arm/virt.c: virt_cpu_post_init()). */
export const pmuCalls = (vcpu: number, irq: number): readonly Extract<KvmCall, { call: 'KVM_SET_DEVICE_ATTR' }>[] => [
  { ...setAttr(VCPU_GROUP.PMU_V3_CTRL, PMU_V3.PMU_V3_IRQ, BigInt(irq)), vcpu },
  { ...setAttr(VCPU_GROUP.PMU_V3_CTRL, PMU_V3.PMU_V3_INIT, 0n), vcpu },
]

/** The parts of a plan, which VMMs put together in different orders. `asked`: features that this VMM asks for where there are. */
const partsOf = (blueprint: Blueprint, asked: readonly VcpuFeature[]) => {
  const given = givenFeatures(CPU_MODELS[blueprint.cpu].features).filter((feature) => asked.includes(feature))
  const vcpus = indexes(blueprint.vcpus)
  const create = vcpus.map((id): KvmCall => ({ call: 'KVM_CREATE_VCPU', id }))
  const init = vcpus.map((vcpu): KvmCall => ({
    call: 'KVM_ARM_VCPU_INIT',
    vcpu,
    // The boot CPU runs; the guest turns the others on through PSCI.
    features: [...(vcpu === 0 ? [] : (['POWER_OFF'] as const)), 'PSCI_0_2', ...given],
  }))
  const affinities = vcpus
    .filter((vcpu) => blueprint.affinities[vcpu] !== undefined)
    .map((vcpu) => mpidrCall(vcpu, mpidrOf(blueprint, vcpu)))
  const routes = Object.entries(blueprint.routes).flatMap(([intid, affinity]) => routeCalls(Number(intid), affinity))
  const gic = blueprint.gic === 2 ? gicV2Calls : gicV3Calls(blueprint.vcpus)
  const vm: KvmCall = { call: 'KVM_CREATE_VM' }
  const pmu = given.includes('PMU_V3') ? vcpus.flatMap((vcpu) => pmuCalls(vcpu, PPI.pmu)) : []
  return { vm, create, init, affinities, gic, its: blueprint.its ? itsCalls : [], pmu, routes }
}

const PTRAUTH: readonly VcpuFeature[] = ['PTRAUTH_ADDRESS', 'PTRAUTH_GENERIC']

interface PlanOrderRow {
  readonly title: string
  readonly says: string
  /** Which features this VMM asks for by itself, where CPU and KVM have them. */
  readonly asks: readonly VcpuFeature[]
  readonly order: (parts: ReturnType<typeof partsOf>) => KvmCall[]
}

/** The order of VCPU_INIT after VCPU_CREATE for each vCPU, as a VMM with a thread for each makes them. */
const interleaved = (a: readonly KvmCall[], b: readonly KvmCall[]): readonly KvmCall[] =>
  a.flatMap((call, i) => [call, ...b.slice(i, i + 1)])

const isInit = (call: KvmCall): boolean => call.call === 'KVM_SET_DEVICE_ATTR' && call.group === VGIC_GROUP.CTRL
const isNrIrqs = (call: KvmCall): boolean => call.call === 'KVM_SET_DEVICE_ATTR' && call.group === VGIC_GROUP.NR_IRQS

/** In whose order a plan is made. Addresses and registers are this machine's; the order and what is asked for are theirs. */
export const PLAN_ORDERS = {
  qemu: {
    title: "QEMU's order",
    says: 'vCPUs and their affinities first, then the GIC, then the PMUs (hw/arm/virt.c, hw/intc/arm_gicv3_kvm.c).',
    asks: ['PMU_V3', ...PTRAUTH],
    order: ({ vm, create, init, affinities, gic, its, pmu, routes }) => [
      vm,
      ...create,
      ...init,
      ...affinities,
      ...gic,
      ...its,
      ...pmu,
      ...routes,
    ],
  },
  kvmtool: {
    title: "kvmtool's order",
    says: 'The GIC is created and placed before any vCPU, and initialised after all; no PMU, which has to be asked for by --pmu (arm/gic.c, arm/aarch64/kvm-cpu.c).',
    asks: PTRAUTH,
    order: ({ vm, create, init, affinities, gic, its, routes }) => [
      vm,
      ...gic.filter((call) => !isInit(call) && !isNrIrqs(call)),
      ...interleaved(create, init),
      ...affinities,
      ...gic.filter(isNrIrqs),
      ...gic.filter(isInit),
      ...its,
      ...routes,
    ],
  },
  firecracker: {
    title: "Firecracker's order",
    says: 'vCPUs are created, then the GIC is made and initialised, then vCPUs are initialised, with neither PMU nor pointer authentication (src/vmm/src/builder.rs).',
    asks: [],
    order: ({ vm, create, init, affinities, gic, its, routes }) => [
      vm,
      ...create,
      ...gic,
      ...its,
      ...init,
      ...affinities,
      ...routes,
    ],
  },
} as const satisfies Readonly<Record<string, PlanOrderRow>>
export type PlanOrder = keyof typeof PLAN_ORDERS
export const PLAN_ORDER_IDS = ['qemu', 'kvmtool', 'firecracker'] as const satisfies readonly PlanOrder[]

/** What the document asks for, in some VMM's order: everything up to the loader's PC and X0. */
export const derivedPlan = (blueprint: Blueprint, order: PlanOrder = 'qemu'): KvmCall[] =>
  PLAN_ORDERS[order].order(partsOf(blueprint, PLAN_ORDERS[order].asks))

/** The same as lines of text. */
export const derivedLines = (blueprint: Blueprint, order: PlanOrder): readonly string[] =>
  derivedPlan(blueprint, order).map(callText)

/** What the machine is built with, as lines: a person's, or those of the document. */
export const planLines = (blueprint: Blueprint): readonly string[] => blueprint.plan ?? derivedLines(blueprint, 'qemu')

/** The calls that build the machine: those a person wrote, else those that follow from the document. */
export const planOf = (blueprint: Blueprint): KvmCall[] =>
  blueprint.plan === undefined
    ? derivedPlan(blueprint)
    : blueprint.plan.flatMap((line) => {
        const parsed = isOff(line) ? undefined : parseCall(line)
        return parsed?.ok === true ? [parsed.call] : []
      })

/** Where the boot CPU starts, and what it finds in X0 (Documentation/arch/arm64/booting.rst: the device tree). */
export const bootCalls = (entry: bigint, context: bigint): readonly KvmCall[] => [
  { call: 'KVM_SET_ONE_REG', vcpu: 0, reg: ONE_REG.PC, value: entry },
  { call: 'KVM_SET_ONE_REG', vcpu: 0, reg: ONE_REG.X0, value: context },
]
