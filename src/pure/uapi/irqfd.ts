/** KVM_IRQFD's flags (Documentation/virt/kvm/api.rst, 4.75), and routes of GSIs (4.52). */
import { FIRST_SPI } from '../arch/intid.ts'

export const IRQFD = { DEASSIGN: 1, RESAMPLE: 2 } as const

/** A GIC's pin is an SPI. */
export const spiOfPin = (pin: number): number => FIRST_SPI + pin
export const pinOfSpi = (intid: number): number => intid - FIRST_SPI

/** KVM_IRQ_ROUTING_*: what arm64 has. */
export const ROUTE_TYPE = { IRQCHIP: 1, MSI: 2 } as const

/** KVM_MAX_IRQ_ROUTES (include/linux/kvm_host.h). */
export const MAX_ROUTES = 4096

/** Where a GSI leads: to a pin of a GIC, to an ITS, or, as `type` of another architecture, nowhere. */
export type RouteTarget =
  | { readonly to: 'irqchip'; readonly irqchip: number; readonly pin: number }
  | { readonly to: 'msi'; readonly address: bigint; readonly data: number; readonly devid: number }
  | { readonly to: 'other'; readonly type: number }

/** struct kvm_irq_routing_entry. `flags`: of an MSI, KVM_MSI_VALID_DEVID. */
export type GsiRoute = { readonly gsi: number; readonly flags: number } & RouteTarget
