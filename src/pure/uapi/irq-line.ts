/** KVM_IRQ_LINE's irq field (Documentation/virt/kvm/api.rst, 4.25). */

/** KVM_ARM_IRQ_TYPE_*. */
export const IRQ_TYPE = { CPU: 0, SPI: 1, PPI: 2 } as const

/** vcpu2_index counts in these steps. */
const VCPU_STEP = 256

export const irqLineFields = (
  irq: number,
): { readonly type: number; readonly vcpu: number; readonly number: number } => ({
  type: (irq >>> 24) & 0xf,
  vcpu: ((irq >>> 28) & 0xf) * VCPU_STEP + ((irq >>> 16) & 0xff),
  number: irq & 0xffff,
})

export const encodeIrqLine = (type: number, vcpu: number, number: number): number =>
  ((Math.floor(vcpu / VCPU_STEP) << 28) | (type << 24) | ((vcpu % VCPU_STEP) << 16) | number) >>> 0
