/** The CPUs that a machine can have: what each is called and which features it has. Everything else derives from the list. */
import type { Feature } from './features.ts'

export interface CpuModel {
  readonly id: CpuModelId
  readonly title: string
  /** MIDR_EL1. */
  readonly midr: bigint
  /** Of the CPU's node in the device tree (Documentation/devicetree/bindings/arm/cpus.yaml). */
  readonly compatible: string
  readonly features: ReadonlySet<Feature>
}

export const CPU_MODEL_IDS = ['cortex-a57', 'cortex-a76', 'max'] as const
export type CpuModelId = (typeof CPU_MODEL_IDS)[number]

/** Cortex-A57 TRM 1.2: Armv8.0-A. */
const A57: readonly Feature[] = [
  'FEAT_CRC32',
  'FEAT_AES',
  'FEAT_PMULL',
  'FEAT_SHA1',
  'FEAT_SHA256',
  'FEAT_PMUv3',
  'PA44',
]

/** Cortex-A76 TRM A1: Armv8.2-A, and the parts of v8.3 to v8.5 that it took over. */
const A76: readonly Feature[] = [
  'FEAT_CRC32',
  'FEAT_AES',
  'FEAT_PMULL',
  'FEAT_SHA1',
  'FEAT_SHA256',
  'FEAT_RDM',
  'FEAT_DotProd',
  'FEAT_FP16',
  'FEAT_LSE',
  'FEAT_DPB',
  'FEAT_LRCPC',
  'FEAT_CSV2',
  'FEAT_CSV3',
  'FEAT_SSBS',
  'FEAT_PAN',
  'FEAT_PAN2',
  'FEAT_UAO',
  'FEAT_HAFDBS',
  'FEAT_HPDS',
  'FEAT_LOR',
  'FEAT_TTCNP',
  'FEAT_Debugv8p2',
  'FEAT_PMUv3p1',
  'FEAT_PMUv3',
  'TGran16',
  'PA40',
]

const MAX: readonly Feature[] = [
  ...A76,
  'FEAT_SHA512',
  'FEAT_SHA3',
  'FEAT_SM3',
  'FEAT_SM4',
  'FEAT_FHM',
  'FEAT_JSCVT',
  'FEAT_FCMA',
  'FEAT_FRINTTS',
  'FEAT_FlagM',
  'FEAT_FlagM2',
  'FEAT_RNG',
  'FEAT_DPB2',
  'FEAT_PAuth',
  'FEAT_LRCPC2',
  'FEAT_SB',
  'FEAT_SPECRES',
  'FEAT_DIT',
  'FEAT_BTI',
  'FEAT_SSBS2',
  'FEAT_IDST',
  'FEAT_TTST',
  'FEAT_E0PD',
  'FEAT_TLBIOS',
  'FEAT_TLBIRANGE',
  'PA48',
]

export const CPU_MODELS: Readonly<Record<CpuModelId, CpuModel>> = {
  'cortex-a57': {
    id: 'cortex-a57',
    title: 'Cortex-A57',
    midr: 0x411f_d070n,
    compatible: 'arm,cortex-a57',
    features: new Set(A57),
  },
  'cortex-a76': {
    id: 'cortex-a76',
    title: 'Cortex-A76',
    midr: 0x414f_d0b1n,
    compatible: 'arm,cortex-a76',
    features: new Set(A76),
  },
  /** Everything there is here. Implementer 0: software. */
  max: {
    id: 'max',
    title: 'max',
    midr: 0x000f_0510n,
    compatible: 'arm,armv8',
    features: new Set(MAX),
  },
}
