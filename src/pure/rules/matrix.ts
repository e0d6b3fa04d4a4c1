/** "Which path sees Aff3?": every path that an affinity takes through KVM, asked of every rule set. */
import { aff3Of, affinityText, irouterAffinity, mpidrAffinity, mpidrOf, resetMpidr } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import type { HostProfile, KernelBase, RuleSetId } from '../blueprint/host.ts'
import { routeThroughHalves, vmWithVgic } from './forecast.ts'
import { newVmFacts } from './points.ts'
import type { Point, VgicRules, VmFacts } from './points.ts'
import { rulesFor } from './rule-sets.ts'

/** `kept`: the path carries all four levels; `lost`: it does not; `plain`: neither good nor bad. */
export type Verdict = 'kept' | 'lost' | 'plain'

export interface MatrixCell {
  /** Whether Aff3 (or A3V) is there on this path. */
  readonly sees: boolean
  readonly verdict: Verdict
  readonly text: string
  /** What the rule set does here, in a sentence. */
  readonly title: string
  readonly source: string
}

export interface MatrixRow {
  readonly path: string
  readonly title: string
  readonly cells: Readonly<Record<RuleSetId, MatrixCell>>
}

export interface MatrixQuestion {
  readonly base: KernelBase
  readonly host: HostProfile
  /** The affinity in question, and the vCPU that is to have it. */
  readonly affinity: Affinity
  readonly cpu: number
}

interface Asked {
  readonly rules: VgicRules
  readonly affinity: Affinity
  readonly cpu: number
  /** A VM with a vGICv3, not yet run. */
  readonly vm: VmFacts
  /** The same VM before its GIC was made: that is when a VMM sets MPIDR_EL1. */
  readonly early: VmFacts
  /** The affinity that KVM stored. */
  readonly stored: Affinity
}

type Titled = Pick<Point<never, unknown>, 'title' | 'source'>

const cell = (verdict: Verdict, sees: boolean, text: string, { title, source }: Titled): MatrixCell => ({
  sees,
  verdict,
  text,
  title,
  source,
})

/** An affinity that went in, and the one that came out. */
const carried = (wanted: Affinity, got: Affinity, of: Titled): MatrixCell =>
  wanted === got
    ? cell('kept', true, affinityText(got), of)
    : cell('lost', aff3Of(wanted) === aff3Of(got), `becomes ${affinityText(got)}`, of)

const reached = (found: boolean, yes: string, no: string, of: Titled): MatrixCell =>
  found ? cell('kept', true, yes, of) : cell('lost', false, no, of)

const bit = (value: boolean, of: Titled): MatrixCell => cell('plain', value, value ? '1' : '0', of)

/** What GICD_IROUTER keeps of one 64-bit write. */
const routed = ({ rules, vm, affinity }: Asked): Affinity =>
  rules.irouterWrite.decide({ vm, stored: 0, value: irouterAffinity.encode(affinity), width: 8, half: 'low' }).stored

const readBack = ({ rules, vm }: Asked, stored: Affinity): Affinity =>
  irouterAffinity.decode(rules.irouterRead.decide({ vm, stored, width: 8, half: 'low' }))

const afterReset = (asked: Asked, of: Titled, answer: 'keep' | 'reset'): MatrixCell =>
  carried(asked.affinity, answer === 'keep' ? asked.stored : mpidrAffinity.decode(resetMpidr(asked.cpu)), of)

interface Row {
  readonly path: string
  readonly title: string
  readonly ask: (asked: Asked) => MatrixCell
}

const ROWS: readonly Row[] = [
  {
    path: 'KVM_SET_ONE_REG(MPIDR_EL1)',
    title: 'The VMM gives a vCPU its affinity.',
    ask: ({ rules: { setMpidr: of }, early, affinity, cpu }) => {
      const set = of.decide({ vm: early, current: resetMpidr(cpu), value: mpidrOf(affinity) })
      return set.ok ? carried(affinity, mpidrAffinity.decode(set.stored), of) : cell('lost', false, `-${set.errno}`, of)
    },
  },
  {
    path: 'MPIDR_EL1 after PSCI CPU_ON',
    title: 'The guest turns the CPU on, and it reads its affinity.',
    ask: (asked) => afterReset(asked, asked.rules.mpidrAtCpuOn, asked.rules.mpidrAtCpuOn.decide()),
  },
  {
    path: 'MPIDR_EL1 after a second VCPU_INIT',
    title: 'The VMM resets the vCPU.',
    ask: (asked) => afterReset(asked, asked.rules.mpidrAtReinit, asked.rules.mpidrAtReinit.decide()),
  },
  {
    path: 'GICR_TYPER[63:32]',
    title: 'The guest looks for the redistributor of the CPU.',
    ask: ({ rules: { typerAffinity: of }, vm, affinity, stored }) =>
      carried(affinity, of.decide({ vm, affinity: stored }), of),
  },
  {
    path: 'GICD_IROUTER, 64-bit write',
    title: 'An AArch64 guest routes an SPI to the CPU, and reads the register.',
    ask: (asked) => carried(asked.affinity, readBack(asked, routed(asked)), asked.rules.irouterWrite),
  },
  {
    path: 'GICD_IROUTER, 32-bit halves',
    title: 'A VMM restores the register: low word, then high word.',
    ask: (asked) => {
      const { stored } = routeThroughHalves(asked.rules, asked.vm, asked.affinity)
      return carried(asked.affinity, readBack(asked, stored), asked.rules.irouterWrite)
    },
  },
  {
    path: 'GICD_IROUTER, high word',
    title: 'The upper 32 bits are read alone after a 64-bit write.',
    ask: (asked) => {
      const { rules, vm, affinity } = asked
      const high = rules.irouterRead.decide({ vm, stored: routed(asked), width: 4, half: 'high' })
      return reached(
        Number(high) === aff3Of(affinity),
        `0x${high.toString(16)}`,
        `0x${high.toString(16)}`,
        rules.irouterRead,
      )
    },
  },
  {
    path: 'Target of the SPI',
    title: 'The SPI that was routed to the CPU by a 64-bit write becomes pending.',
    ask: (asked) => reached(routed(asked) === asked.stored, 'delivered', 'stays pending', asked.rules.irouterWrite),
  },
  {
    path: 'SPI targets follow MPIDR_EL1',
    title: 'The affinity of a CPU changes after an SPI was routed.',
    ask: ({ rules: { retargetOnMpidrChange: of } }) => reached(of.decide(), 'yes', 'no', of),
  },
  {
    path: 'ICC_SGI1R_EL1.Aff3',
    title: 'The guest sends an SGI to the CPU.',
    ask: ({ rules: { sgiAffinityCompare: of }, affinity, stored }) =>
      reached(of.decide({ sgi: affinity, cpu: stored }), 'delivered', 'reaches nobody', of),
  },
  {
    path: 'PSCI CPU_ON target',
    title: 'The guest turns the CPU on by its affinity.',
    ask: ({ rules: { cpuOnAffinity: of }, affinity, stored }) =>
      reached(of.decide({ target: affinity, cpu: stored }), 'SUCCESS', 'INVALID_PARAMS', of),
  },
  {
    path: 'Device attribute, mpidr field',
    title: "Save and restore address the CPU's registers by its affinity.",
    ask: ({ rules: { attrAffinity: of }, affinity, stored }) =>
      reached(of.decide({ attr: affinity, cpu: stored }), 'found', '-EINVAL', of),
  },
  {
    path: 'Affinity in the record of an SGI or PPI',
    title: 'What debugfs vgic-state shows of a private interrupt.',
    ask: ({ rules: { privateIrqAffinity: of }, affinity, stored }) =>
      carried(affinity, of.decide({ atInit: stored, now: stored }), of),
  },
  {
    path: 'GICD_TYPER.A3V',
    title: 'Whether GICD_IROUTER is said to have Aff3.',
    ask: ({ rules: { distributorTyperA3v: of }, vm }) => bit(of.decide({ vm }), of),
  },
  {
    path: 'ICC_CTLR_EL1.A3V, read by the guest',
    title: 'Whether SGIs are said to have Aff3.',
    ask: ({ rules: { iccCtlrA3vGuest: of }, vm }) => bit(of.decide({ vm }), of),
  },
  {
    path: 'ICC_CTLR_EL1.A3V, read by the VMM',
    title: 'What is saved.',
    ask: ({ rules: { iccCtlrA3vUser: of }, vm }) => bit(of.decide({ vm }), of),
  },
  {
    path: 'ICC_CTLR_EL1.A3V = 1, written by the VMM',
    title: 'A VM that was saved with A3V = 1 is restored on this host.',
    ask: ({ rules: { iccCtlrSetA3v: of }, vm, affinity }) => {
      const set = of.decide({ vm, value: true, aff3InUse: aff3Of(affinity) !== 0 })
      return set.ok ? cell('kept', true, 'accepted', of) : cell('lost', false, `-${set.errno}`, of)
    },
  },
  {
    path: 'ICH_VTR_EL2.A3V, read by a nested guest',
    title: 'What a hypervisor in the guest is told.',
    ask: ({ rules: { nestedVtrA3v: of }, vm }) => bit(of.decide({ vm }), of),
  },
  {
    path: 'vgic-state, column TARGET',
    title: 'What debugfs shows of the SPI that was routed to the CPU.',
    ask: (asked) => {
      const of = asked.rules.vgicDebugTarget
      const stored = routed(asked)
      return cell('plain', aff3Of(stored) !== 0, of.decide({ affinity: stored }).trim(), of)
    },
  },
]

const prepare = (ruleSet: RuleSetId, { base, host, affinity, cpu }: MatrixQuestion): Asked => {
  const rules = rulesFor(ruleSet, base)
  const early = newVmFacts(host, rules)
  const reset = resetMpidr(cpu)
  const set = rules.setMpidr.decide({ vm: early, current: reset, value: mpidrOf(affinity) })
  const stored = mpidrAffinity.decode(set.ok ? set.stored : reset)
  return { rules, affinity, cpu, early, vm: vmWithVgic({ host, gic: 3 }, rules), stored }
}

/** One row a path, for one vCPU and the affinity it is to have. */
export const aff3Matrix = (question: MatrixQuestion): MatrixRow[] => {
  const mainline = prepare('mainline', question)
  const patch = prepare('patch-v1', question)
  const full = prepare('full-aff3', question)
  return ROWS.map(({ path, title, ask }) => ({
    path,
    title,
    cells: { mainline: ask(mainline), 'patch-v1': ask(patch), 'full-aff3': ask(full) },
  }))
}

/** The smallest case with an Aff3: vCPU 1 at 1.0.0.1. */
const EXAMPLE = { affinity: 0x0100_0001, cpu: 1 } as const

export const matrix = (base: KernelBase, host: HostProfile): MatrixRow[] => aff3Matrix({ base, host, ...EXAMPLE })
