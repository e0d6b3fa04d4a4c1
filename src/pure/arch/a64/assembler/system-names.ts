/** The names that system instructions take for operands, and their encodings. */
import { sysregEncoding } from '../../sysregs/encoding.ts'
import { ICC } from '../../sysregs/gic-cpu.ts'
import { operations as operationRows } from '../../sysregs/operations.ts'
import { sysregs } from '../../sysregs/table.ts'
import { TIMER } from '../../sysregs/timer.ts'

/** Registers that no CPU here has and that programs name all the same: op0 op1 CRn CRm op2. */
const OTHERS: Readonly<Record<string, Parameters<typeof sysregEncoding>>> = {
  ICC_SRE_EL2: [3, 4, 12, 9, 5], ICH_HCR_EL2: [3, 4, 12, 11, 0], ICH_VTR_EL2: [3, 4, 12, 11, 1],
  HCR_EL2: [3, 4, 1, 1, 0], SCTLR_EL2: [3, 4, 1, 0, 0], VBAR_EL2: [3, 4, 12, 0, 0], VMPIDR_EL2: [3, 4, 0, 0, 5],
  VPIDR_EL2: [3, 4, 0, 0, 0], SPSR_EL2: [3, 4, 4, 0, 0], ELR_EL2: [3, 4, 4, 0, 1], SP_EL1: [3, 4, 4, 1, 0],
  ESR_EL2: [3, 4, 5, 2, 0], FAR_EL2: [3, 4, 6, 0, 0], CNTHCTL_EL2: [3, 4, 14, 1, 0], CNTVOFF_EL2: [3, 4, 14, 0, 3],
}

const registers = new Map<string, number>([
  ...sysregs.map(({ name, encoding }) => [name.toLowerCase(), encoding] as const),
  ...Object.entries({ ...ICC, ...TIMER }).map(([name, encoding]) => [name.toLowerCase(), encoding] as const),
  ...Object.entries(OTHERS).map(([name, e]) => [name.toLowerCase(), sysregEncoding(...e)] as const),
])

const GENERIC = /^s([0-3])_([0-7])_c(\d{1,2})_c(\d{1,2})_([0-7])$/

/** The encoding of a system register by its name, or by `S<op0>_<op1>_C<n>_C<m>_<op2>`. */
export function systemRegister(name: string): number | undefined {
  const lower = name.toLowerCase()
  const known = registers.get(lower)
  if (known !== undefined) return known
  const m = GENERIC.exec(lower)
  if (m === null) return undefined
  const [op0 = 0, op1 = 0, crn = 0, crm = 0, op2 = 0] = m.slice(1).map(Number)
  return crn > 15 || crm > 15 ? undefined : sysregEncoding(op0, op1, crn, crm, op2)
}

const namesOfRegisters = new Map([...registers].map(([name, encoding]) => [encoding, name]))

export const nameOfSystemRegister = (op0: number, op1: number, crn: number, crm: number, op2: number): string =>
  namesOfRegisters.get(sysregEncoding(op0, op1, crn, crm, op2)) ?? `s${op0}_${op1}_c${crn}_c${crm}_${op2}`

export interface SystemOperation {
  readonly op1: number
  readonly crn: number
  readonly crm: number
  readonly op2: number
  /** Whether it takes a register: an address, a set and way, an ASID. Those that act on everything do not. */
  readonly takesRegister: boolean
}

/** DC ZVA is an instruction of its own. */
const ZVA = { name: 'DC ZVA', encoding: sysregEncoding(1, 3, 7, 4, 1), takesRegister: true }

const operations = new Map(
  [...operationRows, ZVA].map(({ name, encoding, takesRegister }): [string, SystemOperation] => [
    name.toLowerCase().replace(' ', '.'),
    {
      op1: (encoding >> 11) & 7,
      crn: (encoding >> 7) & 15,
      crm: (encoding >> 3) & 15,
      op2: encoding & 7,
      takesRegister,
    },
  ]),
)

/** `ivau` of `ic`, `zva` of `dc`, `vae1is` of `tlbi`… */
export const systemOperation = (instruction: string, name: string): SystemOperation | undefined =>
  operations.get(`${instruction}.${name.toLowerCase()}`)

export const nameOfSystemOperation = (
  instruction: string,
  op1: number,
  crn: number,
  crm: number,
  op2: number,
): string | undefined =>
  [...operations]
    .find(
      ([name, op]) =>
        name.startsWith(`${instruction}.`) && op.op1 === op1 && op.crn === crn && op.crm === crm && op.op2 === op2,
    )?.[0]
    .slice(instruction.length + 1)

const indexed = (names: string): ReadonlyMap<string, number> =>
  new Map(names.split(/\s+/).flatMap((name, i) => (name === '-' ? [] : [[name, i]])))

/** CRm of DMB and DSB. */
export const barrierOptions = indexed('- oshld oshst osh - nshld nshst nsh - ishld ishst ish - ld st sy')

/** op1 and op2 of MSR (immediate). */
export const pstateFields: ReadonlyMap<string, { op1: number; op2: number }> = new Map([
  ['spsel', { op1: 0, op2: 5 }],
  ['pan', { op1: 0, op2: 4 }],
  ['uao', { op1: 0, op2: 3 }],
  ['ssbs', { op1: 3, op2: 1 }],
  ['dit', { op1: 3, op2: 2 }],
  ['daifset', { op1: 3, op2: 6 }],
  ['daifclr', { op1: 3, op2: 7 }],
])

export const prefetchOperations = indexed(
  'pldl1keep pldl1strm pldl2keep pldl2strm pldl3keep pldl3strm - - plil1keep plil1strm plil2keep plil2strm plil3keep plil3strm - - pstl1keep pstl1strm pstl2keep pstl2strm pstl3keep pstl3strm',
)

/** The 16 condition codes; `cs`, `cc` are the same as `hs`, `lo`. */
export const conditions: ReadonlyMap<string, number> = new Map([
  ...indexed('eq ne hs lo mi pl vs vc hi ls ge lt gt le al nv'),
  ['cs', 2],
  ['cc', 3],
])
