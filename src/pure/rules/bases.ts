/** What older kernels do differently, whatever the rule set on top leaves to its base. */
import { point } from './points.ts'
import type { KernelBase, VgicRules } from './points.ts'

const RESET = 'arch/arm64/kvm/sys_regs.c: reset_mpidr(), called on every vCPU reset up to v6.9'

const resetsMpidr: Pick<VgicRules, 'mpidrAtReinit' | 'mpidrAtCpuOn'> = {
  mpidrAtReinit: point({
    title: 'A second KVM_ARM_VCPU_INIT rewrites MPIDR_EL1 with its reset value.',
    source: RESET,
    decide: () => 'reset',
  }),
  mpidrAtCpuOn: point({
    title: 'PSCI CPU_ON rewrites MPIDR_EL1 with its reset value.',
    source: RESET,
    decide: () => 'reset',
  }),
}

const ignoresSmc: Pick<VgicRules, 'smcIsPsci'> = {
  smcIsPsci: point({
    title: 'An SMC answers NOT_SUPPORTED.',
    source: 'arch/arm64/kvm/handle_exit.c: handle_smc() before it served SMCCC',
    decide: () => false,
  }),
}

const forgetsInvalid: Pick<VgicRules, 'itsForgets'> = {
  itsForgets: point({
    title: 'An ITS forgets its devices or collections when the GITS_BASER<n> of their table loses Valid.',
    source: 'arch/arm64/kvm/vgic/vgic-its.c: vgic_mmio_write_its_baser(), as recorded on v6.1.176',
    decide: () => 'invalid',
  }),
}

const refusalTakesFrames: Pick<VgicRules, 'refusedRegion'> = {
  refusedRegion: point({
    title: 'A redistributor region that is refused takes their frames from the vCPUs that had one.',
    source: 'arch/arm64/kvm/vgic/vgic-mmio-v3.c: vgic_register_all_redist_iodevs(), as recorded on v6.1.176',
    decide: () => 'takes-frames',
  }),
}

export const bases: Record<KernelBase, Partial<VgicRules>> = {
  '6.1': {
    v2AttrCpu: point({
      title: 'The attributes of a vGICv2 name a vCPU by the order of its creation.',
      source: 'arch/arm64/kvm/vgic/vgic-kvm-device.c: vgic_v2_parse_attr() before v6.7',
      decide: () => 'index',
    }),
    vcpuFeatures: point({
      title: 'Each vCPU has its own features, to start off among them; only the width of EL1 is the same for all.',
      source: 'arch/arm64/kvm/arm.c: kvm_vcpu_set_target() of v6.1, as recorded on v6.1.176',
      decide: () => 'vcpu',
    }),
    irqLineCpu: point({
      title: 'KVM_IRQ_LINE names a vCPU by the order of creation, and raises the PPI of the one whose order is its id.',
      source: 'arch/arm64/kvm/arm.c: kvm_vm_ioctl_irq_line() before v6.7, as recorded on v6.1.176',
      decide: () => 'place-of-place',
    }),
    vgicDebugCpu: point({
      title: 'vgic-state names vCPUs by their ids.',
      source: 'arch/arm64/kvm/vgic/vgic-debug.c: print_irq_state() before v6.7',
      decide: () => 'id',
    }),
    ...resetsMpidr,
    ...ignoresSmc,
    ...forgetsInvalid,
    ...refusalTakesFrames,
    itsTarget: point({
      title: 'ITS commands name a redistributor by the order in which vCPUs were created.',
      source: 'arch/arm64/kvm/vgic/vgic-its.c: vgic_its_cmd_handle_mapc() before v6.7',
      decide: () => 'index',
    }),
    lookupAffinity: point({
      title: 'A vCPU is searched in creation order; the first of several duplicates is found.',
      source: 'arch/arm64/kvm/arm.c: kvm_mpidr_to_vcpu() before v6.7',
      decide: () => ({ table: false, fallback: true }),
    }),
    sgiDelivery: point({
      title: "Every vCPU takes its bit out of the target list; a broadcast leaves out the index of the writer's id.",
      source: 'arch/arm64/kvm/vgic/vgic-mmio-v3.c: vgic_v3_dispatch_sgi() before v6.7',
      decide: () => ({ list: 'walk', broadcastSkips: 'index-of-writer-id' }),
    }),
  },
  '6.8': {
    ...resetsMpidr,
    ...forgetsInvalid,
    ...refusalTakesFrames,
    lookupAffinity: point({
      title: 'A table made at the first run finds a vCPU; one whose MPIDR_EL1 changed later is not found.',
      source: 'arch/arm64/kvm/arm.c: kvm_mpidr_to_vcpu(), v6.7 to v6.9',
      decide: () => ({ table: true, fallback: false }),
    }),
    iidrWrite: point({
      title: 'Any revision is accepted, and none takes effect: the old register value is looked at.',
      source: 'arch/arm64/kvm/vgic/vgic-mmio-v3.c: vgic_mmio_uaccess_write_v3_misc() before its fix of 2026',
      decide: ({ vm, revision }) => ({
        ok: true,
        revision: vm.revision,
        ...(revision === vm.revision ? {} : { note: 'the revision is accepted and ignored' }),
      }),
    }),
  },
  '6.12': {},
}
