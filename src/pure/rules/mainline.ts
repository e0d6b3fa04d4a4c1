/** What upstream KVM does since v6.10, with the GICD_IIDR fix of 2026. */
import { irouterAffinity, withoutAff3 } from '../arch/affinity.ts'
import { point, refuse } from './points.ts'
import type { VgicRules } from './points.ts'

const MMIO = 'arch/arm64/kvm/vgic/vgic-mmio-v3.c'
const SYSREG = 'arch/arm64/kvm/vgic-sys-reg-v3.c'
const SYS_REGS = 'arch/arm64/kvm/sys_regs.c'

/** The revisions of the distributor KVM implements: 2 added GICD_IIDR handling, 3 GICR_CTLR.{IR,CES}. */
export const MAINLINE_REVISIONS = [2, 3] as const

export const mainline: VgicRules = {
  setMpidr: point({
    title: 'MPIDR_EL1 is stored as userspace wrote it: any bits, any duplicate, at any time.',
    source: `${SYS_REGS} (MPIDR_EL1 has no set_user callback)`,
    decide: ({ value }) => ({ ok: true, stored: value }),
  }),
  mpidrAtReinit: point({
    title: 'A second KVM_ARM_VCPU_INIT keeps MPIDR_EL1.',
    source: `${SYS_REGS}: kvm_reset_sys_regs() resets vCPU-scoped id registers once`,
    decide: () => 'keep',
  }),
  mpidrAtCpuOn: point({
    title: 'PSCI CPU_ON keeps the MPIDR_EL1 that userspace wrote.',
    source: `${SYS_REGS}: kvm_reset_sys_regs() resets vCPU-scoped id registers once`,
    decide: () => 'keep',
  }),
  lookupAffinity: point({
    title: 'A table made at the first run finds a vCPU; a miss falls back to the search in creation order.',
    source: 'arch/arm64/kvm/arm.c: kvm_mpidr_to_vcpu()',
    decide: () => ({ table: true, fallback: true }),
  }),

  typerAffinity: point({
    title: 'GICR_TYPER shows Aff2, Aff1 and Aff0; Aff3 reads as 0.',
    source: `${MMIO}: vgic_mmio_read_v3r_typer()`,
    decide: ({ affinity }) => withoutAff3(affinity),
  }),
  privateIrqAffinity: point({
    title: 'SGIs and PPIs record the low word of MPIDR_EL1 at initialisation: Aff3 is cut off.',
    source: 'arch/arm64/kvm/vgic/vgic-init.c: vgic_init()',
    decide: ({ atInit }) => withoutAff3(atInit),
  }),

  irouterWrite: point({
    title: 'GICD_IROUTER keeps Aff2, Aff1 and Aff0; the upper word is ignored.',
    source: `${MMIO}: vgic_mmio_write_irouter()`,
    decide: ({ stored, value, half }) => {
      if (half === 'high') {
        return {
          stored,
          resolve: false,
          ...(value === 0n ? {} : { note: 'the upper word of GICD_IROUTER is ignored' }),
        }
      }
      const written = irouterAffinity.decode(value)
      const kept = withoutAff3(written)
      return { stored: kept, resolve: true, ...(kept === written ? {} : { note: 'Aff3 is dropped' }) }
    },
  }),
  irouterRead: point({
    title: 'GICD_IROUTER reads Aff2, Aff1 and Aff0; the upper word is 0.',
    source: `${MMIO}: vgic_mmio_read_irouter()`,
    decide: ({ stored, half }) => (half === 'high' ? 0n : irouterAffinity.encode(withoutAff3(stored))),
  }),
  retargetSource: point({
    title: 'An SPI that was never routed targets vCPU index 0, whatever its affinity.',
    source: 'arch/arm64/kvm/vgic/vgic-init.c: kvm_vgic_dist_init()',
    decide: () => 'index-0',
  }),
  retargetOnMpidrChange: point({
    title: 'The target of an SPI is looked up when GICD_IROUTER is written and not again.',
    source: `${MMIO}: vgic_mmio_write_irouter()`,
    decide: () => false,
  }),
  queueOnRoute: point({
    title: 'Giving a pending SPI a target does not queue it; it waits for the next enable, pend or line change.',
    source: `${MMIO}: vgic_mmio_write_irouter() does not call vgic_queue_irq_unlock()`,
    decide: () => false,
  }),

  distributorTyperA3v: point({
    title: 'GICD_TYPER.A3V is 0.',
    source: `${MMIO}: vgic_mmio_read_v3_misc()`,
    decide: () => false,
  }),
  iidrDefaultRevision: point({
    title: 'GICD_IIDR starts with revision 3.',
    source: 'arch/arm64/kvm/vgic/vgic-init.c: vgic_init()',
    decide: () => 3,
  }),
  iidrWrite: point({
    title: 'Userspace may choose revision 2 or 3.',
    source: `${MMIO}: vgic_mmio_uaccess_write_v3_misc()`,
    decide: ({ revision }) =>
      MAINLINE_REVISIONS.some((known) => known === revision)
        ? { ok: true, revision }
        : refuse(
            'EINVAL',
            `GICD_IIDR.Revision ${revision} is not one this KVM implements (${MAINLINE_REVISIONS.join(', ')}).`,
            `${MMIO}: vgic_mmio_uaccess_write_v3_misc()`,
          ),
  }),

  guestA3vAtCreation: point({
    title: "A VM has its host's A3V.",
    source: 'arch/arm64/kvm/vgic/vgic-v3.c: kvm_vgic_global_state.ich_vtr_el2',
    decide: ({ vm }) => vm.host.a3v,
  }),
  iccCtlrA3vGuest: point({
    title: "The guest reads the host's A3V in ICC_CTLR_EL1.",
    source: 'arch/arm64/kvm/hyp/vgic-v3-sr.c: __vgic_v3_read_ctlr()',
    decide: ({ vm }) => vm.host.a3v,
  }),
  iccCtlrA3vUser: point({
    title: "Userspace reads the host's A3V in ICC_CTLR_EL1.",
    source: `${SYSREG}: get_gic_ctlr()`,
    decide: ({ vm }) => vm.host.a3v,
  }),
  iccCtlrSetA3v: point({
    title: "Userspace must write the host's A3V into ICC_CTLR_EL1.",
    source: `${SYSREG}: set_gic_ctlr()`,
    decide: ({ vm, value }) =>
      value === vm.host.a3v
        ? { ok: true, guestA3v: vm.host.a3v, pinned: vm.pinned }
        : refuse(
            'EINVAL',
            `ICC_CTLR_EL1.A3V = ${Number(value)}, but this host has A3V = ${Number(vm.host.a3v)}.`,
            `${SYSREG}: set_gic_ctlr()`,
          ),
  }),
  iccCtlrSetAtomic: point({
    title: 'A refused ICC_CTLR_EL1 write may already have lowered PRIbits and IDbits.',
    source: `${SYSREG}: set_gic_ctlr()`,
    decide: () => false,
  }),
  trapForA3v: point({
    title: 'A3V never needs ICC_CTLR_EL1 to be trapped.',
    source: 'arch/arm64/kvm/vgic/vgic-v3.c: vgic_v3_enable_cpuif_traps()',
    decide: () => false,
  }),
  nestedVtrA3v: point({
    title: 'A nested guest reads ICH_VTR_EL2.A3V as 0.',
    source: 'arch/arm64/kvm/vgic/vgic.h: ICH_VTR_EL2 mask for nested guests',
    decide: () => false,
  }),

  refusedRegion: point({
    title: 'A redistributor region that is refused changes nothing.',
    source: `${MMIO}: vgic_v3_set_redist_base(), as recorded on v6.12.117`,
    decide: () => 'nothing',
  }),

  itsTarget: point({
    title: 'ITS commands name a redistributor by the id its vCPU was created with.',
    source: 'arch/arm64/kvm/vgic/vgic-its.c: collection_to_vcpu()',
    decide: () => 'id',
  }),
  itsForgets: point({
    title: 'An ITS forgets its devices or collections with any change of the GITS_BASER<n> of their table.',
    source: 'arch/arm64/kvm/vgic/vgic-its.c: vgic_mmio_write_its_baser(), as recorded on v6.12.117',
    decide: () => 'changed',
  }),

  sgiAffinityCompare: point({
    title: 'An SGI compares all four levels; the range selector is not looked at.',
    source: `${MMIO}: vgic_v3_dispatch_sgi()`,
    decide: ({ sgi, cpu }) => sgi === cpu,
  }),
  sgiDelivery: point({
    title: 'Each affinity in the target list is looked up; a broadcast leaves out the writer.',
    source: `${MMIO}: vgic_v3_dispatch_sgi()`,
    decide: () => ({ list: 'lookup', broadcastSkips: 'writer' }),
  }),
  attrAffinity: point({
    title: 'The mpidr field of a device attribute is compared on all four levels.',
    source: 'arch/arm64/kvm/vgic/vgic-kvm-device.c: vgic_v3_parse_attr()',
    decide: ({ attr, cpu }) => attr === cpu,
  }),
  cpuOnAffinity: point({
    title: 'CPU_ON compares all four levels.',
    source: 'arch/arm64/kvm/psci.c: kvm_psci_vcpu_on()',
    decide: ({ target, cpu }) => target === cpu,
  }),
  vcpuFeatures: point({
    title: 'All vCPUs of a VM have the same features.',
    source: 'arch/arm64/kvm/arm.c: __kvm_vcpu_set_target()',
    decide: () => 'vm',
  }),
  smcIsPsci: point({
    title: 'An SMC is served like an HVC.',
    source: 'arch/arm64/kvm/handle_exit.c: handle_smc()',
    decide: () => true,
  }),
  v2AttrCpu: point({
    title: 'The attributes of a vGICv2 name a vCPU by its id.',
    source: 'arch/arm64/kvm/vgic/vgic-kvm-device.c: vgic_v2_parse_attr()',
    decide: () => 'id',
  }),
  irqLineCpu: point({
    title: 'KVM_IRQ_LINE names a vCPU by its id.',
    source: 'arch/arm64/kvm/arm.c: kvm_vm_ioctl_irq_line()',
    decide: () => 'id',
  }),
  vgicDebugCpu: point({
    title: 'vgic-state names vCPUs by the order of their creation.',
    source: 'arch/arm64/kvm/vgic/vgic-debug.c: print_irq_state()',
    decide: () => 'index',
  }),
  vgicDebugTarget: point({
    title: 'vgic-state prints TARGET as 32-bit hexadecimal, width 8.',
    source: 'arch/arm64/kvm/vgic/vgic-debug.c: print_irq_state()',
    decide: ({ affinity }) => withoutAff3(affinity).toString(16).padStart(8),
  }),
}
