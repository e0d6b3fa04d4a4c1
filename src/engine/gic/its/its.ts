/**
 * One Interrupt Translation Service: its registers' values, its ring of commands, and messages that arrive
 * (GIC architecture IHI 0069, chapter 5; arch/arm64/kvm/vgic/vgic-its.c).
 */
import { GITS_BASER, GITS_CBASER, GITS_CREADR, PAGE_SIZE_64K, TABLE_TYPE } from '../../../pure/arch/gic/gits.ts'
import { COMMAND_BYTES } from '../../../pure/arch/gic/its-commands.ts'
import type { CommandWords, ItsError } from '../../../pure/arch/gic/its-commands.ts'
import { ENTRY_BYTES } from '../../../pure/arch/gic/its-tables.ts'
import { decodeField, encodeRegister } from '../../../pure/arch/register.ts'
import { refuse } from '../../../pure/rules/points.ts'
import type { VgicRules } from '../../../pure/rules/points.ts'
import type { Clock } from '../../bus/clock.ts'
import type { GuestMemory } from '../../bus/guest-memory.ts'
import type { TraceSink } from '../../bus/trace-sink.ts'
import type { Effort } from '../effort.ts'
import { DONE } from '../register-frame.ts'
import type { Written } from '../register-frame.ts'
import { fieldsMask, initialAttributes, supportedAttributes } from '../table-attributes.ts'
import { resolve, runCommand } from './commands.ts'
import type { CommandContext } from './commands.ts'
import { tableOf } from './guest-tables.ts'
import { Translations } from './translation.ts'
import type { LpiWorld } from './translation.ts'

/** How much of a ring is worked off before others have their turn: more commands than Linux ever has waiting. */
const EFFORT_A_GO = 1 << 17
/** GITS_CBASER.Size counts pages of 4 KiB, whatever the pages of the tables are. */
const RING_PAGE_BYTES = 0x1000
/** The ring starts at a multiple of 64 KiB: vgic_sanitise_its_cbaser(). */
const RING_ALIGN_MASK = 0xf000n
const OFFSET_MASK = fieldsMask(GITS_CREADR, ['Offset'])
const RING_ADDRESS_MASK = fieldsMask(GITS_CBASER, ['Physical_Address'])

export type TableName = 'devices' | 'collections'

const READ_ONLY = fieldsMask(GITS_BASER, ['Type', 'Entry_Size', 'Page_Size'])
const INDIRECT = fieldsMask(GITS_BASER, ['Indirect'])

/** What a GITS_BASER<n> says whatever software writes. */
const fixedPart = (table: TableName): bigint =>
  encodeRegister(GITS_BASER, { Type: TABLE_TYPE[table], Entry_Size: ENTRY_BYTES - 1, Page_Size: PAGE_SIZE_64K })

const valid = (register: typeof GITS_BASER | typeof GITS_CBASER, value: bigint): boolean =>
  decodeField(register, 'Valid', value) === 1n

export interface ItsOptions {
  readonly rules: VgicRules
  readonly memory: GuestMemory
  readonly clock: Clock
  readonly effort: Effort
  /** The VM's LPIs; `undefined` before its vGIC is initialised, when there is nobody to interrupt. */
  readonly world: () => LpiWorld | undefined
  /** The index of the CPU that an RDbase names. */
  readonly cpuOf: (rdbase: number) => number | undefined
  readonly event: () => TraceSink | undefined
}

export class Its {
  readonly translations: Translations
  readonly memory: GuestMemory
  private readonly o: ItsOptions
  private readonly context: CommandContext
  private isEnabled = false
  private ring = 0n
  private readonly tables: Record<TableName, bigint>
  /** Offsets in the ring. */
  private readAt = 0
  private writeAt = 0
  private continues = false

  constructor(o: ItsOptions) {
    this.o = o
    this.memory = o.memory
    this.tables = {
      devices: fixedPart('devices') | initialAttributes(GITS_BASER),
      collections: fixedPart('collections') | initialAttributes(GITS_BASER),
    }
    const world = (): LpiWorld => {
      const there = o.world()
      if (there === undefined) throw new Error('an ITS was to act on a vGIC that is not initialised')
      return there
    }
    this.translations = new Translations(world, o.cpuOf)
    this.context = {
      memory: o.memory,
      effort: o.effort,
      translations: this.translations,
      world,
      enabled: () => this.isEnabled,
      devices: () => tableOf(this.tables.devices),
      collections: () => tableOf(this.tables.collections),
      cpuOf: o.cpuOf,
    }
  }

  get enabled(): boolean {
    return this.isEnabled
  }

  get quiescent(): boolean {
    return this.readAt === this.writeAt
  }

  /** Not without memory for the ring and both tables: vgic_mmio_write_its_ctlr(). */
  setEnabled(enabled: boolean): void {
    const { devices, collections } = this.tables
    const equipped = valid(GITS_BASER, devices) && valid(GITS_BASER, collections) && valid(GITS_CBASER, this.ring)
    if (enabled && !this.isEnabled && !equipped) return
    this.isEnabled = enabled
    this.process()
  }

  get cbaser(): bigint {
    return this.ring
  }

  /** Ignored while the ITS is enabled; else the ring is empty afterwards. */
  setCbaser(value: bigint): void {
    if (this.isEnabled) return
    this.ring = supportedAttributes(GITS_CBASER, value) & ~RING_ALIGN_MASK
    this.readAt = 0
    this.writeAt = 0
  }

  get cwriter(): bigint {
    return BigInt(this.writeAt)
  }

  /** Beyond the ring's end: ignored. */
  setCwriter(value: bigint): void {
    const offset = Number(value & OFFSET_MASK)
    if (offset >= this.ringBytes) return
    this.writeAt = offset
    this.process()
  }

  get creadr(): bigint {
    return BigInt(this.readAt)
  }

  /** Userspace's alone. */
  setCreadr(value: bigint): Written {
    const source = 'arch/arm64/kvm/vgic/vgic-its.c: vgic_mmio_uaccess_write_its_creadr()'
    if (this.isEnabled) return refuse('EBUSY', 'GITS_CREADR cannot be set while the ITS is enabled.', source)
    const offset = Number(value & OFFSET_MASK)
    if (offset >= this.ringBytes) {
      return refuse('EINVAL', `GITS_CREADR 0x${offset.toString(16)} lies beyond the ring of commands.`, source)
    }
    this.readAt = offset
    return DONE
  }

  baser(table: TableName): bigint {
    return this.tables[table]
  }

  /** Ignored while the ITS is enabled. Without Valid it forgets what it was told of this table; with another value, by the rules. */
  setBaser(table: TableName, value: bigint): void {
    if (this.isEnabled) return
    const kept = value & ~READ_ONLY & (table === 'collections' ? ~INDIRECT : -1n)
    const before = this.tables[table]
    const after = supportedAttributes(GITS_BASER, kept) | fixedPart(table)
    this.tables[table] = after
    const changed = after !== before && this.o.rules.itsForgets.decide() === 'changed'
    if (changed || !valid(GITS_BASER, after)) this.forget(table)
  }

  private forget(table: TableName): void {
    const { translations } = this
    this.o.effort.spend(translations.count)
    if (table === 'devices') translations.clearDevices()
    else translations.clearCollections()
  }

  /** KVM_DEV_ARM_ITS_CTRL_RESET: vgic_its_reset(). */
  reset(): void {
    const VALID = fieldsMask(GITS_BASER, ['Valid'])
    this.tables.devices &= ~VALID
    this.tables.collections &= ~VALID
    this.ring = 0n
    this.readAt = 0
    this.writeAt = 0
    this.isEnabled = false
    this.forget('devices')
    this.forget('collections')
  }

  /** A device's message: EventID `event` of device `device`. The error, if it ends here. */
  message(device: number, event: number): ItsError | undefined {
    const world = this.o.world()
    const irq = world === undefined ? 'NOT_ENABLED' : resolve(this.context, device, event)
    const failed = typeof irq === 'string' ? irq : undefined
    this.o.event()?.({
      kind: 'message',
      device,
      event,
      intid: typeof irq === 'string' ? 0 : irq.intid,
      failed: failed ?? 'none',
    })
    if (typeof irq !== 'string') world?.state.pend(irq)
    return failed
  }

  private get ringBytes(): number {
    return (Number(decodeField(GITS_CBASER, 'Size', this.ring)) + 1) * RING_PAGE_BYTES
  }

  /** Works off the ring; what is too much for one go, in the turns that follow: vgic_its_process_commands(). */
  private process(): void {
    if (this.o.world() === undefined || this.continues) return
    const { clock, effort } = this.o
    const end = effort.taken + EFFORT_A_GO
    while (this.isEnabled && this.readAt !== this.writeAt) {
      if (effort.taken >= end) {
        this.continues = true
        clock.schedule(clock.now() + 1, () => {
          this.continues = false
          this.process()
        })
        return
      }
      effort.spend(1)
      const words = this.commandAt(Number(this.ring & RING_ADDRESS_MASK) + this.readAt)
      if (words !== undefined) this.run(words)
      this.readAt += COMMAND_BYTES
      if (this.readAt === this.ringBytes) this.readAt = 0
    }
  }

  /** A command outside RAM is passed over. */
  private commandAt(address: number): CommandWords | undefined {
    const word = (index: number): bigint | undefined => this.memory.readDoubleword(address + index * 8)
    const [a, b, c, d] = [word(0), word(1), word(2), word(3)]
    return a === undefined || b === undefined || c === undefined || d === undefined ? undefined : [a, b, c, d]
  }

  private run(words: CommandWords): void {
    const failed = runCommand(this.context, words)
    this.o.event()?.({
      kind: 'itsCommand',
      word0: words[0],
      word1: words[1],
      word2: words[2],
      word3: words[3],
      failed: failed ?? 'none',
    })
  }
}
