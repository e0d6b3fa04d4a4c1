/** The names that system instructions take for operands, and their encodings. */
import { sysregEncoding } from '../../sysregs/encoding.ts'

/** Arm ARM D23.3, the registers that a small kernel for a GICv3 machine uses: op0 op1 CRn CRm op2. */
const REGISTERS = `
MIDR_EL1 3 0 0 0 0          MPIDR_EL1 3 0 0 0 5         REVIDR_EL1 3 0 0 0 6        CurrentEL 3 0 4 2 2
ID_AA64PFR0_EL1 3 0 0 4 0   ID_AA64PFR1_EL1 3 0 0 4 1   ID_AA64DFR0_EL1 3 0 0 5 0   ID_AA64ISAR0_EL1 3 0 0 6 0
ID_AA64ISAR1_EL1 3 0 0 6 1  ID_AA64MMFR0_EL1 3 0 0 7 0  ID_AA64MMFR1_EL1 3 0 0 7 1  ID_AA64MMFR2_EL1 3 0 0 7 2
SCTLR_EL1 3 0 1 0 0         ACTLR_EL1 3 0 1 0 1         CPACR_EL1 3 0 1 0 2
TTBR0_EL1 3 0 2 0 0         TTBR1_EL1 3 0 2 0 1         TCR_EL1 3 0 2 0 2
SPSR_EL1 3 0 4 0 0          ELR_EL1 3 0 4 0 1           SP_EL0 3 0 4 1 0            SPSel 3 0 4 2 0
NZCV 3 3 4 2 0              DAIF 3 3 4 2 1              FPCR 3 3 4 4 0              FPSR 3 3 4 4 1
AFSR0_EL1 3 0 5 1 0         AFSR1_EL1 3 0 5 1 1         ESR_EL1 3 0 5 2 0           FAR_EL1 3 0 6 0 0
PAR_EL1 3 0 7 4 0           MAIR_EL1 3 0 10 2 0         AMAIR_EL1 3 0 10 3 0        VBAR_EL1 3 0 12 0 0
RVBAR_EL1 3 0 12 0 1        ISR_EL1 3 0 12 1 0          CONTEXTIDR_EL1 3 0 13 0 1   TPIDR_EL1 3 0 13 0 4
TPIDR_EL0 3 3 13 0 2        TPIDRRO_EL0 3 3 13 0 3      CTR_EL0 3 3 0 0 1           DCZID_EL0 3 3 0 0 7
CLIDR_EL1 3 1 0 0 1         CCSIDR_EL1 3 1 0 0 0        CSSELR_EL1 3 2 0 0 0        AIDR_EL1 3 1 0 0 7
CNTFRQ_EL0 3 3 14 0 0       CNTPCT_EL0 3 3 14 0 1       CNTVCT_EL0 3 3 14 0 2       CNTKCTL_EL1 3 0 14 1 0
CNTP_TVAL_EL0 3 3 14 2 0    CNTP_CTL_EL0 3 3 14 2 1     CNTP_CVAL_EL0 3 3 14 2 2
CNTV_TVAL_EL0 3 3 14 3 0    CNTV_CTL_EL0 3 3 14 3 1     CNTV_CVAL_EL0 3 3 14 3 2
ICC_PMR_EL1 3 0 4 6 0       ICC_IAR0_EL1 3 0 12 8 0     ICC_EOIR0_EL1 3 0 12 8 1    ICC_HPPIR0_EL1 3 0 12 8 2
ICC_BPR0_EL1 3 0 12 8 3     ICC_AP0R0_EL1 3 0 12 8 4    ICC_AP0R1_EL1 3 0 12 8 5    ICC_AP0R2_EL1 3 0 12 8 6
ICC_AP0R3_EL1 3 0 12 8 7    ICC_AP1R0_EL1 3 0 12 9 0    ICC_AP1R1_EL1 3 0 12 9 1    ICC_AP1R2_EL1 3 0 12 9 2
ICC_AP1R3_EL1 3 0 12 9 3    ICC_DIR_EL1 3 0 12 11 1     ICC_RPR_EL1 3 0 12 11 3     ICC_SGI1R_EL1 3 0 12 11 5
ICC_ASGI1R_EL1 3 0 12 11 6  ICC_SGI0R_EL1 3 0 12 11 7   ICC_IAR1_EL1 3 0 12 12 0    ICC_EOIR1_EL1 3 0 12 12 1
ICC_HPPIR1_EL1 3 0 12 12 2  ICC_BPR1_EL1 3 0 12 12 3    ICC_CTLR_EL1 3 0 12 12 4    ICC_SRE_EL1 3 0 12 12 5
ICC_IGRPEN0_EL1 3 0 12 12 6 ICC_IGRPEN1_EL1 3 0 12 12 7 MDSCR_EL1 2 0 0 2 2         OSLAR_EL1 2 0 1 0 4
OSLSR_EL1 2 0 1 1 4         OSDLR_EL1 2 0 1 3 4         PMCR_EL0 3 3 9 12 0         PMUSERENR_EL0 3 3 9 14 0
PMCCNTR_EL0 3 3 9 13 0      HCR_EL2 3 4 1 1 0           VBAR_EL2 3 4 12 0 0         VMPIDR_EL2 3 4 0 0 5
VPIDR_EL2 3 4 0 0 0         SPSR_EL2 3 4 4 0 0          ELR_EL2 3 4 4 0 1           SP_EL1 3 4 4 1 0
ESR_EL2 3 4 5 2 0           FAR_EL2 3 4 6 0 0           SCTLR_EL2 3 4 1 0 0         CNTHCTL_EL2 3 4 14 1 0
CNTVOFF_EL2 3 4 14 0 3      ICC_SRE_EL2 3 4 12 9 5      ICH_HCR_EL2 3 4 12 11 0     ICH_VTR_EL2 3 4 12 11 1`

/** Arm ARM C5.3 to C5.5, operations of SYS: op1 CRn CRm op2. */
const OPERATIONS = `
ic.ialluis 0 7 1 0  ic.iallu 0 7 5 0    ic.ivau 3 7 5 1
dc.zva 3 7 4 1      dc.ivac 0 7 6 1     dc.isw 0 7 6 2      dc.cvac 3 7 10 1    dc.csw 0 7 10 2
dc.cvau 3 7 11 1    dc.civac 3 7 14 1   dc.cisw 0 7 14 2
at.s1e1r 0 7 8 0    at.s1e1w 0 7 8 1    at.s1e0r 0 7 8 2    at.s1e0w 0 7 8 3
tlbi.vmalle1is 0 8 3 0  tlbi.vae1is 0 8 3 1   tlbi.aside1is 0 8 3 2  tlbi.vaae1is 0 8 3 3
tlbi.vale1is 0 8 3 5    tlbi.vaale1is 0 8 3 7 tlbi.vmalle1 0 8 7 0   tlbi.vae1 0 8 7 1
tlbi.aside1 0 8 7 2     tlbi.vaae1 0 8 7 3    tlbi.vale1 0 8 7 5     tlbi.vaale1 0 8 7 7`

const rowsOf = (text: string): [string, number[]][] =>
  [...text.matchAll(/([\w.]+)((?: \d+)+)/g)].map((m) => [
    (m[1] ?? '').toLowerCase(),
    (m[2] ?? '').trim().split(' ').map(Number),
  ])

const registers = new Map(
  rowsOf(REGISTERS).map(([name, [op0 = 0, op1 = 0, crn = 0, crm = 0, op2 = 0]]) => [
    name,
    sysregEncoding(op0, op1, crn, crm, op2),
  ]),
)

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

const operations = new Map(
  rowsOf(OPERATIONS).map(([name, [op1 = 0, crn = 0, crm = 0, op2 = 0]]): [string, SystemOperation] => [
    name,
    { op1, crn, crm, op2, takesRegister: !name.includes('all') },
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
