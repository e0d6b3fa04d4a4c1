/** Where QEMU is wrong, or free to differ from us: each by name, with the section of the Arm ARM that says so. */
import type { Row } from '../../pure/arch/a64/row.ts'

interface Known {
  readonly name: string
  readonly section: string
  /** Whether this difference is the one meant. States before the instruction, and after it as each leaves them. */
  readonly explains: (row: Row, before: DataView, want: DataView, got: DataView) => boolean
}

export const KNOWN: readonly Known[] = []

export const knownDifference = (
  row: Row | undefined,
  before: DataView,
  want: DataView,
  got: DataView,
): string | undefined => {
  if (row === undefined) return undefined
  const found = KNOWN.find(({ explains }) => explains(row, before, want, got))
  return found === undefined ? undefined : `${found.name} (${found.section})`
}
