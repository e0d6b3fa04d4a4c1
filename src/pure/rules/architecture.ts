/**
 * What the architecture asks of real hardware with A3V = 1, path by path: the column beside the rule sets. Paths that
 * only a hypervisor or its debugging has are not in it.
 */
import { affinityText } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import type { MatrixCell } from './matrix.ts'

type Answer = (affinity: Affinity) => Pick<MatrixCell, 'text' | 'title' | 'source'>

const carries =
  (title: string, source: string): Answer =>
  (affinity) => ({ text: affinityText(affinity), title, source })

const says =
  (text: string, title: string, source: string): Answer =>
  () => ({ text, title, source })

/** By the name of the matrix's row. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  'MPIDR_EL1 after PSCI CPU_ON': carries(
    'MPIDR_EL1 is fixed by the hardware; turning a core on changes nothing in it.',
    'Arm ARM D24.2, MPIDR_EL1',
  ),
  'GICR_TYPER[63:32]': carries(
    'Affinity_Value holds all four levels of the PE that the redistributor belongs to.',
    'IHI 0069, 12.11, GICR_TYPER.Affinity_Value',
  ),
  'GICD_IROUTER, 64-bit write': carries(
    'Bits 39:32 are Aff3 where GICD_TYPER.A3V is 1.',
    'IHI 0069, 12.9, GICD_IROUTER<n>',
  ),
  'GICD_IROUTER, 32-bit halves': carries(
    'Each half of a 64-bit register may be accessed alone and changes its own bits.',
    'IHI 0069, 12.1.3, access to 64-bit registers',
  ),
  'GICD_IROUTER, high word': (affinity) => ({
    text: `0x${(affinity >>> 24).toString(16)}`,
    title: 'Bits 39:32 read as Aff3 where GICD_TYPER.A3V is 1.',
    source: 'IHI 0069, 12.9, GICD_IROUTER<n>',
  }),
  'Target of the SPI': says(
    'delivered',
    'The PE with all four levels is the target.',
    'IHI 0069, 12.9, GICD_IROUTER<n>',
  ),
  'ICC_SGI1R_EL1.Aff3': says(
    'delivered',
    'Aff3 of the register is compared where the CPU interface has A3V = 1.',
    'IHI 0069, 12.2, ICC_SGI1R_EL1.Aff3',
  ),
  'PSCI CPU_ON target': says(
    'SUCCESS',
    'target_cpu has the affinity fields of MPIDR_EL1, Aff3 in bits 39:32.',
    'DEN 0022, 5.1.4, CPU_ON',
  ),
  'GICD_TYPER.A3V': says('1', 'The distributor supports non-zero Aff3.', 'IHI 0069, 12.9, GICD_TYPER.A3V'),
  'ICC_CTLR_EL1.A3V, read by the guest': says(
    '1',
    'The CPU interface supports non-zero Aff3 in SGIs.',
    'IHI 0069, 12.2, ICC_CTLR_EL1.A3V',
  ),
  'ICH_VTR_EL2.A3V, read by a nested guest': says(
    '1',
    'The virtual CPU interface supports non-zero Aff3 in SGIs.',
    'IHI 0069, 12.4, ICH_VTR_EL2.A3V',
  ),
}

/** Nothing where the architecture knows no such path. */
export const architectureCell = (path: string, affinity: Affinity): MatrixCell | undefined => {
  const answer = Object.hasOwn(ANSWERS, path) ? ANSWERS[path] : undefined
  return answer === undefined ? undefined : { ...answer(affinity), sees: true, verdict: 'kept' }
}

/** The rows that have an answer, for whoever wants to hold them against the matrix. */
export const ARCHITECTURE_PATHS: readonly string[] = Object.keys(ANSWERS)
