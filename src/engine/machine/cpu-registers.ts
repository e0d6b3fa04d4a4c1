/** A CPU's registers by name, while it does not run: what KVM_GET_ONE_REG and KVM_SET_ONE_REG reach. */
import type { Core } from '../cpu/core.ts'
import { branchTypeAt } from '../cpu/branch-target.ts'
import { restoreState, savedState } from '../cpu/exceptions.ts'
import { bank, vAt } from '../cpu/layout.ts'
import { slots } from '../cpu/slots.ts'
import type { CpuState, Registers } from '../cpu/state.ts'
import type { CpuRegisters, RegisterWritten } from './hardware.ts'

interface Place {
  read(r: Registers, cpu: CpuState): bigint
  /** `false`: the value cannot be. */
  write(r: Registers, cpu: CpuState, value: bigint): boolean | void
}

const SP = 31

const at = (address: number): Place => ({
  read: (r) => r.at(address),
  write: (r, _, value) => r.setAt(address, value),
})

/** A stack pointer lies in its slot, or among the general registers while it is the current one. */
const stackPointer = (select: 0 | 1, slot: number): Place => ({
  read: (r, cpu) => (cpu.spsel === select ? r.x(SP) : r.at(slot)),
  write: (r, cpu, value) => (cpu.spsel === select ? r.setX(SP, value) : r.setAt(slot, value)),
})

const vector = (n: number): Place => ({
  read: (r) => r.at(vAt(n)) | (r.at(vAt(n) + 8) << 64n),
  write: (r, _, value) => {
    r.setAt(vAt(n), BigInt.asUintN(64, value))
    r.setAt(vAt(n) + 8, value >> 64n)
  },
})

const places: ReadonlyMap<string, Place> = new Map<string, Place>([
  ...Array.from({ length: 31 }, (_, n) => [`X${n}`, at(bank.X + 8 * n)] as const),
  ['SP_EL0', stackPointer(0, slots.SP_EL0)],
  ['SP_EL1', stackPointer(1, slots.SP_EL1)],
  ['PC', at(bank.PC)],
  [
    'PSTATE',
    {
      read: (r, cpu) => BigInt(savedState(cpu, r, branchTypeAt(cpu, cpu.instructions))),
      write: (r, cpu, value) => restoreState(cpu, r, value),
    },
  ],
  ['ELR_EL1', at(slots.ELR_EL1)],
  ['SPSR_EL1', at(slots.SPSR_EL1)],
  ...Array.from({ length: 32 }, (_, n) => [`V${n}`, vector(n)] as const),
  ['FPSR', at(bank.FPSR)],
  ['FPCR', at(bank.FPCR)],
])

export const cpuRegisters = (core: Core, cpu: CpuState): CpuRegisters => ({
  core: (name) => {
    const place = places.get(name)
    return place && core.banks.with(cpu, () => place.read(core.registers, cpu))
  },
  setCore: (name, value) => {
    const place = places.get(name)
    if (place === undefined) return 'unknown'
    return core.banks.with(cpu, () => place.write(core.registers, cpu, value)) === false ? 'invalid' : 'done'
  },
  get system() {
    return core.sysregs.savedRegisters()
  },
  readSystem: (encoding) => core.banks.with(cpu, () => core.sysregs.readSaved(cpu, encoding)),
  writeSystem: (encoding, value): RegisterWritten =>
    core.banks.with(cpu, () => core.sysregs.writeSaved(cpu, encoding, value)),
})
