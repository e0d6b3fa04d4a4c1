/** PSCI 1.1 as KVM serves it to its guests (arch/arm64/kvm/psci.c, hypercalls.c). */
import { mpidrAffinity, sameFromLevel } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import {
  AFFINITY_STATE,
  ARCH_WORKAROUND,
  MIGRATE_NOT_REQUIRED,
  PSCI_RETURN,
  SMCCC,
  VERSION_1_1,
  psciCall,
} from '../../pure/arch/psci.ts'
import type { PsciName } from '../../pure/arch/psci.ts'
import type { VgicRules } from '../../pure/rules/points.ts'
import type { Conduit } from '../cpu/system-helpers.ts'
import type { SystemEvent } from '../machine/hardware.ts'
import type { Vcpu } from './vcpu.ts'

export interface PsciContext {
  readonly rules: VgicRules
  readonly vcpus: readonly Vcpu[]
  /** kvm_mpidr_to_vcpu(). */
  find(affinity: Affinity): Vcpu | undefined
  /** The reset that CPU_ON posts: before the CPU starts. */
  resetVcpu(vcpu: Vcpu): void
  systemEvent(event: SystemEvent): void
}

export type Arguments = readonly [bigint, bigint, bigint, bigint]

/** The simulated processor does not speculate; include/linux/arm-smccc.h names the answers. */
const UNAFFECTED = 1n
const NOT_REQUIRED = -2n

const ARCH_FEATURES: ReadonlyMap<number, bigint> = new Map([
  [ARCH_WORKAROUND[1], UNAFFECTED],
  [ARCH_WORKAROUND[2], NOT_REQUIRED],
  [ARCH_WORKAROUND[3], UNAFFECTED],
])

const HIGHEST_LEVEL = 3n
const LEVELS = [0, 1, 2, 3] as const

/** KVM's kvm_psci_valid_affinity(): bits outside the affinity must be 0, bit 31 too. */
const validAffinity = (target: bigint): boolean => (target & ~mpidrAffinity.mask) === 0n

const cpuOn = (context: PsciContext, [, target, entry, argument]: Arguments): bigint => {
  if (!validAffinity(target)) return PSCI_RETURN.INVALID_PARAMS
  const affinity = mpidrAffinity.decode(target)
  const vcpu = context.find(affinity)
  if (
    vcpu === undefined ||
    !context.rules.cpuOnAffinity.decide({ target: affinity, cpu: mpidrAffinity.decode(vcpu.mpidr) })
  ) {
    return PSCI_RETURN.INVALID_PARAMS
  }
  if (vcpu.on) return PSCI_RETURN.ALREADY_ON
  context.resetVcpu(vcpu)
  vcpu.turnOn(entry, argument)
  return PSCI_RETURN.SUCCESS
}

const affinityInfo = ({ vcpus }: PsciContext, [, target, level]: Arguments): bigint => {
  if (level > HIGHEST_LEVEL || !validAffinity(target)) return PSCI_RETURN.INVALID_PARAMS
  const from = LEVELS[Number(level)] ?? 0
  const affinity = mpidrAffinity.decode(target)
  const matching = vcpus.filter(({ mpidr }) => sameFromLevel(mpidrAffinity.decode(mpidr), affinity, from))
  if (matching.length === 0) return PSCI_RETURN.INVALID_PARAMS
  return matching.some(({ on }) => on) ? AFFINITY_STATE.ON : AFFINITY_STATE.OFF
}

const features = (fn: bigint): bigint => {
  const id = Number(BigInt.asUintN(32, fn))
  return id === SMCCC.VERSION || psciCall(id) !== undefined ? PSCI_RETURN.SUCCESS : PSCI_RETURN.NOT_SUPPORTED
}

/** The one table of what a function does. `undefined`: it does not return to its caller. */
const functions: Record<PsciName, (context: PsciContext, args: Arguments, caller: Vcpu) => bigint | undefined> = {
  PSCI_VERSION: () => VERSION_1_1,
  // "= WFI": PSCI lets a suspended CPU wake for no reason, so to return at once is one of its behaviours.
  CPU_SUSPEND: () => PSCI_RETURN.SUCCESS,
  CPU_OFF: (_, __, caller) => {
    caller.setOn(false)
    return undefined
  },
  CPU_ON: cpuOn,
  AFFINITY_INFO: affinityInfo,
  MIGRATE_INFO_TYPE: () => MIGRATE_NOT_REQUIRED,
  SYSTEM_OFF: ({ systemEvent }) => {
    systemEvent('off')
    return undefined
  },
  SYSTEM_RESET: ({ systemEvent }) => {
    systemEvent('reset')
    return undefined
  },
  PSCI_FEATURES: (_, [, fn]) => features(fn),
  SYSTEM_RESET2: ({ systemEvent }) => {
    systemEvent('reset')
    return undefined
  },
}

const smccc = (fn: number, argument: bigint): bigint => {
  if (fn === SMCCC.VERSION) return VERSION_1_1
  if (fn === SMCCC.ARCH_FEATURES) {
    const asked = Number(BigInt.asUintN(32, argument))
    if (asked === SMCCC.VERSION || asked === SMCCC.ARCH_FEATURES) return PSCI_RETURN.SUCCESS
    return ARCH_FEATURES.get(asked) ?? PSCI_RETURN.NOT_SUPPORTED
  }
  return PSCI_RETURN.NOT_SUPPORTED
}

/** An SMC32 call has 32-bit arguments: an Aff3 in one is cut off. */
const cut = ([fn, a, b, c]: Arguments): Arguments => [
  fn,
  BigInt.asUintN(32, a),
  BigInt.asUintN(32, b),
  BigInt.asUintN(32, c),
]

/** Serves an HVC or SMC; the answer is for X0. */
export const hypercall = (
  context: PsciContext,
  caller: Vcpu,
  conduit: Conduit,
  args: Arguments,
): bigint | undefined => {
  if (conduit === 'smc' && !context.rules.smcIsPsci.decide()) return BigInt.asUintN(64, PSCI_RETURN.NOT_SUPPORTED)
  const fn = Number(BigInt.asUintN(32, args[0]))
  const known = caller.features?.includes('PSCI_0_2') === true ? psciCall(fn) : undefined
  // A 64-bit function is none for an AArch32 caller: kvm_psci_check_allowed_function().
  const call = known?.wide === true && caller.el1 === 32 ? undefined : known
  const answer =
    call === undefined ? smccc(fn, args[1]) : functions[call.name](context, call.wide ? args : cut(args), caller)
  return answer === undefined ? undefined : BigInt.asUintN(64, answer)
}
