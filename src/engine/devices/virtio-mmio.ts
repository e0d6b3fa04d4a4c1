/** The slots for virtio devices that QEMU's `virt` machine has, all empty: a guest that looks finds device 0 and goes on. */
import { EMPTY_SLOT, VIRTIO_MMIO_SIZE, virtioMmioFrame } from '../../pure/arch/devices/virtio-mmio.ts'
import { registerAt } from '../../pure/arch/register.ts'
import type { AccessWidth, MmioRegion } from '../bus/device.ts'

const values: ReadonlyMap<string, number> = new Map(Object.entries(EMPTY_SLOT))

export class EmptyVirtioSlots implements MmioRegion {
  readonly name = 'virtio-mmio'
  readonly base: number
  readonly size: number
  readonly registers = { frame: 'VIRTIO', stride: VIRTIO_MMIO_SIZE } as const

  /** As many slots as `count`, one behind the other. */
  constructor(base: number, count: number) {
    this.base = base
    this.size = count * VIRTIO_MMIO_SIZE
  }

  read(offset: number, width: AccessWidth): bigint {
    const register = registerAt(virtioMmioFrame, offset % VIRTIO_MMIO_SIZE)
    if (register === undefined || width !== 4) return 0n
    return BigInt(values.get(register.name) ?? 0)
  }

  /** Nobody is there whom it could tell anything. */
  write(): void {}
}
