/** What the fuzzer leaves out, each with its reason. */
import type { Row } from '../../pure/arch/a64/row.ts'

interface Exclusion {
  readonly rows: RegExp
  readonly why: string
}

/** Rows that a straight-line block at EL0 cannot hold. */
export const EXCLUDED: readonly Exclusion[] = [
  {
    rows: /^(BL|BR|BLR|RET|BR \(checked\)|BLR \(checked\))$/,
    why: 'they leave the block; the driver itself calls and returns with them',
  },
  {
    rows: /^(PAC|AUT|XPAC|BRA|BLRA|RETA|ERETA|LDRAA)/,
    why: 'the algorithm of pointer authentication is our own; `pauth.test.ts` has it',
  },
  { rows: /^(SVC|HVC|SMC|BRK|ERET)$/, why: 'exceptions: QEMU would make Linux signals of them' },
  { rows: /^(WFE|WFI|YIELD)$/, why: 'they wait' },
  { rows: /^(SYS|DC \(clean\)|MSR \(immediate\))$/, why: 'EL1 only, but for DC ZVA, which has a row of its own' },
  { rows: /^DC ZVA$/, why: "QEMU's `max` clears 512 bytes at a time; `fuzz.test.ts` has it on a Cortex-A57" },
  { rows: /^(MRS \(kept, EL1\)|MSR \(DAIF.*\)|MRS \(DAIF\))$/, why: 'EL1 only' },
  { rows: /^MRS \(constant\)$/, why: "tells what the CPU is: beside QEMU's in `identification.test.ts`" },
]

export const isExcluded = (row: Row): boolean => EXCLUDED.some(({ rows }) => rows.test(row.name))
