/** An ITS's registers, as a guest and as userspace has them (arch/arm64/kvm/vgic/vgic-its.c: its_registers). */
import { PIDR2_GICV3 } from '../../../pure/arch/gic/identification.ts'
import { GITS_CTLR, GITS_IIDR, GITS_TYPER, gitsFrame } from '../../../pure/arch/gic/gits.ts'
import type { GitsName } from '../../../pure/arch/gic/gits.ts'
import { IIDR_VALUES } from '../../../pure/arch/gic/iidr.ts'
import { ENTRY_BYTES } from '../../../pure/arch/gic/its-tables.ts'
import { decodeField, encodeRegister, registerAt } from '../../../pure/arch/register.ts'
import type { Register } from '../../../pure/arch/register.ts'
import { refuse } from '../../../pure/rules/points.ts'
import type { Refusal } from '../../../pure/rules/points.ts'
import { DONE, readHalf, RegisterFrame, replaceHalf } from '../register-frame.ts'
import type { Access, Handler, Written } from '../register-frame.ts'
import { EVENT_ID_BITS } from './commands.ts'
import { TABLE_ID_BITS } from './guest-tables.ts'
import type { Its, TableName } from './its.ts'

const SOURCE = 'arch/arm64/kvm/vgic/vgic-its.c'
/** The layout of the tables that KVM saves. There is one. */
const ABI_REVISION = 0

const IIDR = encodeRegister(GITS_IIDR, { ...IIDR_VALUES, Revision: ABI_REVISION })

const TYPER = encodeRegister(GITS_TYPER, {
  Physical: 1,
  ITT_entry_size: ENTRY_BYTES - 1,
  ID_bits: EVENT_ID_BITS - 1,
  Devbits: TABLE_ID_BITS - 1,
})

/** Which GITS_BASER<n> is which table; the others are not there. */
const TABLES: readonly TableName[] = ['devices', 'collections']
const tableAt = ({ offset }: Access): TableName | undefined => TABLES[Math.floor(offset / 8)]

/** vgic_mmio_read_its_idregs(): an Arm ITS with a page of 64 KiB that software sees. */
const ID_REGISTERS = {
  GITS_PIDR0: 0x92n,
  GITS_PIDR1: 0xb4n,
  GITS_PIDR2: PIDR2_GICV3,
  GITS_PIDR4: 0x40n,
  GITS_CIDR0: 0x0dn,
  GITS_CIDR1: 0xf0n,
  GITS_CIDR2: 0x05n,
  GITS_CIDR3: 0xb1n,
} as const satisfies Partial<Record<GitsName, bigint>>

const setIidr = (value: bigint): Written => {
  const revision = Number(decodeField(GITS_IIDR, 'Revision', value))
  return revision === ABI_REVISION
    ? DONE
    : refuse(
        'EINVAL',
        `GITS_IIDR.Revision ${revision} is not a layout of tables this KVM knows.`,
        `${SOURCE}: vgic_mmio_uaccess_write_its_iidr()`,
      )
}

const handlersOf = (its: Its): Partial<Record<GitsName, Handler>> => ({
  GITS_CTLR: {
    read: () => encodeRegister(GITS_CTLR, { Enabled: its.enabled, Quiescent: its.quiescent }),
    write: (_, value) => its.setEnabled(decodeField(GITS_CTLR, 'Enabled', value) === 1n),
  },
  GITS_IIDR: { read: () => IIDR, userWrite: (_, value) => setIidr(value) },
  GITS_TYPER: { read: (access) => readHalf(TYPER, access) },
  GITS_CBASER: {
    read: (access) => readHalf(its.cbaser, access),
    write: (access, value) => its.setCbaser(replaceHalf(its.cbaser, access, value)),
  },
  GITS_CWRITER: {
    read: (access) => readHalf(its.cwriter, access),
    write: (access, value) => its.setCwriter(replaceHalf(its.cwriter, access, value)),
  },
  GITS_CREADR: { read: (access) => readHalf(its.creadr, access), userWrite: (_, value) => its.setCreadr(value) },
  GITS_BASER: {
    read: (access) => {
      const table = tableAt(access)
      return table === undefined ? 0n : readHalf(its.baser(table), access)
    },
    write: (access, value) => {
      const table = tableAt(access)
      if (table !== undefined) its.setBaser(table, replaceHalf(its.baser(table), access, value))
    },
  },
  ...Object.fromEntries(Object.entries(ID_REGISTERS).map(([name, value]) => [name, { read: () => value }])),
})

/** Userspace has 64-bit registers whole and all others as words. */
const isWhole = ({ access }: Register): boolean => access.some((width) => width === 8)

export class ItsRegisters {
  readonly frame: RegisterFrame<GitsName>
  private readonly handlers: ReadonlyMap<string, Handler | undefined>

  constructor(its: Its) {
    const handlers = handlersOf(its)
    this.frame = new RegisterFrame(gitsFrame, handlers, 0)
    this.handlers = new Map(Object.entries(handlers))
  }

  /** Whether KVM_HAS_DEVICE_ATTR knows the offset: vgic_its_has_attr_regs(). */
  has(offset: number): Refusal | undefined {
    const register = this.reach(offset)
    return 'ok' in register ? register : undefined
  }

  userRead(offset: number): Refusal | { readonly ok: true; readonly value: bigint } {
    const register = this.reach(offset)
    if ('ok' in register) return register
    return { ok: true, value: this.frame.read(offset, isWhole(register) ? 8 : 4, 0) }
  }

  userWrite(offset: number, value: bigint): Written {
    const register = this.reach(offset)
    if ('ok' in register) return register
    const handler = this.handlers.get(register.name)
    const access: Access = { offset: offset - register.offset, width: isWhole(register) ? 8 : 4, cpu: 0, intid: 0 }
    if (handler?.userWrite !== undefined) return handler.userWrite(access, value)
    handler?.write?.(access, value)
    return DONE
  }

  private reach(offset: number): Register | Refusal {
    const register = registerAt(gitsFrame, offset)
    const align = offset >= GITS_TYPER.offset && offset < ID_REGISTERS_FROM ? 8 : 4
    const source = `${SOURCE}: vgic_its_attr_regs_access()`
    const at = `0x${offset.toString(16)}`
    if (offset % align !== 0) return refuse('EINVAL', `${at} is not a multiple of ${align}.`, source)
    return register ?? refuse('ENXIO', `An ITS has no register at ${at}.`, source)
  }
}

const ID_REGISTERS_FROM = 0xffd0
