import { describe, expect, it } from 'vitest'
import { bookRows } from '../../../pure/uapi/register-book.ts'
import type { BookId, BookRow } from '../../../pure/uapi/register-book.ts'
import { copyText, differs, explained, fieldAt, found, hex, peeksOf, valuesOf } from './values.ts'

const context = { cpu: 2, affinity: 0x0100_0002, nrIrqs: 96 }
const row = (book: BookId, name: string): BookRow => {
  const one = bookRows(book, context).find((each) => each.name === name)
  if (one === undefined) throw new Error(`no ${name}`)
  return one
}

describe('the books of registers', () => {
  it('have banks word by word, for the interrupts that are there', () => {
    const names = bookRows('GICD', context).map(({ name }) => name)
    expect(names.filter((name) => name.startsWith('GICD_ISENABLER'))).toEqual(
      [0, 1, 2].map((n) => `GICD_ISENABLER<${n}>`),
    )
    expect(names.filter((name) => name.startsWith('GICD_IROUTER'))).toHaveLength(96)
    expect(names.filter((name) => name.startsWith('GICD_IPRIORITYR'))).toHaveLength(24)
    expect(new Set(names).size).toBe(names.length)
  })

  it('name the interrupt of each bit', () => {
    expect(fieldAt(row('GICR', 'GICR_ISENABLER0'), 27)?.name).toBe('EL1 virtual timer')
    expect(fieldAt(row('GICD', 'GICD_ISENABLER<1>'), 1)?.name).toBe('SPI 1')
  })

  it('write through the KVM call of their group, a word at a time', () => {
    expect(row('GICD', 'GICD_IROUTER<40>').write?.(0x1_0000_0002n)).toEqual([
      { call: 'KVM_SET_DEVICE_ATTR', group: 1, attr: 0x6140n, value: 2n },
      { call: 'KVM_SET_DEVICE_ATTR', group: 1, attr: 0x6144n, value: 1n },
    ])
    expect(row('GICR', 'GICR_ISENABLER0').write?.(1n)).toEqual([
      { call: 'KVM_SET_DEVICE_ATTR', group: 5, attr: 0x0100_0002_0001_0100n, value: 1n },
    ])
    expect(row('PL011', 'UARTCR').write).toBeUndefined()
    expect(row('EL1', 'MPIDR_EL1').write?.(5n)).toMatchObject([{ call: 'KVM_SET_ONE_REG', vcpu: 2, value: 5n }])
  })
})

describe('the values of registers', () => {
  const rows = [row('GICD', 'GICD_IROUTER<40>'), row('ICC', 'ICC_IAR1_EL1'), row('ICC', 'ICC_CTLR_EL1')]
  const ok = (value: bigint) => ({ ok: true, value }) as const
  const no = { ok: false, errno: 'EINVAL', why: '', source: '' } as const

  it('stand beside their rows, two words as one value, refusals by name', () => {
    expect(peeksOf(rows)).toHaveLength(3 + 1 + 2)
    const [router, iar, control] = valuesOf(rows, [ok(0x1_0000_0002n), ok(2n), ok(1n), no, ok(0x400n), ok(0x8400n)])
    expect(router).toMatchObject({ guest: 0x1_0000_0002n, user: 0x1_0000_0002n, refused: undefined })
    expect(iar).toMatchObject({ guest: undefined, user: undefined, refused: 'EINVAL' })
    expect(router && differs(router)).toBe(false)
    expect(control && differs(control)).toBe(true)
  })

  it('are not there before they are told', () => {
    expect(valuesOf(rows, []).map(({ guest }) => guest)).toEqual([undefined, undefined, undefined])
  })

  it('are found by the names of registers and fields', () => {
    const values = valuesOf(bookRows('GICD', context), [])
    expect(found(values, 'typer a3v').map((one) => one.row.name)).toEqual(['GICD_TYPER'])
    expect(found(values, 'nothing')).toEqual([])
  })

  it('are copied as hex, C, KVM call and Markdown', () => {
    const ctlr = row('GICD', 'GICD_CTLR')
    expect(copyText(ctlr, 0x12n, 'hex')).toBe('0x12')
    expect(copyText(ctlr, 0x12n, 'C')).toBe('writel(0x12, gicd_base + 0x0); /* GICD_CTLR */')
    expect(copyText(row('ICC', 'ICC_PMR_EL1'), 0xf0n, 'C')).toBe('write_sysreg_s(0xf0, SYS_ICC_PMR_EL1);')
    expect(copyText(ctlr, 0x12n, 'KVM call')).toBe('KVM_SET_DEVICE_ATTR DIST_REGS 0x0 = 0x12')
    expect(copyText(ctlr, 0x12n, 'Markdown')).toContain('| 4 | ARE | affinity routing |')
    expect(explained(ctlr, 0x12n).find(({ field }) => field === 'EnableGrp1')?.text).toContain('forwarded')
    expect([hex(5n, 4), hex(5n, 8)]).toEqual(['00000005', '00000000_00000005'])
  })
})
