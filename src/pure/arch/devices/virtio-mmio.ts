/** A virtio device behind MMIO (Virtual I/O Device specification 1.2, 4.2.2): what is there whether or not a device is. */
import { registerFrame, WORD } from '../register.ts'
import type { Field, Register } from '../register.ts'

/** Bytes of a slot. */
export const VIRTIO_MMIO_SIZE = 0x200

/** Four letters in a word, the first in its lowest byte. */
const letters: Field['text'] = (value) =>
  `"${String.fromCharCode(...[0n, 8n, 16n, 24n].map((shift) => Number((value >> shift) & 0xffn)))}"`
const whole = (text: Field['text'] & {}): readonly Field[] => [{ name: 'Value', lsb: 0, width: 32, text }]

export const virtioMmio = [
  { name: 'MagicValue', offset: 0x00, size: 4, access: WORD, fields: whole(letters) },
  {
    name: 'Version',
    offset: 0x04,
    size: 4,
    access: WORD,
    fields: whole((value) => (value === 1n ? 'legacy interface' : `version ${value}`)),
  },
  {
    name: 'DeviceID',
    offset: 0x08,
    size: 4,
    access: WORD,
    fields: whole((value) => (value === 0n ? 'no device' : `device ${value}`)),
  },
  { name: 'VendorID', offset: 0x0c, size: 4, access: WORD, fields: whole(letters) },
] as const satisfies readonly Register[]

export type VirtioMmioName = (typeof virtioMmio)[number]['name']

export const virtioMmioFrame = registerFrame(virtioMmio)

/** `virt` and `QEMU` as text; version 1 is the legacy interface, and device 0 none. */
export const EMPTY_SLOT: Readonly<Record<VirtioMmioName, number>> = {
  MagicValue: 0x7472_6976,
  Version: 1,
  DeviceID: 0,
  VendorID: 0x554d_4551,
}
