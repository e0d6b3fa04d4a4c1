/**
 * The register-and-call table of the three accounts of Aff3, row by row. Most rows are cases already (`cases.test.ts`);
 * here it is said which, and the rest is tried.
 */
import { describe, expect, it } from 'vitest'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import type { HostProfile, RuleSetId } from '../../pure/blueprint/host.ts'
import { PSCI, SMC64 } from '../../pure/arch/psci.ts'
import { ruleSets, rulesFor } from '../../pure/rules/rule-sets.ts'
import { gv, hex, psci } from '../../testing/kvm-cases/answers.ts'
import { CaseVm } from '../../testing/kvm-cases/case-vm.ts'
import type { Env } from '../../testing/kvm-cases/kvm-case.ts'
import { IR, RAM } from '../../testing/kvm-cases/places.ts'
import { four, fourWithout } from '../../testing/kvm-cases/set-ups.ts'
import { kvmCases, performed } from '../../testing/kvm-cases/index.ts'

const { H0, H1 } = HOST_PRESETS

/** Row, what it is about, and where it is tried. */
const ROWS: readonly (readonly [row: number, about: string, tried: string])[] = [
  [1, 'Aff3 at reset', 'C03'],
  [2, 'Aff3 is set on a host with A3V', 'C05'],
  [3, 'Aff3 is set on a host without A3V', 'C06'],
  [4, 'Aff3 is set with a GICv2 on a GICv2 host', 'C07'],
  [5, 'Aff3 is set with a GICv2 on a GICv3 host', 'C08'],
  [6, 'Aff3 is set with AArch32 at EL1', 'C09'],
  [7, 'MPIDR_EL1 is set after the first run', 'C13'],
  [8, 'odd bits in MPIDR_EL1', 'C12'],
  [9, 'a duplicate affinity', 'C15'],
  [10, 'KVM_ARM_VCPU_INIT again', 'C18'],
  [11, 'GICR_TYPER[63:56]', 'C24'],
  [12, 'GICR_TYPER[55:32]', 'C27'],
  [13, 'GICR_TYPER written by userspace', 'C28'],
  [14, 'GICD_IROUTER written with 64 bits', 'C41'],
  [15, 'GICD_IROUTER, its low half written', 'C42'],
  [16, 'GICD_IROUTER, its high half written', 'C43'],
  [17, 'GICD_IROUTER, its high half read', 'C41'],
  [18, 'GICD_IROUTER read with 64 bits', 'C40'],
  [19, 'Interrupt_Routing_Mode', 'C46'],
  [20, 'an SPI for a vCPU with Aff3', 'C51'],
  [21, 'a target after MPIDR_EL1 changed', 'C53'],
  [22, 'GICD_TYPER.A3V', 'C85'],
  [23, 'ICC_CTLR_EL1.A3V, the guest', 'C81'],
  [25, 'ICC_CTLR_EL1.A3V, userspace', 'C74'],
  [26, 'ICC_CTLR_EL1 set with another A3V', 'C80'],
  [27, 'ICC_CTLR_EL1 set with another SEIS', 'C79'],
  [28, 'ICC_SGI1R_EL1.Aff3', 'C64'],
  [30, 'the affinity of an attribute', 'C37'],
  [31, "the affinity of the distributor's attributes", 'C96'],
  [32, 'GICD_IIDR.Revision at first', 'C88'],
  [33, 'revisions that are accepted', 'C90'],
  [35, 'TARGET in vgic-state', 'C114'],
  [37, 'CPU_ON with 32-bit arguments', 'C119'],
  [39, 'an affinity that changed after the first run', 'C20'],
  [40, 'duplicates before and after the first run', 'C17'],
  [41, 'a revision that is written', 'C89'],
  [42, 'MPIDR_EL1 of a secondary after CPU_ON', 'C19'],
  [43, 'a pending SPI that is given a route', 'C49'],
]

/** The other rows are tried below. */
const BELOW = [24, 29, 34, 36, 38] as const

/** The patch on the base it was written for. */
const on = (ruleSet: RuleSetId, host: HostProfile = H1): Env => ({
  ruleSet,
  base: ruleSet === 'patch-v1' ? '6.8' : '6.12',
  host,
})

const underEach = (of: (env: Env) => string, host: HostProfile = H1): readonly string[] =>
  (['mainline', 'patch-v1', 'full-aff3'] as const).map((ruleSet) => of(on(ruleSet, host)))

describe('the table', () => {
  it('has 43 rows, each of them tried', () => {
    const rows = [...ROWS.map(([row]) => row), ...BELOW].toSorted((a, b) => a - b)
    expect(rows).toEqual(Array.from({ length: 43 }, (_, i) => i + 1))
    expect(ROWS.filter(([, , id]) => performed(id) === undefined)).toEqual([])
  })

  it.each(ROWS)('row %i, %s: %s', (_, __, id) => {
    const row = kvmCases.find((one) => one.id === id)
    if (row === undefined) throw new Error(`there is no case ${id}`)
    const { mainline, patch, full, host } = row
    expect(underEach(row.run, host)).toEqual([mainline, patch ?? mainline, full ?? patch ?? mainline])
  })

  it('row 24: ICC_CTLR_EL1.A3V is the same where other bits of ICH_VTR_EL2 force the trap', () => {
    const a3v = (env: Env): string => {
      const got = four(env).mrs(0, 'ICC_CTLR_EL1')
      return typeof got === 'string' ? got : hex((got >> 15n) & 1n)
    }
    expect(underEach(a3v, { ...H0, seis: true })).toEqual(['0', '0', '1'])
    expect(underEach(a3v, { ...H1, seis: true })).toEqual(['1', '1', '1'])
  })

  it('row 29: ICH_VTR_EL2.A3V of a nested guest', () => {
    const nested = (env: Env): string => {
      const { rules, facts } = four(env).kvm
      return `${rules.nestedVtrA3v.decide({ vm: facts })}`
    }
    expect(underEach(nested)).toEqual(['false', 'true', 'true'])
    expect(underEach(nested, H0)).toEqual(['false', 'false', 'true'])
  })

  it('row 34: how much of an affinity an interrupt keeps', () => {
    const kept = (env: Env): string => {
      const vm = four(env).w64(0, IR(40), 0x7_0001_0203n)
      return hex(vm.kvm.vgic?.irq(0, 40)?.affinity ?? 0)
    }
    expect(underEach(kept)).toEqual(['10203', '7010203', '7010203'])
  })

  it('row 36: CPU_ON compares Aff3', () => {
    const answers = (env: Env): string => {
      const vm = fourWithout(env, 1)
      vm.setMpidr(1, 0x1_8000_0001n)
      const cpuOn = (target: bigint): string => psci(vm.hvc(0, PSCI.CPU_ON.id | SMC64, target, RAM))
      return `${cpuOn(1n)}, ${cpuOn(0x1_0000_0001n)}`
    }
    expect(underEach(answers)).toEqual(Array.from({ length: 3 }, () => 'INVALID_PARAMS, SUCCESS'))
  })

  it('row 38: the affinity of an SGI or PPI is that of its CPU when the GIC was made, or as it is now', () => {
    const target = (vm: CaseVm): string =>
      vm
        .state()
        .split('\n')
        .filter((line) => line.startsWith('       SGI    0'))
        .map((line) => line.slice(40, 50).trim())
        .join()
    const shown = (env: Env): string => {
      const vm = four(env)
      const before = target(vm)
      vm.setMpidr(1, 0x1_8000_0009n)
      return `${before} → ${target(vm)}`
    }
    expect(underEach(shown)).toEqual(['0,1,2,3 → 0,1,2,3', '0,1,2,3 → 0,1,2,3', '0,1,2,3 → 0,1000009,2,3'])
  })
})

describe('rule sets', () => {
  it('answer every point with a title and a source, on every base', () => {
    for (const ruleSet of ['mainline', 'patch-v1', 'full-aff3'] as const) {
      for (const base of ['6.1', '6.8', '6.12'] as const) {
        for (const [name, { title, source }] of Object.entries(rulesFor(ruleSet, base))) {
          expect([ruleSet, base, name, title.endsWith('.'), source !== '']).toEqual([ruleSet, base, name, true, true])
        }
      }
    }
    expect(Object.keys(ruleSets)).toEqual(['mainline', 'patch-v1', 'full-aff3'])
  })

  it('leave the base what is the base’s, but for full-aff3', () => {
    const reset = (ruleSet: RuleSetId, base: '6.1' | '6.8' | '6.12'): string => {
      const vm = four({ ruleSet, base, host: H1 })
      vm.setMpidr(1, 0x8000_0009n)
      return gv(BigInt(`0x${vm.must(vm.init(1)).mpidr(1)}`))
    }
    const bases = ['6.1', '6.8', '6.12'] as const
    expect(bases.map((base) => reset('mainline', base))).toEqual(['80000001', '80000001', '80000009'])
    expect(bases.map((base) => reset('patch-v1', base))).toEqual(['80000001', '80000001', '80000009'])
    expect(bases.map((base) => reset('full-aff3', base))).toEqual(['80000009', '80000009', '80000009'])
  })
})
