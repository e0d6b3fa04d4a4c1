/**
 * In which order VMMs put a saved VM with a GICv3 together again. The state is the same; what KVM refuses or loses
 * depends on the order.
 */
import { cleared, create, finish } from './order.ts'
import type { Order, VcpuPart, Write } from './order.ts'
import { GICV2_ORDERS } from './orders-v2.ts'

const ACTIVE = ['ICC_AP0R3_EL1', 'ICC_AP0R2_EL1', 'ICC_AP0R1_EL1', 'ICC_AP0R0_EL1'] as const
const ACTIVE_1 = ['ICC_AP1R3_EL1', 'ICC_AP1R2_EL1', 'ICC_AP1R1_EL1', 'ICC_AP1R0_EL1'] as const

/** Documentation/virt/kvm/devices/arm-vgic-v3.rst: GICD_IIDR first, tables before EnableLPIs, ICC_CTLR_EL1 before the others. */
const documented: Order = {
  title: 'as documented',
  source: 'Documentation/virt/kvm/devices/arm-vgic-v3.rst',
  stages: [
    ...create,
    // What becomes pending while the distributor is off is queued nowhere: GICD_CTLR comes before.
    { do: 'distributor', writes: ['GICD_IIDR', 'GICD_CTLR'] },
    {
      do: 'each vcpu',
      parts: [
        {
          part: 'redistributor',
          writes: [
            { bank: 'GICR_PROPBASER', where: 'not 0' },
            'GICR_PENDBASER',
            'GICR_CTLR',
            'GICR_IGROUPR0',
            'GICR_ICFGR',
            'GICR_IPRIORITYR',
            ...cleared('GICR_ISENABLER0'),
            'LEVEL_INFO',
            'GICR_ISPENDR0',
            ...cleared('GICR_ISACTIVER0'),
          ],
        },
      ],
    },
    {
      do: 'distributor',
      writes: [
        'GICD_IGROUPR',
        'GICD_ICFGR',
        'GICD_IPRIORITYR',
        'GICD_IROUTER',
        ...cleared('GICD_ISENABLER'),
        'LEVEL_INFO',
        'GICD_ISPENDR',
        ...cleared('GICD_ISACTIVER'),
      ],
    },
    {
      do: 'each vcpu',
      parts: [
        {
          part: 'interface',
          writes: [
            'ICC_CTLR_EL1',
            'ICC_SRE_EL1',
            'ICC_PMR_EL1',
            'ICC_BPR0_EL1',
            'ICC_BPR1_EL1',
            ...ACTIVE,
            ...ACTIVE_1,
            'ICC_IGRPEN0_EL1',
            'ICC_IGRPEN1_EL1',
          ],
        },
      ],
    },
    { do: 'its' },
    finish,
  ],
}

const interfaceOfQemu: VcpuPart = {
  part: 'interface',
  writes: [
    'ICC_SRE_EL1',
    'ICC_CTLR_EL1',
    'ICC_IGRPEN0_EL1',
    'ICC_IGRPEN1_EL1',
    'ICC_PMR_EL1',
    'ICC_BPR0_EL1',
    'ICC_BPR1_EL1',
    ...ACTIVE,
    ...ACTIVE_1,
  ],
}

const lpiTables: readonly Write[] = [
  { bank: 'GICR_PROPBASER', where: 'LPIs' },
  { bank: 'GICR_PENDBASER', where: 'LPIs' },
]

/** GICD_IIDR is not among what it restores. Its CPUs' registers come last, when the devices have theirs. */
const qemu: Order = {
  title: 'QEMU',
  source: 'QEMU, hw/intc/arm_gicv3_kvm.c: kvm_arm_gicv3_put()',
  stages: [
    ...create,
    { do: 'distributor', writes: ['GICD_CTLR'] },
    {
      do: 'each vcpu',
      parts: [{ part: 'redistributor', writes: lpiTables }],
    },
    {
      do: 'each vcpu',
      parts: [
        {
          part: 'redistributor',
          writes: [
            'GICR_CTLR',
            'GICR_IGROUPR0',
            ...cleared('GICR_ISENABLER0'),
            'GICR_ICFGR',
            'LEVEL_INFO',
            ...cleared('GICR_ISPENDR0', 'GICR_ISACTIVER0'),
            'GICR_IPRIORITYR',
          ],
        },
      ],
    },
    {
      do: 'distributor',
      writes: [
        ...cleared('GICD_ISENABLER'),
        'GICD_IGROUPR',
        'GICD_IROUTER',
        'GICD_ICFGR',
        'LEVEL_INFO',
        ...cleared('GICD_ISPENDR', 'GICD_ISACTIVER'),
        'GICD_IPRIORITYR',
      ],
    },
    { do: 'each vcpu', parts: [interfaceOfQemu] },
    { do: 'its' },
    finish,
  ],
}

const reread = (...banks: readonly string[]): readonly Write[] =>
  banks.flatMap((bank) => [{ clear: bank, with: 'saved' } as const, bank])

/** vCPUs first, then the distributor before the redistributors; line levels are not saved. */
const firecracker: Order = {
  title: 'Firecracker',
  source: 'Firecracker, src/vmm/src/arch/aarch64/gic/gicv3/regs: set_dist_regs(), set_redist_regs(), set_icc_regs()',
  stages: [
    { do: 'vcpus' },
    finish,
    { do: 'gic' },
    {
      do: 'distributor',
      writes: [
        'GICD_CTLR',
        ...reread('GICD_ISENABLER'),
        'GICD_IGROUPR',
        'GICD_IROUTER',
        'GICD_ICFGR',
        'GICD_ISPENDR',
        ...reread('GICD_ISACTIVER'),
        'GICD_IPRIORITYR',
      ],
    },
    {
      do: 'each vcpu',
      parts: [
        {
          part: 'redistributor',
          writes: [
            'GICR_CTLR',
            'GICR_PROPBASER',
            'GICR_PENDBASER',
            'GICR_IGROUPR0',
            ...reread('GICR_ISENABLER0'),
            'GICR_ICFGR',
            'GICR_ISPENDR0',
            ...reread('GICR_ISACTIVER0'),
            'GICR_IPRIORITYR',
          ],
        },
        interfaceOfQemu,
      ],
    },
    { do: 'its' },
  ],
}

/** What it read it writes, offset by offset, GICD_ICENABLER's value too; a vCPU's state is found by its affinity. */
const crosvm: Order = {
  title: 'crosvm',
  source: 'crosvm, devices/src/irqchip/kvm/aarch64.rs: restore()',
  stages: [
    ...create,
    {
      do: 'each vcpu',
      parts: [
        {
          part: 'interface',
          writes: [
            'ICC_PMR_EL1',
            'ICC_BPR0_EL1',
            ...ACTIVE.toReversed(),
            ...ACTIVE_1.toReversed(),
            'ICC_BPR1_EL1',
            'ICC_CTLR_EL1',
            'ICC_SRE_EL1',
            'ICC_IGRPEN0_EL1',
            'ICC_IGRPEN1_EL1',
          ],
        },
        {
          part: 'redistributor',
          writes: [
            'GICR_CTLR',
            'GICR_PROPBASER',
            'GICR_PENDBASER',
            'GICR_IGROUPR0',
            'GICR_ISENABLER0',
            { clear: 'GICR_ISENABLER0', with: 'saved' },
            'GICR_ISPENDR0',
            'GICR_ISACTIVER0',
            { clear: 'GICR_ISACTIVER0', with: 'saved' },
            'GICR_IPRIORITYR',
            'GICR_ICFGR',
          ],
        },
        { part: 'power' },
      ],
    },
    {
      do: 'distributor',
      writes: [
        'GICD_CTLR',
        'GICD_IIDR',
        'GICD_IGROUPR',
        'GICD_ISENABLER',
        { clear: 'GICD_ISENABLER', with: 'saved' },
        'GICD_ISPENDR',
        'GICD_ISACTIVER',
        { clear: 'GICD_ISACTIVER', with: 'saved' },
        'GICD_IPRIORITYR',
        'GICD_ICFGR',
        'GICD_IROUTER',
      ],
    },
    { do: 'each vcpu', parts: [{ part: 'registers' }] },
  ],
}

export const ORDERS = { documented, qemu, firecracker, crosvm } as const satisfies Record<string, Order>
export type OrderId = keyof typeof ORDERS

/** The orders for a version of the GIC, by name. */
export const ordersFor = (version: 2 | 3): Readonly<Record<string, Order>> & { readonly documented: Order } =>
  version === 2 ? GICV2_ORDERS : ORDERS
