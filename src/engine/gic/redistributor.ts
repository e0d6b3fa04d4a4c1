/** The redistributors' registers, as a guest and as userspace has them (arch/arm64/kvm/vgic/vgic-mmio-v3.c). */
import { typerAffinity } from '../../pure/arch/affinity.ts'
import { PIDR2_GICV3 } from '../../pure/arch/gic/identification.ts'
import { GICR_CTLR, GICR_IIDR, GICR_SIZE, GICR_TYPER, gicrFrame } from '../../pure/arch/gic/gicr.ts'
import type { GicrName } from '../../pure/arch/gic/gicr.ts'
import { IIDR_VALUES } from '../../pure/arch/gic/iidr.ts'
import { PRIVATE_COUNT } from '../../pure/arch/intid.ts'
import { decodeField, encodeRegister } from '../../pure/arch/register.ts'
import { banks } from './banks.ts'
import type { GicParts } from './distributor.ts'
import type { FrameInspection } from './inspect.ts'
import { readHalf, RegisterFrame, replaceHalf } from './register-frame.ts'
import type { Handler } from './register-frame.ts'

/** The distributor revision from which GICR_CTLR says that EnableLPIs can be cleared. */
const LPI_INVALIDATION_REVISION = 3

/** Consecutive frames: struct vgic_redist_region. */
export interface RedistributorRegion {
  readonly base: number
  /** The CPU of its first frame; the others follow in creation order. */
  readonly first: number
  /** Frames in use. */
  readonly count: number
  /** Frames it has room for; 0 for a region that grows (KVM_VGIC_V3_ADDR_TYPE_REDIST). */
  readonly slots: number
}

/** vgic_mmio_vcpu_rdist_is_last(): the last frame in use, unless the next region goes on where a full one ends. */
const isLast = (regions: readonly RedistributorRegion[], cpu: number): boolean => {
  const region = regions.find(({ first, count }) => cpu >= first && cpu < first + count)
  if (region === undefined || cpu !== region.first + region.count - 1) return false
  const end = region.base + region.slots * GICR_SIZE
  const continued = region.slots === region.count && regions.some(({ base, count }) => base === end && count > 0)
  return region.slots === 0 || !continued
}

export class Redistributors {
  readonly regions: RedistributorRegion[] = []
  readonly frame: RegisterFrame<GicrName>
  private readonly parts: GicParts
  private readonly processorNumber: (cpu: number) => number

  constructor(parts: GicParts, processorNumber: (cpu: number) => number) {
    this.parts = parts
    this.processorNumber = processorNumber
    this.frame = new RegisterFrame(gicrFrame, this.handlers(), PRIVATE_COUNT)
  }

  /** Computed at each read: vgic_mmio_read_v3r_typer(). */
  typer(cpu: number): bigint {
    const { rules, vm, lookup } = this.parts
    const affinity = rules.typerAffinity.decide({ vm, affinity: lookup.affinity(cpu) })
    return (
      typerAffinity.encode(affinity) |
      encodeRegister(GICR_TYPER, {
        PLPIS: vm.hasIts,
        Processor_Number: this.processorNumber(cpu) & 0xffff,
        Last: isLast(this.regions, cpu),
      })
    )
  }

  /** In address order. */
  inspect(): FrameInspection[] {
    return this.regions
      .flatMap(({ base, first, count }) =>
        Array.from({ length: count }, (_, i) => ({
          base: base + i * GICR_SIZE,
          cpu: first + i,
          typer: this.typer(first + i),
          waker: 0,
        })),
      )
      .toSorted((a, b) => a.base - b.base)
  }

  private handlers(): Partial<Record<GicrName, Handler>> {
    const { state, vm, lpis } = this.parts
    const bank = banks(state, (cpu, intid) => state.privateIrq(cpu, intid))
    const invalidates = (): boolean => vm.revision >= LPI_INVALIDATION_REVISION
    return {
      GICR_CTLR: {
        read: ({ cpu }) =>
          encodeRegister(GICR_CTLR, { EnableLPIs: lpis.enabled(cpu), CES: invalidates(), IR: invalidates() }),
        write: ({ cpu }, value) => lpis.setEnabled(cpu, decodeField(GICR_CTLR, 'EnableLPIs', value) === 1n),
      },
      GICR_IIDR: { read: () => encodeRegister(GICR_IIDR, IIDR_VALUES) },
      GICR_TYPER: { read: (access) => readHalf(this.typer(access.cpu), access) },
      GICR_PROPBASER: {
        read: (access) => readHalf(lpis.propbaser, access),
        write: (access, value) => lpis.setPropbaser(access.cpu, replaceHalf(lpis.propbaser, access, value)),
      },
      GICR_PENDBASER: {
        read: (access) => readHalf(lpis.readPendbaser(access.cpu), access),
        write: (access, value) => lpis.setPendbaser(access.cpu, replaceHalf(lpis.pendbaser(access.cpu), access, value)),
      },
      // Their upper halves are for virtual PEs, which are not there (vgic_mmio_write_invlpi(), vgic_mmio_write_invall()).
      GICR_INVLPIR: {
        write: ({ offset, cpu }, value) => {
          const irq = offset === 0 && lpis.enabled(cpu) ? state.lpi(Number(BigInt.asUintN(32, value))) : undefined
          if (irq !== undefined) lpis.refresh(irq)
        },
      },
      GICR_INVALLR: {
        write: ({ offset, cpu }) => {
          if (offset === 0 && lpis.enabled(cpu)) lpis.refreshAll(cpu)
        },
      },
      GICR_PIDR2: { read: () => PIDR2_GICV3 },
      GICR_IGROUPR0: bank.group,
      GICR_ISENABLER0: bank.setEnable,
      GICR_ICENABLER0: bank.clearEnable,
      GICR_ISPENDR0: bank.setPending,
      GICR_ICPENDR0: bank.clearPending,
      GICR_ISACTIVER0: bank.setActive,
      GICR_ICACTIVER0: bank.clearActive,
      GICR_IPRIORITYR: bank.priority,
      GICR_ICFGR: bank.config,
    }
  }
}
