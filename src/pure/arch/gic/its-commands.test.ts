import { describe, expect, it } from 'vitest'
import { commandName, commandText, commandValue, encodeCommand, ITS_COMMANDS } from './its-commands.ts'
import type { CommandWords } from './its-commands.ts'

const V = 1n << 63n

/** IHI 0069, 5.3: the figure of each command, filled in by hand. */
const FIGURES: readonly (readonly [CommandWords, CommandWords, string])[] = [
  [
    encodeCommand('MAPD', { DeviceID: 0x10, Size: 5, ITT_addr: 0x4020_0100, V: 1 }),
    [0x0000_0010_0000_0008n, 4n, V | 0x4020_0100n, 0n],
    'MAPD DeviceID 0x10, Size 5, ITT_addr 0x40200100, V 1',
  ],
  [encodeCommand('MAPC', { ICID: 3, RDbase: 2, V: 1 }), [0x09n, 0n, V | 0x2_0003n, 0n], 'MAPC ICID 3, RDbase 2, V 1'],
  [
    encodeCommand('MAPTI', { DeviceID: 1, EventID: 6, pINTID: 8193, ICID: 3 }),
    [0x1_0000_000an, 0x2001_0000_0006n, 3n, 0n],
    'MAPTI DeviceID 0x1, EventID 6, pINTID 8193, ICID 3',
  ],
  [
    encodeCommand('MAPI', { DeviceID: 1, EventID: 8193, ICID: 3 }),
    [0x1_0000_000bn, 8193n, 3n, 0n],
    'MAPI DeviceID 0x1, EventID 8193, ICID 3',
  ],
  [
    encodeCommand('MOVI', { DeviceID: 1, EventID: 6, ICID: 4 }),
    [0x1_0000_0001n, 6n, 4n, 0n],
    'MOVI DeviceID 0x1, EventID 6, ICID 4',
  ],
  [encodeCommand('MOVALL', { RDbase: 1, RDbase2: 2 }), [0x0en, 0n, 0x1_0000n, 0x2_0000n], 'MOVALL RDbase 1, RDbase2 2'],
  [
    encodeCommand('DISCARD', { DeviceID: 1, EventID: 6 }),
    [0x1_0000_000fn, 6n, 0n, 0n],
    'DISCARD DeviceID 0x1, EventID 6',
  ],
  [encodeCommand('INV', { DeviceID: 1, EventID: 6 }), [0x1_0000_000cn, 6n, 0n, 0n], 'INV DeviceID 0x1, EventID 6'],
  [encodeCommand('INVALL', { ICID: 3 }), [0x0dn, 0n, 3n, 0n], 'INVALL ICID 3'],
  [encodeCommand('INT', { DeviceID: 1, EventID: 6 }), [0x1_0000_0003n, 6n, 0n, 0n], 'INT DeviceID 0x1, EventID 6'],
  [encodeCommand('CLEAR', { DeviceID: 1, EventID: 6 }), [0x1_0000_0004n, 6n, 0n, 0n], 'CLEAR DeviceID 0x1, EventID 6'],
  [encodeCommand('SYNC', { RDbase: 1 }), [0x05n, 0n, 0x1_0000n, 0n], 'SYNC RDbase 1'],
]

describe('the commands of an ITS', () => {
  it.each(FIGURES)('lie in memory as in their figure: %s', (encoded, figure, text) => {
    expect(encoded).toEqual(figure)
    expect(commandText(figure)).toBe(text)
  })

  it('are all here', () => {
    expect(FIGURES.map(([words]) => commandName(words)).toSorted()).toEqual(Object.keys(ITS_COMMANDS).toSorted())
  })

  it('take no more than their fields hold', () => {
    expect(() => encodeCommand('MAPD', { DeviceID: 0, Size: 0, ITT_addr: 0, V: 1 })).toThrow('does not fit')
    expect(() => encodeCommand('MAPD', { DeviceID: 0, Size: 1, ITT_addr: 0x80, V: 1 })).toThrow('does not fit')
    expect(() => encodeCommand('INVALL', { ICID: 0x1_0000 })).toThrow('does not fit')
    expect(commandValue('MAPD', 'ITT_addr', [8n, 0n, (1n << 52n) - 1n, 0n])).toBe(2 ** 52 - 256)
  })

  it('of a GICv4 are none here', () => {
    expect(commandName([0x29n, 0n, 0n, 0n])).toBeUndefined()
    expect(commandText([0x29n, 0n, 0n, 0n])).toBe('no command 0x29')
  })
})
