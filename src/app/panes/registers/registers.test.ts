import { describe, expect, it } from 'vitest'
import { PLAIN_SYSREGS } from '../../../pure/arch/sysregs/fields/plain.ts'
import { BOOK_IDS, bookRows, booksOf } from '../../../pure/uapi/registers/book.ts'
import type { BookId } from '../../../pure/uapi/registers/book.ts'
import type { BookRow } from '../../../pure/uapi/registers/row.ts'
import type { KvmCall } from '../../../pure/uapi/calls.ts'
import type { CallRecord } from '../../session/state.ts'
import { callWriter, latest } from './writers.ts'
import { copyText, differs, explained, fieldAt, fieldsText, found, hex, peeksOf, valuesOf } from './values.ts'

const context = { cpu: 2, affinity: 0x0100_0002, nrIrqs: 96, host: { listRegs: 4, priBits: 5 } }
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

describe('every register of every book', () => {
  const contexts = [context, { ...context, host: { listRegs: 16, priBits: 7 } }]

  it.each(BOOK_IDS)('of %s has fields that lie within it, or a sentence why it is one number', (book) => {
    for (const { name, bytes, fields, plain } of contexts.flatMap((each) => bookRows(book, each))) {
      const told = fields.length > 0 ? undefined : (plain ?? 'nothing')
      expect([name, told]).toEqual([name, plain])
      expect([name, fields.filter(({ lsb, width }) => lsb + width > bytes * 8)]).toEqual([name, []])
    }
  })

  it('that shows no more than a number is one of a few', () => {
    const rows = BOOK_IDS.flatMap((book) => bookRows(book, context))
    expect(new Set(rows.filter(({ plain }) => plain !== undefined).map(({ name }) => name))).toEqual(
      new Set(Object.keys(PLAIN_SYSREGS)),
    )
  })
})

describe('the books of a machine', () => {
  it('are those of its GIC, its ITS and its host', () => {
    const titles = (shelf: Parameters<typeof booksOf>[0]) => booksOf(shelf).join(' ')
    expect(titles({ gic: 3, its: false, hostGicV3: true })).toBe('GICD GICR ICC ICH EL1 PL011 PL031 VIRTIO')
    expect(titles({ gic: 3, its: true, hostGicV3: true })).toContain('GITS')
    expect(titles({ gic: 2, its: false, hostGicV3: false })).toBe('GICDv2 GICC EL1 PL011 PL031 VIRTIO')
  })

  it('have the list registers and active priorities that the host has', () => {
    const names = (host: { listRegs: number; priBits: number }) =>
      bookRows('ICH', { ...context, host }).map(({ name }) => name)
    expect(names({ listRegs: 4, priBits: 5 }).filter((name) => /_(LR|AP)/.test(name))).toEqual([
      'ICH_AP0R0_EL2',
      'ICH_AP1R0_EL2',
      ...[0, 1, 2, 3].map((n) => `ICH_LR${n}_EL2`),
    ])
    expect(names({ listRegs: 16, priBits: 7 })).toHaveLength(4 + 8 + 16)
  })

  it('write an ITS through its own group, 64 bits at a time', () => {
    expect(row('GITS', 'GITS_BASER<1>').write?.(0x8000_0000_0000_0000n)).toEqual([
      { call: 'KVM_SET_DEVICE_ATTR', group: 8, attr: 0x108n, its: 0, value: 0x8000_0000_0000_0000n },
    ])
  })
})

describe('the last writer', () => {
  const made = (call: KvmCall, at: number, ok = true): CallRecord => ({
    id: at,
    by: 'you',
    at,
    call,
    answer: ok ? { ok } : { ok, errno: 'EBUSY', why: '', source: '' },
  })
  const router = row('GICD', 'GICD_IROUTER<40>')

  it('is the last call that wrote any half of a register and was not refused', () => {
    const [low, high] = router.write?.(2n) ?? []
    if (low === undefined || high === undefined) throw new Error('no halves')
    const other = row('GICD', 'GICD_IROUTER<41>').write?.(2n) ?? []
    const calls = [made(low, 1), made(high, 2), ...other.map((call) => made(call, 3)), made(low, 4, false)]
    expect(callWriter(router, calls)?.at).toBe(2)
    expect(callWriter(row('GICD', 'GICD_CTLR'), calls)).toBeUndefined()
    expect(callWriter(row('PL011', 'UARTCR'), calls)).toBeUndefined()
  })

  it('is the later of guest and userspace', () => {
    const [guest, user] = [
      { at: 5, what: 'guest' },
      { at: 7, what: 'user' },
    ]
    expect(latest(guest, user)).toBe(user)
    expect(latest({ ...guest, at: 7 }, user)?.what).toBe('guest')
    expect(latest(undefined, user)).toBe(user)
    expect(latest(guest, undefined)).toBe(guest)
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
    expect(fieldsText(ctlr, 0x52n)).toBe('DS, ARE, EnableGrp1')
    expect(fieldsText(row('GICD', 'GICD_TYPER'), 0x0048_0008n)).toBe('IDbits 0x9, ITLinesNumber 0x8')
    expect(fieldsText(row('GICD', 'GICD_IGROUPR<1>'), 0xffff_ffffn)).toBe('all 32')
    expect([hex(5n, 4), hex(5n, 8)]).toEqual(['00000005', '00000000_00000005'])
  })
})
