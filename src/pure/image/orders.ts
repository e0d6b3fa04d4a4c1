/**
 * In which order VMMs put a saved VM together again. The state is the same; what KVM refuses or loses depends on the
 * order. Banks are named, and stand for all their words.
 */

/** A bank that is written, and with what. */
export type Write =
  /** Its saved value. */
  | string
  /** The bank that clears what this one sets: with all ones, or with the value that was saved, as it reads the same. */
  | { readonly clear: string; readonly with: 'ones' | 'saved' }
  /** Its saved value, where this holds. (GICR_PROPBASER is 0 until something is written; 0 does not read back as 0.) */
  | { readonly bank: string; readonly where: 'LPIs' | 'not 0' }

export type Stage =
  /** KVM_CREATE_VCPU and KVM_ARM_VCPU_INIT. */
  | { readonly do: 'vcpus' }
  /** KVM_SET_ONE_REG(MPIDR_EL1) of each. */
  | { readonly do: 'affinities' }
  /** The device, its number of interrupts and its addresses; then its initialisation. */
  | { readonly do: 'gic' }
  | { readonly do: 'distributor'; readonly writes: readonly Write[] }
  /** Each ITS: its registers, its tables from guest RAM, GITS_CTLR last. */
  | { readonly do: 'its' }
  /** For one vCPU after the other, these parts of it. */
  | { readonly do: 'each vcpu'; readonly parts: readonly VcpuPart[] }

export type VcpuPart =
  | { readonly part: 'redistributor' | 'interface'; readonly writes: readonly Write[] }
  /** KVM_GET_REG_LIST's registers. */
  | { readonly part: 'registers' }
  /** KVM_SET_MP_STATE. */
  | { readonly part: 'power' }

export interface Order {
  readonly title: string
  /** Where it can be read, or who chose it. */
  readonly source: string
  readonly stages: readonly Stage[]
}

const ACTIVE = ['ICC_AP0R3_EL1', 'ICC_AP0R2_EL1', 'ICC_AP0R1_EL1', 'ICC_AP0R0_EL1'] as const
const ACTIVE_1 = ['ICC_AP1R3_EL1', 'ICC_AP1R2_EL1', 'ICC_AP1R1_EL1', 'ICC_AP1R0_EL1'] as const

const create: readonly Stage[] = [{ do: 'vcpus' }, { do: 'affinities' }, { do: 'gic' }]

const cleared = (...banks: readonly string[]): readonly Write[] =>
  banks.flatMap((bank) => [{ clear: bank, with: 'ones' } as const, bank])

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
    { do: 'each vcpu', parts: [{ part: 'registers' }, { part: 'power' }] },
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
    { do: 'each vcpu', parts: [{ part: 'registers' }, { part: 'power' }] },
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
    { do: 'each vcpu', parts: [{ part: 'registers' }, { part: 'power' }] },
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

/** As QEMU restores a GICv2. What userspace pends of an SGI has the vCPU itself as its source: the sources come after. */
export const GICV2_ORDER: Order = {
  title: 'a GICv2',
  source: 'QEMU, hw/intc/arm_gic_kvm.c: kvm_arm_gic_put()',
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
    {
      do: 'each vcpu',
      parts: [
        { part: 'interface', writes: ['GICC_CTLR', 'GICC_PMR', 'GICC_BPR', 'GICC_ABPR', 'GICC_APR'] },
        { part: 'registers' },
        { part: 'power' },
      ],
    },
  ],
}

export const ORDERS = { documented, qemu, firecracker, crosvm } as const satisfies Record<string, Order>
export type OrderId = keyof typeof ORDERS
