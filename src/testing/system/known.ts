/** Where QEMU 7.2 does not do what the manual says, or chooses otherwise, each with the section that says it. */
export const KNOWN: readonly { readonly names: RegExp; readonly why: string }[] = [
  { names: /misaligned SP|sub sp, sp, #8/, why: 'QEMU does not check the alignment of SP (D1.3.10)' },
  {
    names: /^misaligned stl?x/,
    why: 'QEMU does not look at the address of a store exclusive that has no reservation (B2.9.1: its alignment is checked first)',
  },
  { names: /^(DC (IVAC|CVAC)|IC IVAU) of/, why: 'cache maintenance by address is a NOP in QEMU (D8.13: it may fault)' },
  {
    names: /msr daifset/,
    why: 'QEMU swaps op1 and op2 in the syndrome of a trapped MSR DAIFSet (D24.2.40, ISS for EC 0x18)',
  },
  {
    names: /^BTI: BLR to an? (SVC|unallocated instruction|load from nowhere)/,
    why: 'SPSR_EL1.BTYPE may be 0 for these, or what it was (AArch64.TakeException(): ZEROBTYPE); QEMU keeps it',
  },
  { names: /^PMU: overflow/, why: "QEMU's `max` has FEAT_PMUv3p5, whose event counters have 64 bits (D11.3)" },
]
