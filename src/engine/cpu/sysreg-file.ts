/** MRS, MSR and SYS: the CPU's own registers from their tables, those of others through their owners' ports. */
import { identificationValue } from '../../pure/arch/cpu/features.ts'
import type { Feature } from '../../pure/arch/cpu/features.ts'
import type { CpuModel } from '../../pure/arch/cpu/models.ts'
import { SAVED_PMU_REGISTERS } from '../../pure/arch/sysregs/pmu.ts'
import { isIdentification, isIdentificationSpace } from '../../pure/arch/sysregs/identification.ts'
import { TLBI_ADDRESS_MASK, TLBI_ASID_LSB, operations, tlbiRange } from '../../pure/arch/sysregs/operations.ts'
import type { OperationRow } from '../../pure/arch/sysregs/operations.ts'
import type { SysregRow } from '../../pure/arch/sysregs/sysreg.ts'
import { slotOf, sysregNamed, sysregs } from '../../pure/arch/sysregs/table.ts'
import type { SysregPort } from '../bus/sysreg-port.ts'
import { setMode } from './exceptions.ts'
import { sysregAt } from './layout.ts'
import { slots } from './slots.ts'
import { specialRegisters } from './special-registers.ts'
import type { Refused, Special, SysregEffects } from './special-registers.ts'
import type { CpuState, Registers } from './state.ts'

/** CPACR_EL1.FPEN: 0bx0 traps FP at EL0 and EL1, 0b01 at EL0. */
const FPEN_LSB = 20
/** Whether floating point and AdvSIMD are trapped at this exception level (D24.2.30). `cpacr`: its lower half. */
export const fpTrapped = (cpacr: number, el: 0 | 1): boolean => {
  const fpen = (cpacr >>> FPEN_LSB) & 3
  return el === 0 ? fpen !== 3 : (fpen & 1) === 0
}
/** TLBI of a larger range forgets everything. */
const MAX_PAGES_ONE_BY_ONE = 32n
/** op1 and op2 of MSR (immediate), as `op1 << 3 | op2` (C6.2.229). */
const FIELD = { SPSEL: 5, DAIFSET: (3 << 3) | 6, DAIFCLR: (3 << 3) | 7 } as const
/** Fields of one bit with a register of their own name. */
const FLAG_FIELDS: Readonly<Record<number, string>> = {
  3: 'UAO',
  4: 'PAN',
  [(3 << 3) | 1]: 'SSBS',
  [(3 << 3) | 2]: 'DIT',
}
/** Where a hypervisor's own accesses come from. */
const HYPERVISOR_EL = 2

/** Registers that struct kvm_regs has (KVM's core registers), and those that only show parts of PSTATE. */
const ELSEWHERE = new Set(['SPSR_EL1', 'ELR_EL1', 'SP_EL0'])
const SAVED_SPECIALS = new Set(['MIDR_EL1', 'CPACR_EL1', ...SAVED_PMU_REGISTERS])

const isSaved = ({ name, is, encoding }: SysregRow): boolean => {
  if (is.kind === 'special') return SAVED_SPECIALS.has(name)
  if (is.kind === 'ignored') return false
  // Of the debug registers (op0 = 2) those that keep something.
  return !ELSEWHERE.has(name) && (is.kind === 'stored' || encoding >>> 14 === 3)
}

/** A register that is kept, by halves: a kernel that isolates its tables writes several at each entry. */
interface StoredRegister {
  readonly at: number
  /** Which bits can be written, and what the others are: the lower half and the upper. */
  readonly mask: readonly [number, number]
  readonly fixed: readonly [number, number]
  /** EL1 may write it by an MSR. */
  readonly writable: boolean
  readonly retranslate: boolean
}

const halves = (value: bigint): readonly [number, number] => [
  Number(value & 0xffff_ffffn) | 0,
  Number(value >> 32n) | 0,
]

export class SysregFile {
  private readonly rows = new Map<number, SysregRow>()
  /** By encoding: where a stored register lies, and which of its bits can be written. */
  private readonly stored = new Map<number, StoredRegister>()
  /** By encoding: the value of an identification register. */
  private readonly identification = new Map<number, bigint>()
  /** What the guest sees of the CPU. */
  private features: ReadonlySet<Feature>
  /** By encoding: bits of identification registers that read as 0. */
  private readonly hidden = new Map<number, bigint>()
  private readonly operations = new Map<number, OperationRow>()
  private readonly ports = new Map<number, SysregPort>()
  private readonly specials: Readonly<Record<string, Special>>
  /** The bit of SCTLR_EL1 that lets EL0 change its masks. */
  private readonly daifControl: number | undefined
  private readonly registers: Registers
  private readonly effects: SysregEffects

  constructor(registers: Registers, model: CpuModel, effects: SysregEffects) {
    this.registers = registers
    this.features = model.features
    this.effects = effects
    for (const row of sysregs) if (this.has(row)) this.addRow(row)
    for (const row of operations) if (this.has(row)) this.operations.set(row.encoding, row)
    this.specials = specialRegisters(registers, model, effects, (cpu, bit) => this.trapped(cpu, bit))
    this.daifControl = sysregNamed('DAIF').el0Control
  }

  private has({ feature }: { readonly feature: Feature | undefined }): boolean {
    return feature === undefined || this.features.has(feature)
  }

  private addRow(row: SysregRow): void {
    const { encoding, is } = row
    this.rows.set(encoding, row)
    if (is.kind === 'identification') {
      const value = identificationValue(row.name, is.base, this.features)
      this.identification.set(encoding, value & ~(this.hidden.get(encoding) ?? 0n))
    }
    if (is.kind !== 'stored') return
    let { mask } = is
    for (const feature of this.features) mask |= is.featureMasks[feature] ?? 0n
    this.stored.set(encoding, {
      at: sysregAt(slotOf(row.name)),
      mask: halves(mask),
      fixed: halves(is.reset & ~mask),
      writable: row.write !== undefined,
      retranslate: is.retranslate,
    })
  }

  /** Bits of an identification register that read as 0 from now on. */
  hide(encoding: number, bits: bigint): void {
    this.hidden.set(encoding, (this.hidden.get(encoding) ?? 0n) | bits)
    const row = this.rows.get(encoding)
    if (row !== undefined) this.addRow(row)
  }

  /**
   * The CPU seems to have these features no longer: their registers are UNDEFINED, their bits cannot be written, and nothing
   * tells of them. Instructions that such bits would enable stay disabled.
   */
  withhold(features: readonly Feature[]): void {
    const left = [...this.features].filter((feature) => !features.includes(feature))
    if (left.length === this.features.size) return
    this.features = new Set(left)
    for (const row of sysregs) {
      if (this.has(row)) this.addRow(row)
      else {
        this.rows.delete(row.encoding)
        this.stored.delete(row.encoding)
      }
    }
  }

  /** Hands registers to an owner outside the CPU. */
  own(port: SysregPort): void {
    for (const encoding of port.registers) this.ports.set(encoding, port)
  }

  /** The values of an architectural reset; the bank is in place and zero. */
  reset(): void {
    for (const row of sysregs)
      if (row.is.kind === 'stored') this.registers.setAt(sysregAt(slotOf(row.name)), row.is.reset)
  }

  read(cpu: CpuState, encoding: number): bigint | Refused {
    const row = this.rows.get(encoding)
    if (row === undefined) {
      const port = this.ports.get(encoding)
      if (port !== undefined) return port.read(cpu.index, encoding, cpu.el) ?? this.refusedBy(port, cpu, encoding)
      if (!isIdentificationSpace(encoding)) return 'undefined'
      return cpu.el > 0 ? 0n : this.identificationAtEl0
    }
    if (row.read === undefined) return 'undefined'
    if (cpu.el < row.read) return isIdentification(encoding) ? this.identificationAtEl0 : 'undefined'
    if (this.trapped(cpu, row.el0Control)) return 'trap'
    switch (row.is.kind) {
      case 'constant':
        return row.is.value
      case 'identification':
        return this.identification.get(encoding) ?? 0n
      case 'stored':
        return this.storedValue(encoding)
      case 'ignored':
        return 0n
      case 'special':
        return this.special(row.name).read(cpu)
      default:
        return row.is satisfies never
    }
  }

  /** As EL1 would read it, whatever the CPU is at; `undefined` where that is UNDEFINED. */
  peek(cpu: CpuState, encoding: number): bigint | undefined {
    const value = this.read({ ...cpu, el: 1 }, encoding)
    return typeof value === 'bigint' ? value : undefined
  }

  /** An MSR of the value that stands at a byte address. */
  writeFrom(cpu: CpuState, encoding: number, at: number): void | Refused {
    const register = cpu.el === 1 ? this.stored.get(encoding) : undefined
    if (register?.writable !== true) return this.write(cpu, encoding, this.registers.at(at))
    const { i32 } = this.registers
    this.store(register, i32[at >>> 2] ?? 0, i32[(at >>> 2) + 1] ?? 0)
    if (register.retranslate) this.effects.contextChanged(cpu)
    return undefined
  }

  private write(cpu: CpuState, encoding: number, value: bigint): void | Refused {
    const row = this.rows.get(encoding)
    if (row === undefined) {
      const port = this.ports.get(encoding)
      if (port === undefined) return 'undefined'
      return port.write(cpu.index, encoding, value, cpu.el) ? undefined : this.refusedBy(port, cpu, encoding)
    }
    if (row.write === undefined || cpu.el < row.write) return 'undefined'
    if (this.trapped(cpu, row.el0Control)) return 'trap'
    if (row.is.kind === 'special') return this.special(row.name).write?.(cpu, value)
    if (row.is.kind !== 'stored') return undefined
    this.storeValue(encoding, value)
    if (row.is.retranslate) this.effects.contextChanged(cpu)
    return undefined
  }

  private storedValue(encoding: number): bigint {
    const register = this.stored.get(encoding)
    return register === undefined ? 0n : this.registers.at(register.at)
  }

  private store({ at, mask, fixed }: StoredRegister, low: number, high: number): void {
    const { i32 } = this.registers
    i32[at >>> 2] = (low & mask[0]) | fixed[0]
    i32[(at >>> 2) + 1] = (high & mask[1]) | fixed[1]
  }

  private storeValue(encoding: number, value: bigint): void {
    const register = this.stored.get(encoding)
    if (register !== undefined) this.store(register, ...halves(value))
  }

  /** What a hypervisor saves: all that is kept, and what tells which CPU this is. SPSR_EL1 and ELR_EL1 it has elsewhere. */
  savedRegisters(): readonly number[] {
    const own = [...this.rows.values()].filter(isSaved).map(({ encoding }) => encoding)
    const foreign = [...this.ports.values()].flatMap((port) => port.saved ?? [])
    return [...new Set([...own, ...foreign])].toSorted((a, b) => a - b)
  }

  /** The hypervisor's read, whatever the exception level and traps of the CPU are. */
  readSaved(cpu: CpuState, encoding: number): bigint | undefined {
    const row = this.rows.get(encoding)
    if (row === undefined) {
      const port = this.ports.get(encoding)
      return port?.saved?.includes(encoding) === true ? port.read(cpu.index, encoding, HYPERVISOR_EL) : undefined
    }
    if (!isSaved(row)) return undefined
    if (row.is.kind === 'stored') return this.storedValue(encoding)
    return this.peek(cpu, encoding)
  }

  /** The hypervisor's write. What tells which CPU this is takes its own value only. */
  writeSaved(cpu: CpuState, encoding: number, value: bigint): 'done' | 'invalid' | 'unknown' {
    const row = this.rows.get(encoding)
    if (row === undefined) {
      const port = this.ports.get(encoding)
      if (port?.saved?.includes(encoding) !== true) return 'unknown'
      return port.write(cpu.index, encoding, value, HYPERVISOR_EL) ? 'done' : 'invalid'
    }
    if (!isSaved(row)) return 'unknown'
    if (row.write === undefined && row.is.kind !== 'stored')
      return this.readSaved(cpu, encoding) === value ? 'done' : 'invalid'
    // It may be one that decides over translation, which is looked up when the CPU runs.
    cpu.regime = undefined
    if (row.is.kind === 'special') this.special(row.name).write?.(cpu, value)
    else if (row.is.kind === 'stored') this.storeValue(encoding, value)
    return 'done'
  }

  private refusedBy(port: SysregPort, cpu: CpuState, encoding: number): Refused {
    return cpu.el === 0 && port.trapped?.includes(encoding) === true ? 'trap' : 'undefined'
  }

  /** Identification registers at EL0: trapped, so that a kernel can answer, or (FEAT_IDST absent) UNDEFINED. */
  private get identificationAtEl0(): Refused {
    return this.features.has('FEAT_IDST') ? 'trap' : 'undefined'
  }

  /** A SYS instruction; 'abort': the CPU has something else to do than to go on. */
  sys(cpu: CpuState, encoding: number, value: bigint): void | Refused | 'abort' {
    const row = this.operations.get(encoding)
    if (row === undefined || cpu.el < row.el) return 'undefined'
    if (row.el === 0 && this.trapped(cpu, row.el0Control)) return 'trap'
    const { operation } = row
    switch (operation.does) {
      case 'nothing':
        return undefined
      case 'tlbi': {
        if (operation.scope === 'all') this.effects.tlbi(undefined, undefined)
        else if (operation.scope === 'range') this.forgetRange(value)
        else if (operation.scope === 'asid') this.effects.tlbi(undefined, Number((value >> TLBI_ASID_LSB) & 0xffffn))
        else this.effects.tlbi((value & TLBI_ADDRESS_MASK) << 12n, undefined)
        return undefined
      }
      case 'ic':
        return this.effects.icInvalidate(operation.scope === 'all' ? undefined : value) ? undefined : 'abort'
      case 'dc':
        return this.effects.dcMaintain(value, operation.write) ? undefined : 'abort'
      case 'at':
        this.registers.setAt(
          slots.PAR_EL1,
          this.effects.addressTranslate(value, operation.write, operation.el, operation.pan),
        )
        return undefined
      default:
        return operation satisfies never
    }
  }

  private forgetRange(operand: bigint): void {
    const { first, pages } = tlbiRange(operand)
    if (pages > MAX_PAGES_ONE_BY_ONE) return this.effects.tlbi(undefined, undefined)
    for (let page = 0n; page < pages; page++) this.effects.tlbi(BigInt.asUintN(64, first + (page << 12n)), undefined)
  }

  /** MSR (immediate) to a field of PSTATE; `field` is op1 << 3 | op2. */
  writeField(cpu: CpuState, field: number, imm: number): void | Refused {
    if (field === FIELD.SPSEL) {
      if (cpu.el === 0) return 'undefined'
      return setMode(cpu, this.registers, cpu.el, (imm & 1) === 1 ? 1 : 0)
    }
    if (field !== FIELD.DAIFSET && field !== FIELD.DAIFCLR) return this.writeFlag(cpu, field, imm)
    if (this.trapped(cpu, this.daifControl)) return 'trap'
    if (field === FIELD.DAIFSET) this.registers.daif |= imm
    else this.registers.daif &= ~imm
    this.effects.maskChanged(cpu)
    return undefined
  }

  /** A field of one bit. */
  private writeFlag(cpu: CpuState, field: number, imm: number): void | Refused {
    const flag = FLAG_FIELDS[field]
    if (flag === undefined) return 'undefined'
    const row = sysregNamed(flag)
    return this.has(row) && cpu.el >= (row.write ?? 2)
      ? this.special(flag).write?.(cpu, imm & 1 ? -1n : 0n)
      : 'undefined'
  }

  private trapped(cpu: CpuState, control: number | undefined): boolean {
    return (
      control !== undefined && cpu.el === 0 && ((this.registers.at(slots.SCTLR_EL1) >> BigInt(control)) & 1n) === 0n
    )
  }

  private special(name: string): Special {
    const found = this.specials[name]
    if (found === undefined) throw new Error(`${name} has no behaviour`)
    return found
  }
}
