/** Looking at every register of a machine leaves it as it was, and shows what the guest itself would read. */
import { describe, expect, it } from 'vitest'
import { mpidrAffinity } from '../pure/arch/affinity.ts'
import { GICD_TYPER } from '../pure/arch/gic/gicd.ts'
import { GITS_CBASER } from '../pure/arch/gic/gits.ts'
import { ICH_VMCR } from '../pure/arch/gic/ich.ts'
import { ICC } from '../pure/arch/sysregs/gic-cpu.ts'
import { sysregEncoding } from '../pure/arch/sysregs/encoding.ts'
import { decodeField, fieldMask } from '../pure/arch/register.ts'
import { bookRows, booksOf } from '../pure/uapi/registers/book.ts'
import type { BookRow } from '../pure/uapi/registers/row.ts'
import { GuestMachine } from './guest-machine.ts'
import type { GuestOptions } from './guest-machine.ts'

const CPUS = 3

const rowsOf = ({ vmm }: GuestMachine, its: boolean, cpu: number): readonly BookRow[] => {
  const { cpus, gicdTyper } = vmm.inspect()
  const nrIrqs = 32 * (Number(decodeField(GICD_TYPER, 'ITLinesNumber', BigInt(gicdTyper))) + 1)
  const affinity = mpidrAffinity.decode(cpus[cpu]?.mpidr ?? 0n)
  const host = { listRegs: 4, priBits: 5 }
  return booksOf({ gic: 3, its, hostGicV3: true }).flatMap((book) => bookRows(book, { cpu, affinity, nrIrqs, host }))
}

const lookAtAll = (machine: GuestMachine, its: boolean): number => {
  let read = 0
  for (let cpu = 0; cpu < CPUS; cpu++) {
    const what = rowsOf(machine, its, cpu).flatMap(({ guest, user }) => [
      ...(guest === undefined ? [] : [guest]),
      ...user,
    ])
    read += machine.vmm.peek(cpu, what).filter(({ ok }) => ok).length
  }
  return read
}

const optionsOf = (its: boolean): GuestOptions => ({
  guest: 'gicsh',
  blueprint: { vcpus: CPUS, its, memory: 128 * 2 ** 20 },
})

describe('looking at every register', () => {
  it('changes no byte of a machine', { timeout: 120_000 }, () => {
    const machine = new GuestMachine(optionsOf(false)).boot()
    machine.type('x')
    const before = machine.vmm.snapshot()
    if (!before.ok) throw new Error(before.what)
    machine.vmm.watchTrace(() => true)
    machine.vmm.takeTrace()
    expect(lookAtAll(machine, false)).toBeGreaterThan(1000)
    expect(machine.vmm.takeTrace()).toBeUndefined()
    const after = machine.vmm.snapshot()
    if (!after.ok) throw new Error(after.what)
    expect(Buffer.compare(before.file, after.file)).toBe(0)
  })

  it('leaves a machine with an ITS to go on as it would have', { timeout: 120_000 }, () => {
    const run = (look: boolean): unknown => {
      const machine = new GuestMachine(optionsOf(true)).boot()
      const read = look ? lookAtAll(machine, true) : Infinity
      expect(read).toBeGreaterThan(1000)
      machine.shell('sgi 3 all')
      return [machine.console, machine.vmm.inspect(), machine.vmm.stats().instructions]
    }
    expect(run(true)).toEqual(run(false))
  })
})

describe('a register that is looked at', () => {
  const machine = new GuestMachine({ guest: 'gicsh', blueprint: { vcpus: CPUS } }).boot()
  const value = (name: string, cpu: number): { guest: string | undefined; user: readonly string[] } => {
    const row = rowsOf(machine, false, cpu).find((one) => one.name === name)
    if (row === undefined) throw new Error(`no ${name}`)
    const text = (what: Parameters<typeof machine.vmm.peek>[1]): string[] =>
      machine.vmm.peek(cpu, what).map((answer) => (answer.ok ? (answer.value ?? 0n).toString(16) : answer.errno))
    return { guest: row.guest && text([row.guest])[0], user: text(row.user) }
  }

  it('is the frame of its own CPU, in the halves that userspace has', () => {
    expect(value('GICR_TYPER', 1)).toEqual({ guest: '100000100', user: ['100', '1'] })
    expect(value('GICR_TYPER', 2)).toEqual({ guest: '200000210', user: ['210', '2'] })
  })

  it('is a system register of its own CPU', () => {
    expect(value('MPIDR_EL1', 2).guest).toBe('80000002')
    expect(value('ICC_SRE_EL1', 1)).toEqual({ guest: '7', user: ['7'] })
  })

  it('is what the hypervisor has of it, of the registers that are EL2’s', () => {
    const field = (name: string, register: string): bigint =>
      decodeField(ICH_VMCR, name, BigInt(`0x${value(register, 1).user[0] ?? ''}`))
    // What the guest wrote to its CPU interface is what KVM finds in ICH_VMCR_EL2 (IHI 0069, 12.4.8).
    expect(field('VPMR', 'ICH_VMCR_EL2').toString(16)).toBe(value('ICC_PMR_EL1', 1).guest)
    expect(field('VENG1', 'ICH_VMCR_EL2').toString(16)).toBe(value('ICC_IGRPEN1_EL1', 1).guest)
    // The host H1: 4 list registers, 5 bits of priority, A3V.
    expect(value('ICH_VTR_EL2', 0)).toEqual({ guest: undefined, user: ['90200003'] })
    expect(value('ICH_ELRSR_EL2', 1).user).toEqual(['f'])
  })

  it('tells who wrote a system register last', () => {
    const of = (encoding: number, cpu: number) => traced.vmm.lastWrite(cpu, encoding)
    const traced = new GuestMachine({ guest: 'gicsh', blueprint: { vcpus: CPUS }, onTrace: () => {} }).boot()
    const pmr = of(ICC.ICC_PMR_EL1, 1)
    expect(pmr).toMatchObject({ by: 'MSR' })
    expect(pmr?.at).toBeGreaterThan(of(ICC.ICC_PMR_EL1, 0)?.at ?? Infinity)
    // ELR_EL1 is written by the last interrupt that the guest took.
    traced.shell('sgi 3 all')
    expect(of(sysregEncoding(3, 0, 4, 0, 1), 2)).toMatchObject({ by: 'exception' })
    expect(of(ICC.ICC_CTLR_EL1, CPUS)).toBeUndefined()
  })

  it('is written through the calls of its row, an ITS’s too', () => {
    const withIts = new GuestMachine(optionsOf(true)).boot()
    const row = rowsOf(withIts, true, 0).find(({ name }) => name === 'GITS_CBASER')
    const ring = 0x8000_0000_4800_0000n
    for (const call of row?.write?.(ring) ?? []) expect(withIts.vmm.call(call)).toMatchObject({ ok: true })
    const looks = [...(row?.guest === undefined ? [] : [row.guest]), ...(row?.user ?? [])]
    expect(looks).toHaveLength(2)
    // Valid and the address are kept; memory attributes are what KVM makes of them.
    for (const answer of withIts.vmm.peek(0, looks)) {
      const kept = answer.ok ? (answer.value ?? 0n) : 0n
      expect(decodeField(GITS_CBASER, 'Physical_Address', kept)).toBe(0x48000n)
      expect(decodeField(GITS_CBASER, 'Valid', kept)).toBe(1n)
    }
  })

  it('shows userspace what the guest does not see', () => {
    const { guest, user } = value('GICD_STATUSR', 0)
    expect(guest).toBe('ffffffff')
    expect(user).toHaveLength(1)
  })

  it('shows no bit that its fields do not tell, nor does it after userspace wrote ones', () => {
    const whole = new GuestMachine({ guest: 'gicsh', blueprint: { vcpus: CPUS, its: true, cpu: 'max' } }).boot()
    // Read as ones (vgic_mmio_read_rao()); kept whole by KVM; the answer of AT, in which software may keep any bit.
    const OPEN = ['GICD_STATUSR', 'MPIDR_EL1', 'PAR_EL1']
    const rows = rowsOf(whole, true, 1).filter(({ name, plain }) => plain === undefined && !OPEN.includes(name))
    const untold = (): readonly string[] =>
      rows.flatMap(({ name, guest, user, fields }) => {
        const told = fields.reduce((all, field) => all | fieldMask(field), 0n)
        const seen = [...(guest === undefined ? [] : [guest]), ...(user.length === 1 ? user : [])]
        return whole.vmm.peek(1, seen).flatMap((answer) => {
          const rest = answer.ok ? (answer.value ?? 0n) & ~told : 0n
          return rest === 0n ? [] : [`${name} ${rest.toString(16)}`]
        })
      })
    expect(untold()).toEqual([])
    const ofCpu = rows.filter(({ place }) => 'encoding' in place)
    const taken = ofCpu.flatMap(({ write }) => write?.(2n ** 64n - 1n) ?? []).filter((call) => whole.vmm.call(call).ok)
    expect(taken.length).toBeGreaterThan(60)
    expect(untold()).toEqual([])
  })

  it('is left alone where reading it would change it', () => {
    for (const name of ['ICC_IAR1_EL1', 'UARTDR'])
      expect(rowsOf(machine, false, 0).find((row) => row.name === name)).toMatchObject({ guest: undefined })
    expect(machine.vmm.peek(0, [{ kind: 'mmio', frame: 'PL011', offset: 0, width: 4 }])).toMatchObject([{ ok: false }])
    const power = { kind: 'call', call: { call: 'KVM_RUN', vcpu: 0 } } as const
    expect(machine.vmm.peek(0, [power])).toMatchObject([{ ok: false }])
  })
})
