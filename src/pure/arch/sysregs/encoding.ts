/**
 * A system register's encoding as one 16-bit number: Op0 15:14, Op1 13:11, CRn 10:7, CRm 6:3, Op2 2:0.
 * It is bits 20:5 of MRS/MSR and, at the same time, KVM's "instr" in a CPU_SYSREGS attribute.
 */
export const sysregEncoding = (op0: number, op1: number, crn: number, crm: number, op2: number): number =>
  (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2
