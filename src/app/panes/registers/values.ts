/** Registers with their values, and what can be done with one. */
import { decodeField, explainRegister, fieldMask } from '../../../pure/arch/register.ts'
import type { Explained, Field } from '../../../pure/arch/register.ts'
import { callText } from '../../../pure/uapi/calls.ts'
import type { KvmAnswer } from '../../../pure/uapi/calls.ts'
import type { BookRow, Peek } from '../../../pure/uapi/registers/row.ts'

export interface RegisterValue {
  readonly row: BookRow
  readonly guest: bigint | undefined
  readonly user: bigint | undefined
  /** What userspace is refused with, where it is. */
  readonly refused: string | undefined
}

export const peeksOf = (rows: readonly BookRow[]): readonly Peek[] =>
  rows.flatMap(({ guest, user }) => [...(guest === undefined ? [] : [guest]), ...user])

const valueOf = (answer: KvmAnswer | undefined): bigint | undefined => (answer?.ok === true ? answer.value : undefined)

/** Puts the answers to `peeksOf` beside their rows; words of 32 bits become one value. */
export const valuesOf = (rows: readonly BookRow[], answers: readonly KvmAnswer[]): readonly RegisterValue[] => {
  let next = 0
  return rows.map((row) => {
    const guest = row.guest === undefined ? undefined : valueOf(answers[next++])
    const words = row.user.map(() => answers[next++])
    const refusal = words.find((answer) => answer?.ok === false)
    const values = words.map(valueOf)
    const whole = values.length > 0 && values.every((value) => value !== undefined)
    return {
      row,
      guest,
      user: whole ? values.reduce((all: bigint, value, i) => all | ((value ?? 0n) << BigInt(32 * i)), 0n) : undefined,
      refused: refusal?.ok === false ? refusal.errno : undefined,
    }
  })
}

/** Whether the guest and userspace see different values. */
export const differs = ({ guest, user }: RegisterValue): boolean =>
  guest !== undefined && user !== undefined && guest !== user

export const found = (values: readonly RegisterValue[], words: string): readonly RegisterValue[] => {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  return values.filter(({ row }) => {
    const text = `${row.name} ${row.fields.map(({ name }) => name).join(' ')}`.toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
}

export const hex = (value: bigint, bytes: 4 | 8): string => {
  const digits = value.toString(16).padStart(2 * bytes, '0')
  return bytes === 8 ? `${digits.slice(0, 8)}_${digits.slice(8)}` : digits
}

const registerOf = ({ name, bytes, fields }: BookRow) =>
  ({ name, offset: 0, size: bytes, access: [bytes], fields }) as const

export const explained = (row: BookRow, value: bigint): readonly Explained[] => explainRegister(registerOf(row), value)

/** More of them are told by their number, where it is all of them. */
const MANY = 8

/** The fields that are not 0, by their names: `ARE, EnableGrp1`, and `PRIbits 0x4` where one is more than a bit. */
export const fieldsText = (row: BookRow, value: bigint | undefined): string => {
  if (value === undefined) return ''
  const set = explained(row, value).filter((one) => one.value !== 0n)
  if (set.length > MANY && set.length === row.fields.length) return `all ${set.length}`
  return set
    .map(({ field, bits, value: part }) => (bits.includes(':') ? `${field} 0x${part.toString(16)}` : field))
    .join(', ')
}

/** The field that has a bit. */
export const fieldAt = (row: BookRow, bit: number): Field | undefined =>
  row.fields.find((field) => ((fieldMask(field) >> BigInt(bit)) & 1n) === 1n)

export const fieldValue = (row: BookRow, name: string, value: bigint): bigint =>
  decodeField(registerOf(row), name, value)

export const COPIES = ['hex', 'C', 'KVM call', 'Markdown'] as const
export type Copy = (typeof COPIES)[number]

/** A register and its value for somebody else to read. */
export const copyText = (row: BookRow, value: bigint, as: Copy): string => {
  const digits = `0x${value.toString(16)}`
  switch (as) {
    case 'hex':
      return digits
    case 'C':
      return 'frame' in row.place
        ? `write${row.bytes === 8 ? 'q' : 'l'}(${digits}, ${row.place.frame.toLowerCase()}_base + 0x${row.place.offset.toString(16)}); /* ${row.name} */`
        : `write_sysreg_s(${digits}, SYS_${row.name});`
    case 'KVM call':
      return (row.write?.(value) ?? []).map(callText).join('\n')
    case 'Markdown':
      return [
        `**${row.name}** = \`${digits}\``,
        '',
        '| bits | field | value |',
        '| --- | --- | --- |',
        ...explained(row, value).map(({ bits, field, text }) => `| ${bits} | ${field} | ${text} |`),
      ].join('\n')
  }
}
