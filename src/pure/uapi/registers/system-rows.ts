/** The system registers of a CPU: its own, the GIC's for the guest, and the GIC's for the hypervisor. */
import {
  activePriorityWords,
  ICH,
  ICH_APR_EL2,
  ICH_LR_EL2,
  MAX_ACTIVE_PRIORITIES,
  MAX_LIST_REGISTERS,
} from '../../arch/gic/ich.ts'
import { sysregFields } from '../../arch/sysregs/fields/index.ts'
import { PLAIN_SYSREGS } from '../../arch/sysregs/fields/plain.ts'
import { ICC } from '../../arch/sysregs/gic-cpu.ts'
import { sysregs } from '../../arch/sysregs/table.ts'
import { TIMER } from '../../arch/sysregs/timer.ts'
import { oneRegOf } from '../one-reg.ts'
import { registerAttr, VGIC_GROUP } from '../vgic-attr.ts'
import { getAttr, readEffect, setAttr } from './row.ts'
import type { BookContext, BookRow } from './row.ts'

const WRITE_ONLY = 'It can only be written.'
const isWriteOnly = (name: string): boolean => /^ICC_(EOIR|DIR|SGI|ASGI)/.test(name)

/** What every system register has in common. `unread`: why EL1 does not see it. */
const systemRow = (name: string, encoding: number, unread: string | undefined) => ({
  name,
  bytes: 8 as const,
  fields: sysregFields(name),
  plain: PLAIN_SYSREGS[name],
  place: { encoding },
  guest: unread === undefined ? ({ kind: 'sysreg', encoding } as const) : undefined,
  ...(unread === undefined ? {} : { unread }),
})

export const iccRows = ({ affinity }: BookContext): readonly BookRow[] =>
  Object.entries(ICC).map(([name, encoding]): BookRow => {
    const writeOnly = isWriteOnly(name)
    const attr = registerAttr(affinity, encoding)
    const group = VGIC_GROUP.CPU_SYSREGS
    return {
      ...systemRow(name, encoding, writeOnly ? WRITE_ONLY : readEffect(name)),
      user: writeOnly ? [] : [getAttr(group, attr)],
      write: writeOnly ? undefined : (value) => [setAttr(group, attr, value)],
    }
  })

const numbers = (from: number, end: number): readonly number[] =>
  Array.from({ length: Math.max(0, end - from) }, (_, i) => from + i)

/** What the host's registers say of the vCPU; there are those that its ICH_VTR_EL2 counts. */
export const ichRows = ({ host }: BookContext): readonly BookRow[] => {
  if (host === undefined) return []
  const { listRegs, priBits } = host
  const beyond = new Set([
    ...numbers(listRegs, MAX_LIST_REGISTERS).map(ICH_LR_EL2),
    ...numbers(activePriorityWords(priBits), MAX_ACTIVE_PRIORITIES).flatMap((n) => [
      ICH_APR_EL2(0, n),
      ICH_APR_EL2(1, n),
    ]),
  ])
  return Object.entries(ICH)
    .filter(([, encoding]) => !beyond.has(encoding))
    .map(([name, encoding]): BookRow => ({
      ...systemRow(name, encoding, 'Only EL2 has it: a guest does not see what its host does.'),
      user: [{ kind: 'sysreg', encoding }],
      write: undefined,
    }))
}

export const el1Rows = ({ cpu }: BookContext): readonly BookRow[] =>
  [
    ...sysregs.map(({ name, encoding, read }) => ({ name, encoding, readable: read !== undefined })),
    ...Object.entries(TIMER).map(([name, encoding]) => ({ name, encoding, readable: true })),
  ].map(({ name, encoding, readable }): BookRow => {
    const reg = oneRegOf(encoding)
    return {
      ...systemRow(name, encoding, readable ? readEffect(name) : WRITE_ONLY),
      user: [{ kind: 'call', call: { call: 'KVM_GET_ONE_REG', vcpu: cpu, reg } }],
      write: (value) => [{ call: 'KVM_SET_ONE_REG', vcpu: cpu, reg, value }],
    }
  })
