/** A VM with a GICv2 saved by KVM calls and put together again, in the order of each VMM that does so. */
import { describe, expect, it } from 'vitest'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import type { HostProfile } from '../../pure/blueprint/host.ts'
import { diffImages, differenceText } from '../../pure/image/diff.ts'
import type { VmImage } from '../../pure/image/image.ts'
import { settleLevels } from '../../pure/image/levels.ts'
import type { Order } from '../../pure/image/order.ts'
import { GICV2_ORDERS } from '../../pure/image/orders-v2.ts'
import type { OrderIdV2 } from '../../pure/image/orders-v2.ts'
import { restore, restorePlan, stopText } from '../../pure/image/restore.ts'
import { saveVm } from '../../pure/image/save.ts'
import { CaseVm } from '../../testing/kvm-cases/case-vm.ts'
import type { Env } from '../../testing/kvm-cases/kvm-case.ts'
import { GICC, GICD } from '../../testing/kvm-cases/places.ts'
import { vcpus } from '../../testing/kvm-cases/set-ups.ts'

const on = (host: HostProfile): Env => ({ ruleSet: 'mainline', base: '6.12', host })
const env = on(HOST_PRESETS.H2)

const save = (vm: CaseVm): VmImage => {
  const made = vm.ids.map((id) => ({ id, features: ['PSCI_0_2'] as const }))
  const saved = saveVm((call) => vm.call(call), { vcpus: made, savedOn: env, version: 2 })
  if (!saved.ok) throw new Error(saved.what)
  return saved.image
}

/** What is left of a VM after its move: `equal`, the differences, or where it stopped. */
const move = (image: VmImage, order: Order = GICV2_ORDERS.documented, to = env): { text: string; vm: CaseVm } => {
  const vm = new CaseVm(to)
  for (const { id } of image.vcpus) vm.ids.push(id)
  const answer = restore((call) => vm.call(call), restorePlan(image, order))
  if (!answer.ok) return { text: stopText(answer), vm }
  const differences = diffImages(image, save(vm)).map(differenceText)
  return { text: differences.length === 0 ? 'equal' : differences.join('; '), vm }
}

const IAR = GICC + 0xc
const EOIR = GICC + 0x10
/** The first CPUs' targets of SPIs 40 to 43: CPU 1, CPU 2, CPUs 1 and 3, none. */
const TARGETS = 0x000a_0402

/** A VM in which every kind of state is other than at the start. */
const lived = (): CaseVm => {
  const vm = vcpus(env, 4)
  vm.must(vm.v2())
  for (const cpu of vm.ids) vm.w32(cpu, GICC + 4, 0xf0).w32(cpu, GICC, 9)
  vm.w32(0, GICD, 1)
    // SPI 40 is a level; 41 to 43 are edges.
    .w32(0, GICD + 0xc08, 0xaaaa_aaaa & ~0x20000)
    .w32(0, GICD + 0x828, TARGETS)
    .w32(0, GICD + 0x428, 0x8040_a0e8)
    .w32(0, GICD + 0x104, 0xf00)
    .w32(2, GICD + 0x410, 0x1840_2010)
  vm.irqLine(1, 0, 40, true)
  // 41 is active on vCPU 2; 42 waits for vCPU 1.
  vm.w32(0, GICD + 0x204, 1 << 9).r32(2, IAR)
  vm.w32(0, GICD + 0x204, 1 << 10)
  // SGI 3 from vCPUs 0 and 1 to vCPU 3.
  for (const cpu of [0, 1]) vm.w32(cpu, GICD + 0xf00, 0x8_0003)
  vm.w32(1, GICD + 0x84, 0x800).w32(1, GICD + 0x80, 0x8000)
  vm.w32(3, GICC + 8, 5).w32(3, GICC + 0x1c, 6)
  return vm
}

describe.each(Object.entries(GICV2_ORDERS) as readonly [OrderIdV2, Order][])('the order of %s', (id, order) => {
  it('is complete, or loses what is known to be lost', () => {
    const lost: Record<OrderIdV2, string> = {
      documented: 'equal',
      // It does not write GICD_IIDR, and so KVM takes it for one that knows no groups.
      qemu: 'GICD_IGROUPR1: 0x800, 0x0; GICD_IGROUPR0 of vCPU 1: 0x8000, 0x0',
    }
    expect(move(save(lived()), order).text).toBe(lost[id])
  })

  it('goes on where it was: lines, active and pending interrupts, the sources of SGIs', () => {
    const { vm } = move(save(lived()), order)
    const sgi = [0, 1].map(() => {
      const taken = vm.r32(3, IAR)
      vm.w32(3, EOIR, taken)
      return taken
    })
    expect(sgi).toEqual([3n, 0x403n])
    // 42 is more urgent than 40; both are vCPU 1's.
    expect([vm.r32(1, IAR), vm.r32(2, IAR)]).toEqual([42n, 1023n])
    vm.w32(1, EOIR, 42).w32(2, EOIR, 41)
    expect([vm.r32(1, IAR), vm.r32(2, IAR)]).toEqual([40n, 1023n])
  })
})

describe('a level that is up', () => {
  it('is read as pending by userspace too, which has no other way to see it', () => {
    const vm = lived()
    expect(vm.ud(0x204) & 0x100n).toBe(0x100n)
    vm.irqLine(1, 0, 40, false)
    expect(vm.ud(0x204) & 0x100n).toBe(0n)
  })

  it('is pending after a restore until somebody tells what its wire is', () => {
    const image = save(lived())
    const pendingAfter = (wire: boolean): string => {
      const { vm } = move(image)
      if (wire) vm.irqLine(1, 0, 40, true)
      settleLevels((call) => vm.call(call), image.gic, image.vcpus)
      const before = vm.spiPending(40)
      vm.irqLine(1, 0, 40, false)
      return `${before}${vm.spiPending(40)}`
    }
    // Held by the wire it goes with the wire; without one it stays pended, as KVM itself has it.
    expect([pendingAfter(true), pendingAfter(false)]).toEqual(['10', '11'])
  })
})

describe('another host', () => {
  it('takes the VM where it can emulate a GICv2, with list registers of either kind', () => {
    const { HC, HX } = HOST_PRESETS
    expect([HC, HX].map((host) => move(save(lived()), GICV2_ORDERS.documented, on(host)).text)).toEqual([
      'equal',
      'equal',
    ])
  })

  it('without GICv2 compatibility refuses it before it has any of its state', () => {
    expect(move(save(lived()), GICV2_ORDERS.documented, on(HOST_PRESETS.H1)).text).toBe(
      'the GIC; ENODEV: This host cannot emulate device type 5.',
    )
  })
})
