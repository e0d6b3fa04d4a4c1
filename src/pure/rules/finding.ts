/** Something worth saying about a machine: what, why, and what may be done about it. */
import type { Edit } from '../blueprint/edits.ts'
import type { KvmCall } from '../uapi/calls.ts'

/** Another machine at the next boot, the same once more, or calls on the one that runs. */
export type Cure =
  | { readonly title: string; readonly edit: Edit }
  | { readonly title: string; readonly boot: true }
  | { readonly title: string; readonly calls: readonly KvmCall[]; readonly inverse: readonly KvmCall[] }

export interface Finding {
  readonly severity: 'error' | 'warning' | 'info'
  readonly text: string
  /** `index`: of the vCPU, the INTID of the SPI, of the ITS, 0 for the host and the plan. */
  readonly where: { readonly kind: 'vcpu' | 'spi' | 'its' | 'host' | 'plan'; readonly index: number }
  readonly source: string
  /** Calls that do away with it. */
  readonly cures?: readonly Cure[]
  /** Why no call does. */
  readonly noCure?: string
}

export type Severity = Finding['severity']

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info']

/** Errors first. */
export const bySeverity = (findings: readonly Finding[]): readonly Finding[] =>
  findings.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
