/** What the bits of the registers mean that control execution, translation and exceptions (Arm ARM D24.2, C5.2). */
import type { Field } from '../../register.ts'
import { exceptionClassText, faultStatusText, issText } from '../../syndrome.ts'
import { address, bit, choice, part } from './parts.ts'

const CACHES = ['not cacheable', 'write-back, allocates on reads and writes', 'write-through', 'write-back'] as const
const SHARED = ['not shareable', undefined, 'outer shareable', 'inner shareable'] as const
const ADDRESS_BITS = [32, 36, 40, 42, 44, 48, 52] as const
/** PARange and TCR_EL1.IPS. */
export const physicalAddressBits = (value: bigint): string => {
  const bits = ADDRESS_BITS[Number(value)]
  return bits === undefined ? 'reserved' : `${bits} bits`
}

const half = (n: 0 | 1, lsb: number, granules: readonly (string | undefined)[]): readonly Field[] => [
  part(`T${n}SZ`, lsb, 6, (value) => `${64n - value} bits of address`),
  bit(`EPD${n}`, lsb + 7, `TTBR${n}_EL1 is not walked`, `TTBR${n}_EL1 is walked`),
  choice(`IRGN${n}`, lsb + 8, 2, CACHES),
  choice(`ORGN${n}`, lsb + 10, 2, CACHES),
  choice(`SH${n}`, lsb + 12, 2, SHARED),
  choice(`TG${n}`, lsb + 14, 2, granules),
]

/** MAIR_EL1.Attr<n>, the common ones (D24.2.109). */
const MEMORY: Readonly<Record<number, string>> = {
  0x00: 'Device-nGnRnE',
  0x04: 'Device-nGnRE',
  0x08: 'Device-nGRE',
  0x0c: 'Device-GRE',
  0x44: 'Normal, not cacheable',
  0xbb: 'Normal, write-through',
  0xff: 'Normal, write-back',
}
const memoryText = (value: bigint): string =>
  MEMORY[Number(value)] ?? `Normal, outer 0x${(value >> 4n).toString(16)}, inner 0x${(value & 15n).toString(16)}`

const translationTable: readonly Field[] = [bit('CnP', 0), address('BADDR', 1, 47), part('ASID', 48, 16)]

const MODES: Readonly<Record<number, string>> = { 0: 'EL0t', 4: 'EL1t', 5: 'EL1h' }
const conditions: readonly Field[] = [bit('N', 31), bit('Z', 30), bit('C', 29), bit('V', 28)]
const masks: readonly Field[] = [
  bit('D', 9, 'debug exceptions are masked', 'debug exceptions are taken'),
  bit('A', 8, 'SErrors are masked', 'SErrors are taken'),
  bit('I', 7, 'IRQs are masked', 'IRQs are taken'),
  bit('F', 6, 'FIQs are masked', 'FIQs are taken'),
]

const failed = (register: bigint): boolean => (register & 1n) === 1n

export const CONTROL_FIELDS: Readonly<Record<string, readonly Field[]>> = {
  SCTLR_EL1: [
    bit('M', 0, 'translation is on', 'translation is off'),
    bit('A', 1, 'unaligned accesses fault', 'unaligned accesses are done'),
    bit('C', 2, 'data are cacheable', 'data are not cached'),
    bit('SA', 3, 'SP has to be aligned at EL1', 'SP may be unaligned at EL1'),
    bit('SA0', 4, 'SP has to be aligned at EL0', 'SP may be unaligned at EL0'),
    bit('CP15BEN', 5),
    bit('nAA', 6),
    bit('ITD', 7),
    bit('SED', 8),
    bit('UMA', 9, 'EL0 may have DAIF', 'EL0 is trapped at DAIF'),
    bit('EnRCTX', 10, 'EL0 may restrict prediction', 'EL0 may not restrict prediction'),
    bit('EOS', 11),
    bit('I', 12, 'instructions are cacheable', 'instructions are not cached'),
    bit('EnDB', 13, 'key B signs data addresses', 'key B does not sign data addresses'),
    bit('DZE', 14, 'EL0 may have DC ZVA', 'EL0 is trapped at DC ZVA'),
    bit('UCT', 15, 'EL0 may read CTR_EL0', 'EL0 is trapped at CTR_EL0'),
    bit('nTWI', 16, 'EL0 may wait by WFI', 'WFI at EL0 is trapped'),
    bit('nTWE', 18, 'EL0 may wait by WFE', 'WFE at EL0 is trapped'),
    bit('WXN', 19, 'what can be written cannot be executed', 'what can be written can be executed'),
    bit('TSCXT', 20),
    bit('IESB', 21),
    bit('EIS', 22),
    bit('SPAN', 23, 'PSTATE.PAN stays at an exception', 'an exception to EL1 sets PSTATE.PAN'),
    bit('E0E', 24, 'EL0 is big-endian', 'EL0 is little-endian'),
    bit('EE', 25, 'EL1 is big-endian', 'EL1 is little-endian'),
    bit('UCI', 26, 'EL0 may maintain caches', 'EL0 is trapped at cache maintenance'),
    bit('EnDA', 27, 'key A signs data addresses', 'key A does not sign data addresses'),
    bit('nTLSMD', 28),
    bit('LSMAOE', 29),
    bit('EnIB', 30, 'key B signs instruction addresses', 'key B does not sign instruction addresses'),
    bit('EnIA', 31, 'key A signs instruction addresses', 'key A does not sign instruction addresses'),
    bit('BT0', 35),
    bit('BT1', 36),
    bit('DSSBS', 44),
  ],
  CPACR_EL1: [
    part('ZEN', 16, 2),
    choice('FPEN', 20, 2, [
      'FP is trapped at EL1 and EL0',
      'FP is trapped at EL0',
      'FP is trapped at EL1 and EL0',
      'FP is not trapped',
    ]),
    bit('TTA', 28),
  ],
  TTBR0_EL1: translationTable,
  TTBR1_EL1: translationTable,
  TCR_EL1: [
    ...half(0, 0, ['4 KiB', '64 KiB', '16 KiB']),
    ...half(1, 16, [undefined, '16 KiB', '4 KiB', '64 KiB']),
    bit('A1', 22, 'TTBR1_EL1 has the ASID', 'TTBR0_EL1 has the ASID'),
    part('IPS', 32, 3, physicalAddressBits),
    bit('AS', 36, 'ASIDs of 16 bits', 'ASIDs of 8 bits'),
    bit('TBI0', 37, 'top byte ignored, lower half', 'top byte used, lower half'),
    bit('TBI1', 38, 'top byte ignored, upper half', 'top byte used, upper half'),
    bit('HA', 39, 'hardware sets access flags', 'software sets access flags'),
    bit('HD', 40, 'hardware keeps dirty state', 'software keeps dirty state'),
    bit('HPD0', 41),
    bit('HPD1', 42),
    bit('TBID0', 51),
    bit('TBID1', 52),
    bit('E0PD0', 55, 'EL0 faults at the lower half', 'EL0 may use the lower half'),
    bit('E0PD1', 56, 'EL0 faults at the upper half', 'EL0 may use the upper half'),
  ],
  MAIR_EL1: Array.from({ length: 8 }, (_, n) => part(`Attr${n}`, 8 * n, 8, memoryText)),
  SPSR_EL1: [
    ...conditions,
    bit('DIT', 24),
    bit('UAO', 23),
    bit('PAN', 22),
    bit('SS', 21),
    bit('IL', 20),
    bit('SSBS', 12),
    part('BTYPE', 10, 2),
    ...masks,
    bit('nRW', 4, 'AArch32', 'AArch64'),
    part('M', 0, 4, (value) => MODES[Number(value)] ?? 'illegal'),
  ],
  ELR_EL1: [address('Address', 0, 64)],
  FAR_EL1: [address('Address', 0, 64)],
  SP_EL0: [address('Address', 0, 64)],
  RVBAR_EL1: [address('Address', 0, 64)],
  VBAR_EL1: [address('Base', 11, 53)],
  ESR_EL1: [
    part('EC', 26, 6, (value) => exceptionClassText(Number(value))),
    bit('IL', 25, 'an instruction of 32 bits', 'an instruction of 16 bits'),
    part('ISS', 0, 25, (_, register) => issText(Number(BigInt.asUintN(32, register)))),
  ],
  PAR_EL1: [
    bit('F', 0, 'translation failed', 'translated'),
    part('FST', 1, 6, (value, register) => (failed(register) ? faultStatusText(Number(value)) : '–')),
    // SH and NS of a translation, PTW and S of a fault.
    part('SH or PTW', 7, 2),
    bit('NS or S', 9),
    bit('NSE', 11),
    part('PA', 12, 40, (value, register) => (failed(register) ? '–' : `0x${(value << 12n).toString(16)}`)),
    part('ATTR', 56, 8, (value, register) => (failed(register) ? '–' : memoryText(value))),
  ],
  CONTEXTIDR_EL1: [part('PROCID', 0, 32)],
  // Limited ordering regions, of which there are none.
  LORID_EL1: [part('LR', 0, 8, (value) => `${value} regions`), part('LD', 16, 8, (value) => `${value} descriptors`)],
  LORSA_EL1: [bit('Valid', 0, 'the descriptor counts', 'the descriptor does not count'), address('SA', 16, 32)],
  LOREA_EL1: [address('EA', 16, 32)],
  LORN_EL1: [part('Num', 0, 8, (value) => `region ${value}`)],
  LORC_EL1: [
    bit('EN', 0, 'limited ordering is on', 'limited ordering is off'),
    part('DS', 2, 8, (value) => `descriptor ${value}`),
  ],
  ISR_EL1: [
    bit('A', 8, 'an SError is pending', 'no SError is pending'),
    bit('I', 7, 'an IRQ is pending', 'no IRQ is pending'),
    bit('F', 6, 'an FIQ is pending', 'no FIQ is pending'),
  ],
  CurrentEL: [part('EL', 2, 2)],
  SPSel: [bit('SP', 0, 'SP_EL1', 'SP_EL0')],
  DAIF: masks,
  NZCV: conditions,
  PAN: [bit('PAN', 22, "EL1 faults at EL0's memory", "EL1 may use EL0's memory")],
  UAO: [bit('UAO', 23)],
  DIT: [bit('DIT', 24)],
  SSBS: [bit('SSBS', 12)],
  FPCR: [
    bit('AHP', 26, 'alternative half precision', 'IEEE half precision'),
    bit('DN', 25, 'NaNs become the default one', 'NaNs are handed on'),
    bit('FZ', 24, 'denormals become zero', 'denormals are kept'),
    choice('RMode', 22, 2, ['to nearest', 'towards plus infinity', 'towards minus infinity', 'towards zero']),
    bit('FZ16', 19),
  ],
  FPSR: [bit('QC', 27), bit('IDC', 7), bit('IXC', 4), bit('UFC', 3), bit('OFC', 2), bit('DZC', 1), bit('IOC', 0)],
  CNTKCTL_EL1: [
    bit('EL0PCTEN', 0, 'EL0 may read CNTPCT_EL0', 'EL0 is trapped at CNTPCT_EL0'),
    bit('EL0VCTEN', 1, 'EL0 may read CNTVCT_EL0', 'EL0 is trapped at CNTVCT_EL0'),
    bit('EVNTEN', 2),
    bit('EVNTDIR', 3),
    part('EVNTI', 4, 4),
    bit('EL0VTEN', 8, 'EL0 may have the virtual timer', 'EL0 is trapped at the virtual timer'),
    bit('EL0PTEN', 9, 'EL0 may have the physical timer', 'EL0 is trapped at the physical timer'),
  ],
  CNTFRQ_EL0: [part('Frequency', 0, 32, (value) => `${value} Hz`)],
  CNTPCT_EL0: [part('Count', 0, 64, (value) => `${value}`)],
  CNTVCT_EL0: [part('Count', 0, 64, (value) => `${value}`)],
  ...Object.fromEntries(
    ['P', 'V'].flatMap((timer) => [
      [
        `CNT${timer}_CTL_EL0`,
        [
          bit('ENABLE', 0, 'the timer is on', 'the timer is off'),
          bit('IMASK', 1, 'its interrupt is masked', 'its interrupt is not masked'),
          bit('ISTATUS', 2, 'its time has come', 'its time has not come'),
        ],
      ],
      [`CNT${timer}_CVAL_EL0`, [part('CompareValue', 0, 64, (value) => `${value}`)]],
      // It counts down, and below 0 (D11.2.4).
      [`CNT${timer}_TVAL_EL0`, [part('TimerValue', 0, 32, (value) => `${BigInt.asIntN(32, value)}`)]],
    ]),
  ),
}
