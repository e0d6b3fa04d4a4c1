/** PSCI and the SMC Calling Convention: function ids and return values (Arm DEN0022, DEN0028). */

/** Bit 30 of a function id: arguments are 64 bits wide. */
export const SMC64 = 0x4000_0000

export interface PsciFunction {
  readonly name: string
  /** Its SMC32 id. */
  readonly id: number
  /** Whether it has an SMC64 form as well. */
  readonly wide: boolean
}

/** PSCI 1.1 as KVM offers it (arch/arm64/kvm/psci.c: kvm_psci_1_x_call()). */
export const PSCI = {
  PSCI_VERSION: { name: 'PSCI_VERSION', id: 0x8400_0000, wide: false },
  CPU_SUSPEND: { name: 'CPU_SUSPEND', id: 0x8400_0001, wide: true },
  CPU_OFF: { name: 'CPU_OFF', id: 0x8400_0002, wide: false },
  CPU_ON: { name: 'CPU_ON', id: 0x8400_0003, wide: true },
  AFFINITY_INFO: { name: 'AFFINITY_INFO', id: 0x8400_0004, wide: true },
  MIGRATE_INFO_TYPE: { name: 'MIGRATE_INFO_TYPE', id: 0x8400_0006, wide: false },
  SYSTEM_OFF: { name: 'SYSTEM_OFF', id: 0x8400_0008, wide: false },
  SYSTEM_RESET: { name: 'SYSTEM_RESET', id: 0x8400_0009, wide: false },
  PSCI_FEATURES: { name: 'PSCI_FEATURES', id: 0x8400_000a, wide: false },
  SYSTEM_RESET2: { name: 'SYSTEM_RESET2', id: 0x8400_0012, wide: true },
} as const satisfies Record<string, PsciFunction>

export type PsciName = keyof typeof PSCI

/** DEN0028, section 7: what is asked before PSCI can be. */
export const SMCCC = { VERSION: 0x8000_0000, ARCH_FEATURES: 0x8000_0001 } as const

/** DEN0070: calls that mitigate speculation. */
export const ARCH_WORKAROUND = { 1: 0x8000_8000, 2: 0x8000_7fff, 3: 0x8000_3fff } as const

export const PSCI_RETURN = {
  SUCCESS: 0n,
  NOT_SUPPORTED: -1n,
  INVALID_PARAMS: -2n,
  DENIED: -3n,
  ALREADY_ON: -4n,
  ON_PENDING: -5n,
  INTERNAL_FAILURE: -6n,
} as const

/** AFFINITY_INFO's answers. */
export const AFFINITY_STATE = { ON: 0n, OFF: 1n } as const
/** MIGRATE_INFO_TYPE: a Trusted OS that needs no migration. */
export const MIGRATE_NOT_REQUIRED = 2n
/** PSCI 1.1 and SMCCC 1.1: major 31:16, minor 15:0. */
export const VERSION_1_1 = 0x1_0001n

const NAMES: readonly PsciName[] = [
  'PSCI_VERSION',
  'CPU_SUSPEND',
  'CPU_OFF',
  'CPU_ON',
  'AFFINITY_INFO',
  'MIGRATE_INFO_TYPE',
  'SYSTEM_OFF',
  'SYSTEM_RESET',
  'PSCI_FEATURES',
  'SYSTEM_RESET2',
]

export interface PsciCall {
  readonly name: PsciName
  /** Whether it came in its SMC64 form. */
  readonly wide: boolean
}

/** The PSCI function with this id, in either form it has. */
export const psciCall = (id: number): PsciCall | undefined => {
  const wide = (id & SMC64) !== 0
  const narrow = (id & ~SMC64) >>> 0
  const name = NAMES.find((candidate) => PSCI[candidate].id === narrow)
  return name === undefined || (wide && !PSCI[name].wide) ? undefined : { name, wide }
}

const RETURN_NAMES = Object.entries(PSCI_RETURN)

/** `INVALID_PARAMS` for -2, however many bits it was cut to. */
export const psciReturnName = (value: bigint): string | undefined =>
  RETURN_NAMES.find(([, known]) => known === BigInt.asIntN(64, value))?.[0]
