/** In which order VMMs put a saved VM with a GICv2 together again. Firecracker and crosvm do not. */
import { cleared, create } from './order.ts'
import type { Order, Stage, VcpuPart } from './order.ts'

const cpuInterface: VcpuPart = {
  part: 'interface',
  writes: ['GICC_CTLR', 'GICC_PMR', 'GICC_BPR', 'GICC_ABPR', 'GICC_APR'],
}

const cpus: Stage = { do: 'each vcpu', parts: [cpuInterface, { part: 'registers' }, { part: 'power' }] }

/** What userspace pends of an SGI has the vCPU itself as its source: the sources come after. */
const documented: Order = {
  title: 'as documented',
  source: 'Documentation/virt/kvm/devices/arm-vgic.rst',
  stages: [
    ...create,
    // GICD_IGROUPR can be written once GICD_IIDR was.
    { do: 'distributor', writes: ['GICD_IIDR', 'GICD_CTLR'] },
    {
      do: 'each vcpu',
      parts: [
        {
          part: 'redistributor',
          writes: [
            'GICD_IGROUPR',
            'GICD_IPRIORITYR',
            ...cleared('GICD_ISENABLER'),
            'GICD_ISPENDR',
            ...cleared('GICD_SPENDSGIR', 'GICD_ISACTIVER'),
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
        'GICD_ITARGETSR',
        ...cleared('GICD_ISENABLER'),
        'GICD_ISPENDR',
        ...cleared('GICD_ISACTIVER'),
      ],
    },
    cpus,
  ],
}

/** The banked words of every vCPU, then the VM's. */
const both = (...writes: Extract<Stage, { do: 'distributor' }>['writes']): readonly Stage[] => [
  { do: 'each vcpu', parts: [{ part: 'redistributor', writes }] },
  { do: 'distributor', writes },
]

/** Bank by bank. GICD_IIDR is not among what it restores, and without it KVM ignores GICD_IGROUPR. */
const qemu: Order = {
  title: 'QEMU',
  source: 'QEMU, hw/intc/arm_gic_kvm.c: kvm_arm_gic_put()',
  stages: [
    ...create,
    { do: 'distributor', writes: ['GICD_CTLR'] },
    ...both(...cleared('GICD_ISENABLER')),
    ...both('GICD_IGROUPR'),
    { do: 'distributor', writes: ['GICD_ITARGETSR'] },
    ...both('GICD_ICFGR'),
    ...both(...cleared('GICD_ISPENDR')),
    ...both(...cleared('GICD_ISACTIVER')),
    ...both('GICD_IPRIORITYR'),
    { do: 'each vcpu', parts: [{ part: 'redistributor', writes: cleared('GICD_SPENDSGIR') }] },
    cpus,
  ],
}

export const GICV2_ORDERS = { documented, qemu } as const satisfies Record<string, Order>
export type OrderIdV2 = keyof typeof GICV2_ORDERS
