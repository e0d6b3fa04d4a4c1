/** KVM_SET_GSI_ROUTING: where each GSI leads (virt/kvm/irqchip.c; arch/arm64/kvm/vgic/vgic-irqfd.c). */
import { LAST_SPI } from '../../pure/arch/intid.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import { KVM_MSI_VALID_DEVID } from '../../pure/uapi/calls.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import { MAX_ROUTES, pinOfSpi } from '../../pure/uapi/irqfd.ts'
import type { GsiRoute } from '../../pure/uapi/irqfd.ts'
import { done } from './kvm-answer.ts'

const IOCTL = 'virt/kvm/kvm_main.c: kvm_vm_ioctl()'
const SET = 'virt/kvm/irqchip.c: kvm_set_irq_routing()'
const SETUP = 'virt/kvm/irqchip.c: setup_routing_entry()'
const ENTRY = 'arch/arm64/kvm/vgic/vgic-irqfd.c: kvm_set_routing_entry()'

/** KVM_IRQCHIP_NUM_PINS; there is one chip (arch/arm64/include/asm/kvm_host.h). */
const PINS = pinOfSpi(LAST_SPI) + 1

/** What is wrong with a route, whatever others there are. */
const checkRoute = (route: GsiRoute): Refusal | undefined => {
  const { gsi, flags, to } = route
  if (gsi >= MAX_ROUTES) return refuse('EINVAL', `GSIs are 0 to ${MAX_ROUTES - 1}, not ${gsi}.`, SET)
  const known = to === 'msi' ? KVM_MSI_VALID_DEVID : 0
  if ((flags & ~known) !== 0) return refuse('EINVAL', `The route of GSI ${gsi} has unknown flags.`, SET)
  if (to === 'other') return refuse('EINVAL', `arm64 has no routes of type ${route.type} (GSI ${gsi}).`, ENTRY)
  if (to === 'irqchip' && (route.pin >= PINS || route.irqchip !== 0)) {
    return refuse('EINVAL', `The GIC is irqchip 0, with pins 0 to ${PINS - 1} (GSI ${gsi}).`, ENTRY)
  }
  return undefined
}

export class GsiRouting {
  private routes: ReadonlyMap<number, GsiRoute> = new Map()
  /** Of several GSIs at one pin, the last. */
  private gsis: ReadonlyMap<number, number> = new Map()

  /** What is refused changes nothing. */
  set({ flags, routes }: Extract<KvmCall, { call: 'KVM_SET_GSI_ROUTING' }>): KvmAnswer {
    if (routes.length > MAX_ROUTES) {
      return refuse('EINVAL', `${routes.length} routes are more than ${MAX_ROUTES}.`, IOCTL)
    }
    if (flags !== 0) return refuse('EINVAL', `Flags 0x${flags.toString(16)} are unknown.`, IOCTL)
    const table = new Map<number, GsiRoute>()
    for (const route of routes) {
      const wrong = checkRoute(route)
      if (wrong !== undefined) return wrong
      // A GSI may lead to one pin of each chip, and there is one chip; else to one place.
      if (table.has(route.gsi)) return refuse('EINVAL', `GSI ${route.gsi} has two routes.`, SETUP)
      table.set(route.gsi, route)
    }
    this.take(table)
    return done
  }

  /** kvm_vgic_setup_default_irq_routing(), when the GIC is initialised: one SPI after the other. */
  setDefault(spis: number): void {
    this.take(
      new Map(
        Array.from(
          { length: spis },
          (_, gsi) => [gsi, { gsi, flags: 0, to: 'irqchip', irqchip: 0, pin: gsi }] as const,
        ),
      ),
    )
  }

  private take(table: ReadonlyMap<number, GsiRoute>): void {
    this.routes = table
    this.gsis = new Map(
      [...table.values()].flatMap((route) => (route.to === 'irqchip' ? [[route.pin, route.gsi]] : [])),
    )
  }

  of(gsi: number): GsiRoute | undefined {
    return this.routes.get(gsi)
  }

  /** kvm_irq_map_chip_pin(). */
  gsiOfPin(pin: number): number | undefined {
    return this.gsis.get(pin)
  }
}
