/** A virtio device behind MMIO (Virtual I/O Device specification 1.2, 4.2.2): what is there whether or not a device is. */
import { registerFrame, WORD } from '../register.ts'
import type { Register } from '../register.ts'

/** Bytes of a slot. */
export const VIRTIO_MMIO_SIZE = 0x200

export const virtioMmio = [
  { name: 'MagicValue', offset: 0x00, size: 4, access: WORD },
  { name: 'Version', offset: 0x04, size: 4, access: WORD },
  { name: 'DeviceID', offset: 0x08, size: 4, access: WORD },
  { name: 'VendorID', offset: 0x0c, size: 4, access: WORD },
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
