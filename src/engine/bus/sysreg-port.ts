/**
 * Where the CPU meets whoever owns a system register that is not the CPU's own (the GIC CPU
 * interface, the generic timer). `reg` is the encoding of MRS/MSR, see `pure/arch/sysregs/encoding.ts`.
 */
export interface SysregPort {
  /** The encodings this owner answers. */
  readonly registers: readonly number[]
  /** Whether what the guest writes is told to the trace. */
  readonly traced?: boolean
  /** Of `registers`, those that a hypervisor saves and restores; it comes with `el` 2. */
  readonly saved?: readonly number[]
  /** Registers for EL0 that EL1 may keep from it: what they refuse to EL0 is not UNDEFINED but trapped. */
  readonly trapped?: readonly number[]
  /** An MRS by CPU `cpu` at exception level `el`; `undefined` makes the access UNDEFINED. */
  read(cpu: number, reg: number, el: number): bigint | undefined
  /** An MSR; `false` makes the access UNDEFINED. */
  write(cpu: number, reg: number, value: bigint, el: number): boolean
}
