/**
 * Aff3 as KVM could have it: a property of the VM and not of the host, all four levels on every path, nothing
 * dropped in silence. Defined in ARCHITECTURE.md#full-aff3; not upstream.
 */
import { aff3Of, irouterAffinity, mpidrAffinity, withAff3, withoutAff3 } from '../arch/affinity.ts'
import { mainline } from './mainline.ts'
import { point, refuse } from './points.ts'
import type { VgicRules, VmFacts } from './points.ts'

const HERE = 'ARCHITECTURE.md#full-aff3'

/** The distributor revision that stands for these rules; older ones show what mainline shows. */
const AFF3_REVISION = 4
const REVISIONS = [2, 3, AFF3_REVISION] as const

const current = (vm: Readonly<VmFacts>): boolean => vm.gic === 3 && vm.revision >= AFF3_REVISION
/** Whether the guest may route by Aff3. */
const routable = (vm: Readonly<VmFacts>): boolean => current(vm) && vm.guestA3v

const shown = (vm: Readonly<VmFacts>, stored: number): number => (routable(vm) ? stored : withoutAff3(stored))

/** The upper half of GICD_IROUTER as a word of its own: Aff3 in bits 7:0, as `withAff3` and `aff3Of` have it. */
const highHalf = (stored: number): bigint => BigInt(aff3Of(stored))

export const fullAff3: VgicRules = {
  ...mainline,
  setMpidr: point({
    title: 'MPIDR_EL1 is stored or refused, never changed on the way; its affinity is fixed once the VM has run.',
    source: HERE,
    decide: ({ vm, current: before, value }) => {
      const affinity = mpidrAffinity.decode(value)
      if (vm.hasRun && affinity !== mpidrAffinity.decode(before)) {
        return refuse('EBUSY', 'The VM has run; the affinity of its CPUs is fixed.', HERE)
      }
      if (aff3Of(affinity) !== 0) {
        if (vm.el1 === 32) return refuse('EINVAL', 'EL1 is AArch32, whose MPIDR has no Aff3.', HERE)
        if (current(vm) && !vm.guestA3v) {
          return refuse('EINVAL', 'This VM has A3V = 0 in ICC_CTLR_EL1: Aff3 must be 0.', HERE)
        }
      }
      return { ok: true, stored: value }
    },
  }),
  mpidrAtReinit: point({ ...mainline.mpidrAtReinit, source: HERE }),
  mpidrAtCpuOn: point({ ...mainline.mpidrAtCpuOn, source: HERE }),
  lookupAffinity: point({
    title: 'Of several CPUs with one affinity the first created is found, before and after the first run.',
    source: HERE,
    decide: () => ({ table: false, fallback: true }),
  }),

  typerAffinity: point({
    title: 'GICR_TYPER shows all four levels of MPIDR_EL1.',
    source: HERE,
    decide: ({ vm, affinity }) => (current(vm) ? affinity : withoutAff3(affinity)),
  }),
  privateIrqAffinity: point({
    title: "An SGI or PPI has its CPU's affinity, as it is now.",
    source: HERE,
    decide: ({ now }) => now,
  }),

  irouterWrite: point({
    title: 'Each half of GICD_IROUTER changes its own levels; the upper one counts where the VM has A3V.',
    source: HERE,
    decide: ({ vm, stored, value, width, half }) => {
      if (half === 'high') {
        if (!routable(vm)) return { stored, resolve: true, note: 'this VM has no A3V: the upper word is ignored' }
        return { stored: withAff3(stored, Number(BigInt.asUintN(32, value))), resolve: true }
      }
      const written = irouterAffinity.decode(value)
      if (width === 4) return { stored: withAff3(written, aff3Of(stored)), resolve: true }
      const kept = shown(vm, written)
      return {
        stored: kept,
        resolve: true,
        ...(kept === written ? {} : { note: 'this VM has no A3V: Aff3 is ignored' }),
      }
    },
  }),
  irouterRead: point({
    title: 'GICD_IROUTER reads all four levels where the VM has A3V.',
    source: HERE,
    decide: ({ vm, stored, width, half }) => {
      const affinity = shown(vm, stored)
      if (width === 8) return irouterAffinity.encode(affinity)
      return half === 'low' ? irouterAffinity.encode(withoutAff3(affinity)) : highHalf(affinity)
    },
  }),
  retargetSource: point({
    title: 'An SPI that was never routed targets the CPU at 0.0.0.0, if there is one.',
    source: HERE,
    decide: () => 'lookup',
  }),
  retargetOnMpidrChange: point({
    title: 'The target of an SPI follows the affinities of the CPUs.',
    source: HERE,
    decide: () => true,
  }),
  queueOnRoute: point({
    title: 'A pending SPI is queued as soon as it has a target.',
    source: HERE,
    decide: () => true,
  }),

  distributorTyperA3v: point({
    title: "GICD_TYPER.A3V is the VM's A3V.",
    source: HERE,
    decide: ({ vm }) => routable(vm),
  }),
  iidrDefaultRevision: point({
    title: 'GICD_IIDR starts with revision 4 (a GICv2 has no affinities, and 3).',
    source: HERE,
    decide: ({ vm }) => (vm.gic === 2 ? mainline.iidrDefaultRevision.decide({ vm }) : AFF3_REVISION),
  }),
  iidrWrite: point({
    title:
      'Userspace may choose revision 2, 3 or 4 until the VM has run; 2 and 3 show what mainline shows. With A3V = 0 and a CPU with Aff3 it is not 4.',
    source: HERE,
    decide: ({ vm, revision, aff3InUse }) => {
      if (vm.gic === 2) return mainline.iidrWrite.decide({ vm, revision, aff3InUse })
      if (!REVISIONS.some((known) => known === revision)) {
        return refuse('EINVAL', `GICD_IIDR.Revision ${revision} is not one of ${REVISIONS.join(', ')}.`, HERE)
      }
      if (vm.hasRun && revision !== vm.revision) {
        return refuse('EINVAL', `The VM has run with GICD_IIDR.Revision ${vm.revision}.`, HERE)
      }
      // Otherwise there would be a VM that no order of calls restores: revision 4 refuses such CPUs, and such an A3V.
      if (revision === AFF3_REVISION && aff3InUse && !vm.guestA3v) {
        return refuse('EINVAL', 'This VM has A3V = 0, and a CPU with Aff3 != 0: it cannot have revision 4.', HERE)
      }
      return { ok: true, revision }
    },
  }),

  guestA3vAtCreation: point({
    title: 'A VM with AArch64 EL1 has A3V = 1 on every host.',
    source: HERE,
    decide: ({ vm }) => vm.el1 === 64,
  }),
  iccCtlrA3vGuest: point({
    title: "The guest reads the VM's A3V in ICC_CTLR_EL1.",
    source: HERE,
    decide: ({ vm }) => vm.guestA3v,
  }),
  iccCtlrA3vUser: point({
    title: "Userspace reads the VM's A3V in ICC_CTLR_EL1.",
    source: HERE,
    decide: ({ vm }) => vm.guestA3v,
  }),
  iccCtlrSetA3v: point({
    title: "The first write of ICC_CTLR_EL1 chooses the VM's A3V; then it is fixed.",
    source: HERE,
    decide: ({ vm, value, aff3InUse }) => {
      if ((vm.pinned || vm.hasRun) && value !== vm.guestA3v) {
        return refuse('EINVAL', `This VM's A3V is fixed at ${Number(vm.guestA3v)}.`, HERE)
      }
      if (!value && aff3InUse && current(vm)) {
        return refuse('EINVAL', 'A CPU of this VM has Aff3 != 0: A3V cannot be 0.', HERE)
      }
      if (value && vm.el1 === 32) return refuse('EINVAL', 'EL1 is AArch32, which has no Aff3: A3V cannot be 1.', HERE)
      return { ok: true, guestA3v: value, pinned: true }
    },
  }),
  iccCtlrSetAtomic: point({
    title: 'A refused ICC_CTLR_EL1 write changes nothing.',
    source: HERE,
    decide: () => true,
  }),
  trapForA3v: point({
    title: "ICC_CTLR_EL1 is trapped where the VM's A3V is not the host's.",
    source: HERE,
    decide: ({ vm }) => vm.gic === 3 && vm.guestA3v !== vm.host.a3v,
  }),
  nestedVtrA3v: point({
    title: "A nested guest reads the VM's A3V in ICH_VTR_EL2.",
    source: HERE,
    decide: ({ vm }) => routable(vm),
  }),

  sgiDelivery: point({ ...mainline.sgiDelivery, source: HERE }),
  vgicDebugTarget: point({
    title: 'vgic-state prints TARGET as the packed affinity, width 8.',
    source: HERE,
    decide: ({ affinity }) => affinity.toString(16).padStart(8),
  }),
}
