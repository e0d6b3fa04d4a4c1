/** KVM_IRQFD's flags (Documentation/virt/kvm/api.rst, 4.75), and what a GSI stands for. */
import { FIRST_SPI } from '../arch/intid.ts'

export const IRQFD = { DEASSIGN: 1, RESAMPLE: 2 } as const

/** kvm_vgic_setup_default_irq_routing(): pin after pin. */
export const spiOfGsi = (gsi: number): number => FIRST_SPI + gsi
export const gsiOfSpi = (intid: number): number => intid - FIRST_SPI
