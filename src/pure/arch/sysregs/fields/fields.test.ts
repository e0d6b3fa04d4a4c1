import { describe, expect, it } from 'vitest'
import { CPU_MODELS } from '../../cpu/models.ts'
import { identificationValue } from '../../cpu/features.ts'
import { ICH } from '../../gic/ich.ts'
import { explainRegister, fieldMask } from '../../register.ts'
import { syndrome } from '../../syndrome.ts'
import { sysregEncoding } from '../encoding.ts'
import { ICC } from '../gic-cpu.ts'
import { sysregs } from '../table.ts'
import { TIMER } from '../timer.ts'
import { SYSREG_FIELDS, sysregFields } from './index.ts'
import { PLAIN_SYSREGS } from './plain.ts'

const NAMES = new Set([...sysregs.map(({ name }) => name), ...Object.keys({ ...ICC, ...ICH, ...TIMER })])

const textOf = (name: string, value: bigint, field: string): string | undefined =>
  explainRegister({ name, offset: 0, size: 8, access: [], fields: sysregFields(name) }, value).find(
    (one) => one.field === field,
  )?.text

describe('the fields of system registers', () => {
  it('belong to registers that there are', () => {
    const known = new Set([...NAMES].flatMap((name) => [name, name.replace(/\d+(?=_EL\d$)/, '')]))
    expect(Object.keys(SYSREG_FIELDS).filter((name) => !known.has(name))).toEqual([])
  })

  it.each(Object.entries(SYSREG_FIELDS))('of %s neither overlap nor leave it', (_, fields) => {
    const masks = fields.map(fieldMask)
    expect(masks.reduce((all, mask) => all | mask, 0n)).toBe(masks.reduce((sum, mask) => sum + mask, 0n))
    expect(masks.every((mask) => mask >> 64n === 0n)).toBe(true)
  })

  it('cover every bit that software can change, on every CPU', () => {
    // The CPU's answer to AT: software that writes it may keep there what it likes.
    const ANSWER = 'PAR_EL1'
    for (const { name, is } of sysregs) {
      if (is.kind !== 'stored' || name in PLAIN_SYSREGS || name === ANSWER) continue
      const written = Object.values(is.featureMasks).reduce((all: bigint, mask) => all | (mask ?? 0n), is.mask)
      const told = sysregFields(name).reduce((all, field) => all | fieldMask(field), 0n)
      expect([name, (written & ~told).toString(16)]).toEqual([name, '0'])
    }
  })
})

/** Values that Linux on a Cortex-A57 has, read with their meaning in the manual (Arm ARM D24.2). */
describe('what a value means', () => {
  it.each([
    ['TCR_EL1', 0x32_b550_3510n, 'T0SZ', '48 bits of address'],
    ['TCR_EL1', 0x32_b550_3510n, 'TG0', '4 KiB'],
    ['TCR_EL1', 0x32_b550_3510n, 'TG1', '4 KiB'],
    ['TCR_EL1', 0x32_b550_3510n, 'SH1', 'inner shareable'],
    ['MAIR_EL1', 0x0000_0004_0044_ffn, 'Attr0', 'Normal, write-back'],
    ['MAIR_EL1', 0x0000_0004_0044_ffn, 'Attr1', 'Normal, not cacheable'],
    ['MAIR_EL1', 0x0000_0004_0044_ffn, 'Attr3', 'Device-nGnRE'],
    ['CNTV_CTL_EL0', 5n, 'ISTATUS', 'its time has come'],
    ['CNTV_TVAL_EL0', 0xffff_fff0n, 'TimerValue', '-16'],
    ['VBAR_EL1', 0xffff_8000_0801_1800n, 'Base', '0xffff800008011800'],
    ['SPSR_EL1', 0x6000_0085n, 'M', 'EL1h'],
    ['CPACR_EL1', 3n << 20n, 'FPEN', 'FP is not trapped'],
    ['ICC_CTLR_EL1', 0x8400n, 'A3V', 'Aff3 in SGIs'],
    ['ICC_CTLR_EL1', 0x8400n, 'PRIbits', '5 bits of priority'],
    ['ICH_LR12_EL2', (1n << 62n) | 27n, 'State', 'pending'],
    ['ICC_AP1R0_EL1', 1n << 20n, 'P', 'active: group priority 20 from the highest'],
    ['ICC_AP1R1_EL1', 0b11n, 'P', 'active: group priority 32, 33 from the highest'],
    // A watchpoint of four bytes that a debugger asks perf for: encode_ctrl_reg() (arch/arm64/include/asm/hw_breakpoint.h).
    ['DBGWCR3_EL1', 0x1f5n, 'BAS', 'bytes 0, 1, 2, 3'],
    ['DBGWCR3_EL1', 0x1f5n, 'LSC', 'stores'],
    ['DBGWCR3_EL1', 0x1f5n, 'PAC', 'EL0'],
    ['DBGBCR0_EL1', 0x1e3n, 'BAS', 'an A64 instruction'],
    ['DBGBCR0_EL1', 0x1e3n, 'PMC', 'EL1'],
    ['OSLSR_EL1', 0b1010n, 'OSLM[1]', 'there is an OS lock'],
    ['OSLSR_EL1', 0b1010n, 'OSLK', 'the OS lock is locked'],
    // Numbers of events as Linux has them (include/linux/perf/arm_pmuv3.h).
    ['PMEVTYPER5_EL0', 0x8000_0008n, 'evtCount', 'INST_RETIRED'],
    ['PMEVTYPER5_EL0', 0x8000_0008n, 'P', 'EL1 is not counted'],
    ['PMEVTYPER0_EL0', 0x1dn, 'evtCount', 'BUS_CYCLES'],
    ['PMXEVTYPER_EL0', 0x2fn, 'evtCount', 'L2D_TLB'],
    ['PMXEVTYPER_EL0', 0x37n, 'evtCount', 'LL_CACHE_MISS_RD'],
    ['PMXEVTYPER_EL0', 0x3fn, 'evtCount', 'STALL_SLOT'],
    ['PMXEVTYPER_EL0', 0x40n, 'evtCount', 'event 0x40'],
    ['PMCEID0_EL0', 1n << 17n, 'ID17', 'CPU_CYCLES is counted'],
    ['PMCEID1_EL0', 0n, 'ID36', 'STALL_BACKEND is not counted'],
    ['PMCNTENSET_EL0', 1n << 31n, 'C', 'cycle counter: enabled'],
    ['PMOVSCLR_EL0', 1n << 5n, 'P5', 'counter 5: has overflowed'],
    ['PMCR_EL0', 0x4103_3041n, 'N', '6 event counters'],
  ])('of %s %d: %s is "%s"', (name, value, field, says) => expect(textOf(name, value, field)).toBe(says))

  it('of ESR_EL1 depends on the class of the exception', () => {
    const iss = (value: number): string | undefined => textOf('ESR_EL1', BigInt(value), 'ISS')
    const fault = { sameEl: true, dfsc: 0x07, wnr: true, cm: false }
    expect(textOf('ESR_EL1', BigInt(syndrome.dataAbort(fault)), 'EC')).toBe('Data abort')
    expect(iss(syndrome.dataAbort(fault))).toBe('write, translation fault, level 3')
    expect(iss(syndrome.instructionAbort({ sameEl: false, ifsc: 0x0d }))).toBe('permission fault, level 1')
    expect(iss(syndrome.svc(0x42))).toBe('SVC #0x42')
    const encoding = sysregEncoding(3, 0, 12, 12, 5)
    expect(iss(syndrome.msrTrap({ encoding, rt: 3, read: true }))).toBe('read of ICC_SRE_EL1 with X3')
  })

  it('of an identification register names the features that the CPU has', () => {
    for (const { features } of Object.values(CPU_MODELS)) {
      const isar0 = identificationValue('ID_AA64ISAR0_EL1', 0n, features)
      expect(textOf('ID_AA64ISAR0_EL1', isar0, 'CRC32')).toBe('FEAT_CRC32')
      expect(textOf('ID_AA64ISAR0_EL1', isar0, 'Atomic')).toBe(features.has('FEAT_LSE') ? 'FEAT_LSE' : 'none')
      expect(textOf('ID_AA64ISAR0_EL1', isar0, 'TLB')).toBe(
        features.has('FEAT_TLBIRANGE') ? 'FEAT_TLBIOS, FEAT_TLBIRANGE' : 'none',
      )
    }
    expect(textOf('ID_AA64MMFR0_EL1', 4n, 'PARange')).toBe('44 bits')
    expect(textOf('ID_AA64PFR0_EL1', 0n, 'FP')).toBe('floating point')
  })
})
