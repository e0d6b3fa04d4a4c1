import { describe, expect, it } from 'vitest'
import { Pl011 } from './pl011.ts'

const DR = 0x00
const FR = 0x18
const LCR_H = 0x2c
const CR = 0x30
const IFLS = 0x34
const IMSC = 0x38
const RIS = 0x3c
const MIS = 0x40
const ICR = 0x44

const make = () => {
  const sent: number[] = []
  const edges: boolean[] = []
  const uart = new Pl011({
    base: 0x0900_0000,
    irq: { set: (level) => edges.push(level) },
    transmit: (bytes) => sent.push(...bytes),
  })
  return {
    uart,
    edges,
    text: () => String.fromCharCode(...sent),
    type: (text: string) => uart.receive(new TextEncoder().encode(text)),
    read: (offset: number, width: 1 | 2 | 4 = 4) => Number(uart.read(offset, width)),
    write: (offset: number, value: number, width: 1 | 2 | 4 = 4) => uart.write(offset, width, BigInt(value)),
  }
}

/** What drivers/tty/serial/amba-pl011.c sets up: 8 bits with FIFOs, enabled, receive interrupts. */
const linux = () => {
  const u = make()
  u.write(LCR_H, 0x70)
  u.write(CR, 0x301)
  u.write(IMSC, 0x50)
  return u
}

const drain = (u: ReturnType<typeof make>): string => {
  let text = ''
  while ((u.read(FR) & 0x10) === 0) text += String.fromCharCode(u.read(DR) & 0xff)
  return text
}

describe('the PL011', () => {
  it('identifies itself as a PrimeCell of revision 1', () => {
    const u = make()
    const bytes = Array.from({ length: 8 }, (_, i) => u.read(0xfe0 + 4 * i))
    expect(bytes).toEqual([0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1])
  })

  it('sends at once, whatever the width', () => {
    const u = make()
    u.write(DR, 0x48, 1)
    u.write(DR, 0x69, 2)
    u.write(DR, 0x21)
    expect(u.text()).toBe('Hi!')
    expect(u.read(FR, 2)).toBe(0x90)
  })

  it('interrupts when it can send more, until that is cleared or masked', () => {
    const u = linux()
    u.write(IMSC, 0x70)
    expect(u.read(RIS)).toBe(0)
    u.write(DR, 0x41)
    expect([u.read(MIS), u.edges]).toEqual([0x20, [true]])
    u.write(DR, 0x42)
    expect(u.edges).toEqual([true])
    u.write(ICR, 0x20)
    expect([u.read(RIS), u.edges]).toEqual([0, [true, false]])
  })

  it('interrupts for a single byte, until it is read', () => {
    const u = linux()
    u.type('x')
    expect([u.read(MIS), u.edges]).toEqual([0x40, [true]])
    expect(u.read(DR)).toBe(0x78)
    expect([u.read(MIS), u.edges, u.read(FR)]).toEqual([0, [true, false], 0x90])
  })

  it('interrupts at the trigger level that UARTIFLS sets', () => {
    const u = linux()
    u.write(IFLS, 0)
    u.type('x')
    expect(u.read(RIS) & 0x10).toBe(0)
    u.type('y')
    expect(u.read(RIS) & 0x10).toBe(0x10)
    u.read(DR)
    expect(u.read(RIS) & 0x10).toBe(0)
  })

  it('keeps all that is typed, however much', () => {
    const u = linux()
    const text = 'a line that is much longer than the sixteen bytes of the FIFO, typed at once'
    u.type(text)
    expect(u.read(FR) & 0x40).toBe(0x40)
    expect(u.read(RIS) & 0x400).toBe(0)
    expect(drain(u)).toBe(text)
    expect(u.edges).toEqual([true, false])
  })

  it('holds one byte without FIFOs, and nothing while the receiver is off', () => {
    const u = make()
    u.type('ab')
    expect(u.read(FR) & 0x50).toBe(0x40)
    expect(drain(u)).toBe('ab')
    u.write(CR, 0x101)
    u.type('c')
    expect(u.read(FR) & 0x10).toBe(0x10)
    u.write(CR, 0x301)
    expect(drain(u)).toBe('c')
  })

  it('hears itself in loopback', () => {
    const u = linux()
    u.write(CR, 0x381)
    u.write(DR, 0x5a)
    expect([drain(u), u.text()]).toEqual(['Z', ''])
  })

  it('keeps what is written to its settings, as far as they have bits', () => {
    const u = make()
    for (const offset of [0x20, 0x24, 0x28, LCR_H, CR, IFLS, IMSC, 0x48]) u.write(offset, 0xffff_ffff)
    expect([0x20, 0x24, 0x28, LCR_H, IFLS, IMSC, 0x48].map((offset) => u.read(offset))).toEqual([
      0xff, 0xffff, 0x3f, 0xff, 0x3f, 0x7ff, 7,
    ])
  })
})
