/** The commands of an ITS (GIC architecture IHI 0069, 5.3): four doublewords each, in a ring that software writes. */

/** Bytes of a command. */
export const COMMAND_BYTES = 32

/** A command as it lies in memory. */
export type CommandWords = readonly [bigint, bigint, bigint, bigint]

interface CommandField {
  readonly name: string
  /** Which doubleword, and the field's lowest bit in it. */
  readonly word: 0 | 1 | 2 | 3
  readonly lsb: number
  readonly width: number
  /** What the field's number means: that many to the left, and this much more. */
  readonly shift?: number
  readonly plus?: number
  readonly as?: 'hex'
}

const DeviceID = { name: 'DeviceID', word: 0, lsb: 32, width: 32, as: 'hex' } as const
const EventID = { name: 'EventID', word: 1, lsb: 0, width: 32 } as const
const pINTID = { name: 'pINTID', word: 1, lsb: 32, width: 32 } as const
const ICID = { name: 'ICID', word: 2, lsb: 0, width: 16 } as const
const V = { name: 'V', word: 2, lsb: 63, width: 1 } as const
/** A processor number, as GITS_TYPER.PTA = 0 has it; the architecture's field has three more bits for an address. */
const RDbase = { name: 'RDbase', word: 2, lsb: 16, width: 32 } as const
const RDbase2 = { name: 'RDbase2', word: 3, lsb: 16, width: 32 } as const
/** Bits of an EventID that the table has room for. */
const Size = { name: 'Size', word: 1, lsb: 0, width: 5, plus: 1 } as const
const ITT_addr = { name: 'ITT_addr', word: 2, lsb: 8, width: 44, shift: 8, as: 'hex' } as const

interface CommandRow {
  /** Bits 7:0 of the first doubleword. */
  readonly code: number
  readonly title: string
  readonly fields: readonly CommandField[]
}

/** `V` = 0 turns a mapping into its opposite. */
export const ITS_COMMANDS = {
  MAPD: {
    code: 0x08,
    title: "maps a device to its table of events' translations",
    fields: [DeviceID, Size, ITT_addr, V],
  },
  MAPC: { code: 0x09, title: 'maps a collection to a redistributor', fields: [ICID, RDbase, V] },
  MAPTI: {
    code: 0x0a,
    title: 'translates an event to an LPI of a collection',
    fields: [DeviceID, EventID, pINTID, ICID],
  },
  MAPI: { code: 0x0b, title: 'translates an event to the LPI of the same number', fields: [DeviceID, EventID, ICID] },
  MOVI: { code: 0x01, title: 'moves an event to another collection', fields: [DeviceID, EventID, ICID] },
  MOVALL: { code: 0x0e, title: 'moves the LPIs of one redistributor to another', fields: [RDbase, RDbase2] },
  DISCARD: { code: 0x0f, title: 'forgets the translation of an event', fields: [DeviceID, EventID] },
  INV: { code: 0x0c, title: "reads an LPI's configuration again", fields: [DeviceID, EventID] },
  INVALL: { code: 0x0d, title: "reads the configuration of a collection's LPIs again", fields: [ICID] },
  INT: { code: 0x03, title: 'makes an event happen', fields: [DeviceID, EventID] },
  CLEAR: { code: 0x04, title: 'takes the pending state from an event', fields: [DeviceID, EventID] },
  SYNC: { code: 0x05, title: 'waits for what was told a redistributor', fields: [RDbase] },
} as const satisfies Record<string, CommandRow>

export type ItsCommandName = keyof typeof ITS_COMMANDS

/** What the fields of a command mean: numbers, addresses, 0 and 1. */
export type CommandValues<Name extends ItsCommandName> = Readonly<
  Record<(typeof ITS_COMMANDS)[Name]['fields'][number]['name'], number>
>

const rowOf = (name: ItsCommandName): CommandRow => ITS_COMMANDS[name]

const CODE_MASK = 0xffn

const byCode: ReadonlyMap<number, ItsCommandName> = new Map(
  Object.keys(ITS_COMMANDS)
    .filter((name): name is ItsCommandName => Object.hasOwn(ITS_COMMANDS, name))
    .map((name) => [ITS_COMMANDS[name].code, name]),
)

/** `undefined`: not a command of a GICv3's ITS. */
export const commandName = (words: CommandWords): ItsCommandName | undefined => byCode.get(Number(words[0] & CODE_MASK))

/** One field of a command, whichever command it is. */
const valueOf = (words: CommandWords, { word, lsb, width, shift = 0, plus = 0 }: CommandField): number =>
  Number(((words[word] >> BigInt(lsb)) & ((1n << BigInt(width)) - 1n)) << BigInt(shift)) + plus

const fieldOf = (name: ItsCommandName, field: string): CommandField => {
  const found = rowOf(name).fields.find((one) => one.name === field)
  if (found === undefined) throw new Error(`${name} has no field ${field}`)
  return found
}

export const commandValue = <Name extends ItsCommandName>(
  name: Name,
  field: keyof CommandValues<Name> & string,
  words: CommandWords,
): number => valueOf(words, fieldOf(name, field))

/** The command as software writes it. A value that does not fit its field is a mistake. */
export const encodeCommand = <Name extends ItsCommandName>(name: Name, values: CommandValues<Name>): CommandWords => {
  const words: [bigint, bigint, bigint, bigint] = [BigInt(rowOf(name).code), 0n, 0n, 0n]
  for (const [key, value] of Object.entries<number>(values)) {
    const { word, lsb, width, shift = 0, plus = 0 } = fieldOf(name, key)
    const raw = BigInt(value - plus)
    const part = raw >> BigInt(shift)
    if (raw < 0n || part >> BigInt(width) !== 0n || part << BigInt(shift) !== raw) {
      throw new Error(`${name}.${key} = ${value} does not fit`)
    }
    words[word] |= part << BigInt(lsb)
  }
  return words
}

/** `MAPTI DeviceID 0x10, EventID 3, pINTID 8195, ICID 1`. */
export const commandText = (words: CommandWords): string => {
  const name = commandName(words)
  if (name === undefined) return `no command 0x${(words[0] & CODE_MASK).toString(16)}`
  const fields = rowOf(name).fields.map((field) => {
    const value = valueOf(words, field)
    return `${field.name} ${field.as === 'hex' ? `0x${value.toString(16)}` : value}`
  })
  return `${name} ${fields.join(', ')}`
}

/** Why a command does nothing: the architecture's command errors (5.3, each command's own) and those of the emulation. */
export const ITS_ERRORS = {
  MAPD_DEVICE_OOR: 'the device table has no room for this DeviceID',
  MAPD_ITTSIZE_OOR: 'EventIDs cannot have so many bits',
  MAPC_PROCNUM_OOR: 'there is no such redistributor',
  MAPC_COLLECTION_OOR: 'the collection table has no room for this collection',
  MAPTI_UNMAPPED_DEVICE: 'the device is not mapped',
  MAPTI_ID_OOR: "the device's table has no room for this EventID",
  MAPTI_PHYSICALID_OOR: 'there is no such LPI',
  MOVI_UNMAPPED_INTERRUPT: 'the event is not mapped',
  MOVI_UNMAPPED_COLLECTION: 'a collection is not mapped',
  MOVALL_PROCNUM_OOR: 'there is no such redistributor',
  DISCARD_UNMAPPED_INTERRUPT: 'the event or its collection is not mapped',
  INV_UNMAPPED_INTERRUPT: 'the event is not mapped',
  INVALL_UNMAPPED_COLLECTION: 'the collection is not mapped',
  INT_UNMAPPED_INTERRUPT: 'the event or its collection is not mapped',
  CLEAR_UNMAPPED_INTERRUPT: 'the event is not mapped',
  NO_COMMAND: 'an ITS of a GICv3 has no such command',
  NOT_ENABLED: 'the ITS, or LPIs at the redistributor, are not enabled',
  NOT_IN_RAM: 'a table lies outside RAM',
  TOO_MANY: 'so many events are translated already that KVM would be out of memory',
} as const satisfies Record<string, string>

export type ItsError = keyof typeof ITS_ERRORS

const isItsError = (name: string): name is ItsError => Object.hasOwn(ITS_ERRORS, name)
export const ITS_ERROR_NAMES: readonly ItsError[] = Object.keys(ITS_ERRORS).filter(isItsError)
