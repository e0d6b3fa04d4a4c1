/** ICC_* as KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS has them (arch/arm64/kvm/vgic-sys-reg-v3.c). */
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import type { IccName } from '../../pure/arch/sysregs/gic-cpu.ts'
import { decideIccControl } from '../../pure/rules/identity-writes.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal, VgicRules, VmFacts } from '../../pure/rules/points.ts'
import type { CpuInterfaces } from './cpu-interface.ts'
import { ICC_SRE_VALUE } from './guest-sysregs.ts'
import type { IccControls } from './icc-control.ts'
import type { CpuLookup } from './lookup.ts'
import type { Routing } from './routing.ts'
import { DONE } from './register-frame.ts'
import type { Written } from './register-frame.ts'

const SOURCE = 'arch/arm64/kvm/vgic-sys-reg-v3.c'

export type SysregReadBack = Refusal | { readonly ok: true; readonly value: bigint }

/** gic_v3_icc_reg_descs. */
const NAMES = [
  'ICC_PMR_EL1',
  'ICC_BPR0_EL1',
  'ICC_BPR1_EL1',
  'ICC_AP0R0_EL1',
  'ICC_AP0R1_EL1',
  'ICC_AP0R2_EL1',
  'ICC_AP0R3_EL1',
  'ICC_AP1R0_EL1',
  'ICC_AP1R1_EL1',
  'ICC_AP1R2_EL1',
  'ICC_AP1R3_EL1',
  'ICC_CTLR_EL1',
  'ICC_SRE_EL1',
  'ICC_IGRPEN0_EL1',
  'ICC_IGRPEN1_EL1',
] as const satisfies readonly IccName[]

/** Whether KVM_HAS_DEVICE_ATTR knows a register, whichever of them this host's priorities leave. */
export const isUserSysreg = (encoding: number): boolean => NAMES.some((name) => ICC[name] === encoding)

interface Row {
  readonly get: (cpu: number) => SysregReadBack
  readonly set: (cpu: number, value: bigint) => Written
}

export interface UserSysregs {
  get(cpu: number, encoding: number): SysregReadBack
  set(cpu: number, encoding: number, value: bigint): Written
}

export interface UserSysregOptions {
  readonly rules: VgicRules
  readonly vm: VmFacts
  readonly cpus: CpuInterfaces
  readonly controls: IccControls
  readonly lookup: CpuLookup
  readonly routing: Routing
}

export const userSysregs = ({ rules, vm, cpus, controls, lookup, routing }: UserSysregOptions): UserSysregs => {
  const plain = (get: (cpu: number) => number | bigint, set: (cpu: number, value: bigint) => void): Row => ({
    get: (cpu) => ({ ok: true, value: BigInt(get(cpu)) }),
    set: (cpu, value) => {
      set(cpu, value)
      cpus.signal(cpu)
      return DONE
    },
  })

  const activePriorities = (group: 0 | 1, word: number): Row => {
    const absent = (): Refusal =>
      refuse('EINVAL', `${cpus.scheme.preemptionBits} priority bits leave no ICC_AP${group}R${word}_EL1.`, SOURCE)
    const row = plain(
      (cpu) => cpus.at(cpu).active[group][word] ?? 0,
      (cpu, value) => {
        cpus.at(cpu).active[group][word] = Number(BigInt.asUintN(32, value))
      },
    )
    return word < cpus.scheme.apWords ? row : { get: absent, set: absent }
  }

  const groupEnable = (group: 0 | 1): Row =>
    plain(
      (cpu) => Number(cpus.at(cpu).groupEnabled[group]),
      (cpu, value) => {
        cpus.at(cpu).groupEnabled[group] = (value & 1n) === 1n
      },
    )

  const setControl = (cpu: number, value: bigint): Written => {
    const { bits, answer } = decideIccControl({ rules, vm, aff3InUse: lookup.aff3InUse }, controls.bits(cpu), value)
    controls.setBits(cpu, bits)
    if (!answer.ok) return answer
    vm.guestA3v = answer.guestA3v
    vm.pinned = answer.pinned
    controls.write(cpu, value)
    routing.retarget()
    return DONE
  }

  const rows: Record<(typeof NAMES)[number], Row> = {
    ICC_PMR_EL1: plain(
      (cpu) => cpus.at(cpu).pmr,
      (cpu, value) => {
        cpus.at(cpu).pmr = Number(value & 0xffn)
      },
    ),
    ICC_BPR0_EL1: plain(
      (cpu) => cpus.at(cpu).bpr0,
      (cpu, value) => {
        cpus.at(cpu).bpr0 = Number(value & 7n)
      },
    ),
    ICC_BPR1_EL1: plain(
      (cpu) => {
        const at = cpus.at(cpu)
        return at.cbpr ? Math.min(at.bpr0 + 1, 7) : at.bpr1
      },
      (cpu, value) => {
        const at = cpus.at(cpu)
        if (!at.cbpr) at.bpr1 = Number(value & 7n)
      },
    ),
    ICC_AP0R0_EL1: activePriorities(0, 0),
    ICC_AP0R1_EL1: activePriorities(0, 1),
    ICC_AP0R2_EL1: activePriorities(0, 2),
    ICC_AP0R3_EL1: activePriorities(0, 3),
    ICC_AP1R0_EL1: activePriorities(1, 0),
    ICC_AP1R1_EL1: activePriorities(1, 1),
    ICC_AP1R2_EL1: activePriorities(1, 2),
    ICC_AP1R3_EL1: activePriorities(1, 3),
    ICC_CTLR_EL1: { get: (cpu) => ({ ok: true, value: controls.userRead(cpu) }), set: setControl },
    ICC_SRE_EL1: {
      get: () => ({ ok: true, value: ICC_SRE_VALUE }),
      set: (_, value) => ((value & 1n) === 1n ? DONE : refuse('EINVAL', 'ICC_SRE_EL1.SRE cannot be 0.', SOURCE)),
    },
    ICC_IGRPEN0_EL1: groupEnable(0),
    ICC_IGRPEN1_EL1: groupEnable(1),
  }
  const byEncoding = new Map<number, Row>(NAMES.map((name) => [ICC[name], rows[name]]))
  return {
    get: (cpu, encoding) => byEncoding.get(encoding)?.get(cpu) ?? unknown(encoding),
    set: (cpu, encoding, value) => byEncoding.get(encoding)?.set(cpu, value) ?? unknown(encoding),
  }
}

const unknown = (encoding: number): Refusal =>
  refuse('ENOENT', `0x${encoding.toString(16)} is not a register of the CPU interface.`, SOURCE)
