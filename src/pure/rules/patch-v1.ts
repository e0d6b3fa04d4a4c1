/**
 * "KVM: arm64: Affinity level 3 support", v1 as posted on 25 February 2024
 * (20240225090237.775573-2-r09922117@csie.ntu.edu.tw), with what its review found.
 */
import { aff3Of, affinityOf, irouterAffinity, mpidrAffinity, withoutAff3 } from '../arch/affinity.ts'
import { mainline } from './mainline.ts'
import { point } from './points.ts'
import type { VgicRules, VmFacts } from './points.ts'

const PATCH = 'patch v1, "KVM: arm64: Affinity level 3 support"'

/** The patch's predicate: EL1 is AArch64 and the host's ICH_VTR_EL2.A3V is set (0 on a GICv2 host). */
export const aff3Valid = (vm: Readonly<VmFacts>): boolean => vm.el1 === 64 && vm.host.gic !== '2' && vm.host.a3v

const AFF3_MASK = mpidrAffinity.encode(affinityOf({ aff3: 0xff, aff2: 0, aff1: 0, aff0: 0 }))

export const patchV1: VgicRules = {
  ...mainline,
  setMpidr: point({
    title: 'MPIDR_EL1 is stored; where the host has no A3V, or EL1 is AArch32, Aff3 is cleared without an error.',
    source: `${PATCH}: set_mpidr()`,
    decide: ({ vm, value }) => {
      if (aff3Valid(vm) || (value & AFF3_MASK) === 0n) return { ok: true, stored: value }
      const reason = vm.el1 === 32 ? 'EL1 is AArch32' : 'the host has A3V = 0'
      return { ok: true, stored: value & ~AFF3_MASK, note: `Aff3 is dropped: ${reason}` }
    },
  }),
  typerAffinity: point({
    title: 'GICR_TYPER shows all four levels of MPIDR_EL1.',
    source: `${PATCH}: vgic_mmio_read_v3r_typer()`,
    decide: ({ affinity }) => affinity,
  }),
  privateIrqAffinity: point({
    title: 'SGIs and PPIs record all of the affinity at initialisation.',
    source: `${PATCH}: struct vgic_irq`,
    decide: ({ atInit }) => atInit,
  }),
  irouterWrite: point({
    title: 'Any write GICD_IROUTER takes replaces all four levels, whichever half and width it has.',
    source: `${PATCH}: vgic_mmio_write_irouter()`,
    decide: ({ vm, value, stored, half, width }) => {
      if (half === 'high' && !aff3Valid(vm)) return { stored, resolve: false, note: 'the upper word is ignored' }
      const written = irouterAffinity.decode(value)
      if (width === 8) return { stored: written, resolve: true }
      const note =
        half === 'high'
          ? 'the upper word is taken for the lower one: Aff2 to Aff0 are replaced and Aff3 is cleared'
          : 'Aff3 is cleared'
      const harmless = half === 'low' && aff3Of(stored) === 0
      return { stored: withoutAff3(written), resolve: true, ...(harmless ? {} : { note }) }
    },
  }),
  irouterRead: point({
    title: 'GICD_IROUTER reads all four levels; its upper word alone reads 0 where the host has no A3V.',
    source: `${PATCH}: vgic_mmio_read_irouter()`,
    decide: ({ vm, stored, width, half }) => {
      if (width === 8) return irouterAffinity.encode(stored)
      if (half === 'low') return irouterAffinity.encode(withoutAff3(stored))
      return aff3Valid(vm) ? BigInt(aff3Of(stored)) : 0n
    },
  }),
  nestedVtrA3v: point({
    title: "A nested guest would read the host's A3V: the patch is older than the nested mask.",
    source: `${PATCH}: v6.8 has no nested ICH_VTR_EL2`,
    decide: ({ vm }) => vm.host.a3v,
  }),
  vgicDebugTarget: point({
    title: 'vgic-state prints TARGET as 64-bit hexadecimal in the form of MPIDR_EL1.',
    source: `${PATCH}: print_irq_state()`,
    decide: ({ affinity }) => mpidrAffinity.encode(affinity).toString(16).padStart(8),
  }),
}
