/**
 * A VM's LPIs: their configuration and pending state in the guest's memory, and whether a CPU has them enabled
 * (GIC architecture IHI 0069, 5.1; arch/arm64/kvm/vgic/vgic-its.c, vgic-v3.c).
 */
import { GICR_PENDBASER, GICR_PROPBASER } from '../../pure/arch/gic/gicr.ts'
import { LPI_CONFIGURATION } from '../../pure/arch/gic/its-tables.ts'
import { FIRST_LPI } from '../../pure/arch/intid.ts'
import { decodeField, fieldMask } from '../../pure/arch/register.ts'
import type { Field } from '../../pure/arch/register.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal, VmFacts } from '../../pure/rules/points.ts'
import type { GuestMemory } from '../bus/guest-memory.ts'
import type { Effort } from './effort.ts'
import { NONE } from './irq.ts'
import type { VgicIrq } from './irq.ts'
import type { InterruptState } from './state.ts'
import { fieldsMask, INITIAL_TABLE, supportedAttributes } from './table-attributes.ts'

/** INTERRUPT_ID_BITS_ITS: no LPI has more, whatever GICR_PROPBASER says. */
export const LPI_ID_BITS = 16

const every = (fields: readonly Field[]): readonly string[] => fields.map(({ name }) => name)
const PROPBASER_BITS = fieldsMask(GICR_PROPBASER, every(GICR_PROPBASER.fields))
const PENDBASER_BITS = fieldsMask(GICR_PENDBASER, every(GICR_PENDBASER.fields))
const ADDRESS_FIELD = 'Physical_Address'
const ADDRESS = { prop: fieldsMask(GICR_PROPBASER, [ADDRESS_FIELD]), pend: fieldsMask(GICR_PENDBASER, [ADDRESS_FIELD]) }
const PTZ = fieldsMask(GICR_PENDBASER, ['PTZ'])

const [ENABLE, PRIORITY] = LPI_CONFIGURATION.fields
const enableMask = Number(fieldMask(ENABLE))
const priorityMask = Number(fieldMask(PRIORITY))

const BITS_PER_BYTE = 8

export interface LpiOptions {
  readonly vm: Readonly<VmFacts>
  readonly state: InterruptState
  readonly memory: GuestMemory
  readonly effort: Effort
}

export class Lpis {
  private readonly o: LpiOptions
  /** One for the VM, though each redistributor has the register. */
  private propbaserValue: bigint
  private readonly pendbasers = new Map<number, bigint>()
  /** GICR_CTLR.EnableLPIs. */
  private readonly enabledOn = new Set<number>()

  constructor(o: LpiOptions) {
    this.o = o
    this.propbaserValue = o.vm.hasIts ? INITIAL_TABLE : 0n
  }

  /** An ITS device was created: vgic_its_create() writes GICR_PROPBASER, whatever it held. */
  itsCreated(): void {
    this.propbaserValue = INITIAL_TABLE
  }

  enabled(cpu: number): boolean {
    return this.enabledOn.has(cpu)
  }

  /** GICR_CTLR.EnableLPIs, which a VM without an ITS does not have. */
  setEnabled(cpu: number, enabled: boolean): void {
    const { vm, state } = this.o
    if (!vm.hasIts || enabled === this.enabledOn.has(cpu)) return
    if (enabled) {
      this.enabledOn.add(cpu)
      if ((this.pendbaser(cpu) & PTZ) === 0n) this.readPending(cpu)
    } else {
      this.enabledOn.delete(cpu)
      state.flushLpis(cpu)
    }
  }

  get propbaser(): bigint {
    return this.propbaserValue
  }

  /** Ignored while the CPU that writes has LPIs enabled. */
  setPropbaser(cpu: number, value: bigint): void {
    if (!this.enabled(cpu)) this.propbaserValue = supportedAttributes(GICR_PROPBASER, value) & PROPBASER_BITS
  }

  /** With PTZ, which a guest reads as 0. */
  pendbaser(cpu: number): bigint {
    return this.pendbasers.get(cpu) ?? INITIAL_TABLE
  }

  readPendbaser(cpu: number): bigint {
    return this.pendbaser(cpu) & ~PTZ
  }

  setPendbaser(cpu: number, value: bigint): void {
    if (!this.enabled(cpu)) this.pendbasers.set(cpu, supportedAttributes(GICR_PENDBASER, value) & PENDBASER_BITS)
  }

  /** The first INTID that is no LPI of this VM. */
  get limit(): number {
    return 2 ** Math.min(Number(decodeField(GICR_PROPBASER, 'IDbits', this.propbaserValue)) + 1, LPI_ID_BITS)
  }

  /** One more event is translated to an LPI: vgic_add_lpi(). `undefined`: its tables are not in RAM. */
  map(intid: number, target: number): VgicIrq | undefined {
    const { state } = this.o
    const known = state.lpi(intid)
    if (known !== undefined) {
      state.mapLpi(known)
      return known
    }
    if (this.configuration(intid) === undefined) return undefined
    const irq = state.addLpi(intid, target)
    this.refresh(irq)
    if (this.consumePending(irq)) return irq
    state.unmapLpi(irq)
    return undefined
  }

  unmap(irq: VgicIrq): void {
    this.o.state.unmapLpi(irq)
  }

  private configuration(intid: number): number | undefined {
    return this.o.memory.readByte(Number(this.propbaserValue & ADDRESS.prop) + intid - FIRST_LPI)
  }

  /** Reads its configuration again: update_lpi_config(). `false`: the table is not in RAM. */
  refresh(irq: VgicIrq): boolean {
    const configuration = this.configuration(irq.intid)
    if (configuration === undefined) return false
    this.o.state.configureLpi(irq, (configuration & enableMask) !== 0, configuration & priorityMask)
    return true
  }

  /** The same for every LPI that targets a CPU: vgic_its_invall(). */
  refreshAll(cpu: number): void {
    const { state, effort } = this.o
    effort.spend(state.lpiPlaces)
    state.batch(() =>
      state.forEachLpi((irq) => {
        if (irq.target === cpu) this.refresh(irq)
      }),
    )
  }

  private pendingByteOf(cpu: number, intid: number): number {
    return Number(this.pendbaser(cpu) & ADDRESS.pend) + Math.floor(intid / BITS_PER_BYTE)
  }

  /** A newly mapped LPI takes its bit out of the pending table: vgic_v3_lpi_sync_pending_status(). */
  private consumePending(irq: VgicIrq): boolean {
    const { memory, state } = this.o
    if (irq.target === NONE) return true
    const at = this.pendingByteOf(irq.target, irq.intid)
    const byte = memory.readByte(at)
    if (byte === undefined) return false
    const bit = 1 << (irq.intid % BITS_PER_BYTE)
    const pending = (byte & bit) !== 0
    state.setLpiPending(irq, pending)
    if (pending) memory.writeByte(at, byte & ~bit)
    return true
  }

  /** Its pending table decides for every LPI of a CPU, up to where it leaves RAM: its_sync_lpi_pending_table(). */
  private readPending(cpu: number): void {
    const { memory, state, effort } = this.o
    effort.spend(state.lpiPlaces)
    let inRam = true
    state.batch(() =>
      state.forEachLpi((irq) => {
        const byte = inRam ? memory.readByte(this.pendingByteOf(cpu, irq.intid)) : undefined
        inRam = byte !== undefined
        if (byte !== undefined && irq.target === cpu) {
          state.setLpiPending(irq, (byte & (1 << (irq.intid % BITS_PER_BYTE))) !== 0)
        }
      }),
    )
  }

  /** KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES: vgic_v3_save_pending_tables(). */
  savePending(): Refusal | undefined {
    const { memory, state } = this.o
    let outside: number | undefined
    state.forEachLpi((irq) => {
      if (irq.target === NONE || outside !== undefined) return
      const at = this.pendingByteOf(irq.target, irq.intid)
      const byte = memory.readByte(at)
      if (byte === undefined) {
        outside = at
        return
      }
      const bit = 1 << (irq.intid % BITS_PER_BYTE)
      memory.writeByte(at, irq.latch ? byte | bit : byte & ~bit)
    })
    return outside === undefined
      ? undefined
      : refuse(
          'EFAULT',
          `The pending table at 0x${outside.toString(16)} is not in RAM.`,
          'arch/arm64/kvm/vgic/vgic-v3.c: vgic_v3_save_pending_tables()',
        )
  }
}
