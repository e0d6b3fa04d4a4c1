/** System registers by their encodings, whoever owns them. */
import { ICH } from '../gic/ich.ts'
import { ICC } from './gic-cpu.ts'
import { sysregs } from './table.ts'
import { TIMER } from './timer.ts'

const names = new Map<number, string>([
  ...sysregs.map(({ encoding, name }) => [encoding, name] as const),
  ...Object.entries({ ...ICC, ...ICH, ...TIMER }).map(([name, encoding]) => [encoding, name] as const),
])

/** The register's name, or `S<op0>_<op1>_C<n>_C<m>_<op2>` for one without a name here (Arm ARM C1.2.6). */
export const systemRegisterName = (encoding: number): string =>
  names.get(encoding) ??
  `S${encoding >> 14}_${(encoding >> 11) & 7}_C${(encoding >> 7) & 15}_C${(encoding >> 3) & 15}_${encoding & 7}`
