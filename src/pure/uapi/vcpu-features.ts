/** What KVM_ARM_VCPU_INIT's features need of the CPU under them (arch/arm64/kvm/reset.c, arm.c). */
import type { Feature } from '../arch/cpu/features.ts'
import { VCPU_FEATURES } from './calls.ts'
import type { VcpuFeature } from './calls.ts'

/** KVM_VCPU_MAX_FEATURES of the kernels that are described here; later ones know more. */
const KNOWN = 7

export const isKnownFeature = (feature: VcpuFeature): boolean => VCPU_FEATURES.indexOf(feature) < KNOWN

/** The CPU's own, that a guest sees only if its vCPU was given this; the first of them is what it cannot be without. */
const OF_CPU = {
  PMU_V3: ['FEAT_PMUv3', 'FEAT_PMUv3p1'],
  PTRAUTH_ADDRESS: ['FEAT_PAuth'],
  PTRAUTH_GENERIC: ['FEAT_PAuth'],
} as const satisfies Partial<Record<VcpuFeature, readonly Feature[]>>

type GivenFeature = keyof typeof OF_CPU

const GIVEN: readonly GivenFeature[] = ['PMU_V3', 'PTRAUTH_ADDRESS', 'PTRAUTH_GENERIC']

const isGiven = (feature: VcpuFeature): feature is GivenFeature => GIVEN.some((one) => one === feature)

/** Whether a vCPU of this CPU can have a feature. No CPU here has SVE or EL2; EL1_32BIT is ARCHITECTURE.md's matter. */
export const canHave = (cpu: ReadonlySet<Feature>, feature: VcpuFeature): boolean =>
  isGiven(feature) ? cpu.has(OF_CPU[feature][0]) : feature !== 'SVE' && feature !== 'HAS_EL2'

/** Those that a guest sees only if it was given them, as far as this CPU has them. */
export const givenFeatures = (cpu: ReadonlySet<Feature>): readonly VcpuFeature[] =>
  GIVEN.filter((feature) => canHave(cpu, feature))

/** What of the CPU a guest with these features does not see. */
export const withheldFrom = (features: readonly VcpuFeature[]): readonly Feature[] =>
  GIVEN.filter((feature) => !features.includes(feature)).flatMap((feature) => OF_CPU[feature])
