/** What the bits of the GIC's system registers mean: ICC_*_EL1 and, for the host, ICH_*_EL2 (IHI 0069, 12.2, 12.4). */
import { ICH_HCR, ICH_LR, ICH_VMCR, ICH_VTR } from '../../gic/ich.ts'
import type { Field } from '../../register.ts'
import { ICC_CTLR } from '../gic-cpu.ts'
import { bit, part } from './parts.ts'

const CONTROL: Readonly<Record<keyof typeof ICC_CTLR, Field['text']>> = {
  CBPR: (v) => (v === 1n ? 'ICC_BPR0_EL1 serves both groups' : 'Group 1 has ICC_BPR1_EL1'),
  EOImode: (v) => (v === 1n ? 'ICC_EOIR<n>_EL1 drops the priority only' : 'ICC_EOIR<n>_EL1 deactivates too'),
  PRIbits: (v) => `${v + 1n} bits of priority`,
  IDbits: (v) => `INTIDs of ${16n + 8n * v} bits`,
  SEIS: (v) => (v === 1n ? 'SErrors by the GIC' : 'no SErrors by the GIC'),
  A3V: (v) => (v === 1n ? 'Aff3 in SGIs' : 'Aff3 is 0 in SGIs'),
}

const CONTROLS = [
  'CBPR',
  'EOImode',
  'PRIbits',
  'IDbits',
  'SEIS',
  'A3V',
] as const satisfies readonly (keyof typeof ICC_CTLR)[]

const intid: readonly Field[] = [part('INTID', 0, 24, (value) => (value === 1023n ? 'none' : `INTID ${value}`))]
const priority: readonly Field[] = [part('Priority', 0, 8)]
const binaryPoint: readonly Field[] = [
  part('BinaryPoint', 0, 3, (value) => `bits 7 to ${value + 1n} preempt in Group 0, 7 to ${value} in Group 1`),
]
const enable = (group: 0 | 1): readonly Field[] => [
  bit('Enable', 0, `Group ${group} is signalled`, `Group ${group} is not signalled`),
]
const PRIORITIES_A_WORD = 32
/** Word n of the active priorities: a bit for each priority that can preempt, the highest first (12.2.1). */
const activePriorities = (n: number): readonly Field[] => [
  part('P', 0, PRIORITIES_A_WORD, (value) => {
    const active = Array.from({ length: PRIORITIES_A_WORD }, (_, bitAt) => bitAt).filter(
      (bitAt) => ((value >> BigInt(bitAt)) & 1n) === 1n,
    )
    const levels = active.map((bitAt) => PRIORITIES_A_WORD * n + bitAt).join(', ')
    return active.length === 0 ? 'no priority is active' : `active: group priority ${levels} from the highest`
  }),
]
/** ICC_AP<g>R<n>_EL1 and what is the host's of it, ICH_AP<g>R<n>_EL2. */
const ACTIVE_PRIORITIES = Object.fromEntries(
  [0, 1, 2, 3].flatMap((n) =>
    [0, 1].flatMap((group) => [
      [`ICC_AP${group}R${n}_EL1`, activePriorities(n)],
      [`ICH_AP${group}R${n}_EL2`, activePriorities(n)],
    ]),
  ),
)
/** ICC_SGI1R_EL1 and those of other groups. */
const softwareInterrupt: readonly Field[] = [
  part('Aff3', 48, 8),
  part('RS', 44, 4),
  bit('IRM', 40, 'to all but the sender', 'to the list'),
  part('Aff2', 32, 8),
  part('INTID', 24, 4, (value) => `SGI ${value}`),
  part('Aff1', 16, 8),
  part('TargetList', 0, 16),
]

export const GIC_FIELDS: Readonly<Record<string, readonly Field[]>> = {
  ICC_CTLR_EL1: CONTROLS.map((name) => {
    const { lsb, mask } = ICC_CTLR[name]
    return part(name, lsb, 32 - Math.clz32(mask), CONTROL[name])
  }),
  ...ACTIVE_PRIORITIES,
  ICC_PMR_EL1: priority,
  ICC_RPR_EL1: [part('Priority', 0, 8, (value) => (value === 0xffn ? 'nothing is active' : `0x${value.toString(16)}`))],
  ICC_BPR0_EL1: binaryPoint,
  ICC_BPR1_EL1: binaryPoint,
  ICC_IGRPEN0_EL1: enable(0),
  ICC_IGRPEN1_EL1: enable(1),
  ICC_HPPIR0_EL1: intid,
  ICC_HPPIR1_EL1: intid,
  ICC_IAR0_EL1: intid,
  ICC_IAR1_EL1: intid,
  ICC_EOIR0_EL1: intid,
  ICC_EOIR1_EL1: intid,
  ICC_DIR_EL1: intid,
  ICC_SGI0R_EL1: softwareInterrupt,
  ICC_SGI1R_EL1: softwareInterrupt,
  ICC_ASGI1R_EL1: softwareInterrupt,
  ICC_SRE_EL1: [bit('SRE', 0, 'system registers', 'memory'), bit('DFB', 1), bit('DIB', 2)],
  ICH_HCR_EL2: ICH_HCR.fields,
  ICH_VTR_EL2: ICH_VTR.fields,
  ICH_VMCR_EL2: ICH_VMCR.fields,
  ICH_LR_EL2: ICH_LR.fields,
  ICH_ELRSR_EL2: Array.from({ length: 16 }, (_, n) => bit(`Status${n}`, n, `ICH_LR${n}_EL2 is free`, 'in use')),
}
