/** The redistributors' registers, as a guest and as userspace has them (arch/arm64/kvm/vgic/vgic-mmio-v3.c). */
import { typerAffinity } from '../../pure/arch/affinity.ts'
import { PIDR2_GICV3 } from '../../pure/arch/gic/gicd.ts'
import { GICR_CTLR, GICR_IIDR, GICR_SIZE, GICR_TYPER, gicrFrame } from '../../pure/arch/gic/gicr.ts'
import type { GicrName } from '../../pure/arch/gic/gicr.ts'
import { IIDR_VALUES } from '../../pure/arch/gic/iidr.ts'
import { PRIVATE_COUNT } from '../../pure/arch/intid.ts'
import { encodeRegister } from '../../pure/arch/register.ts'
import { banks } from './banks.ts'
import type { GicParts } from './distributor.ts'
import type { FrameInspection } from './inspect.ts'
import { INITIAL_TABLE, sanitisePendbaser, sanitisePropbaser } from './lpi-tables.ts'
import type { CpuLookup } from './lookup.ts'
import { RegisterFrame } from './register-frame.ts'
import type { Access, Handler } from './register-frame.ts'

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

const replaceHalf = (old: bigint, { offset, width }: Access, value: bigint): bigint => {
  if (width === 8) return value
  const high = offset % 8 === 4
  return high ? (value << 32n) | BigInt.asUintN(32, old) : ((old >> 32n) << 32n) | value
}

const readHalf = (value: bigint, { offset }: Access): bigint => value >> BigInt((offset % 8) * 8)

export class Redistributors {
  readonly regions: RedistributorRegion[] = []
  readonly frame: RegisterFrame<GicrName>
  private readonly parts: GicParts
  private readonly lookup: CpuLookup
  private readonly processorNumber: (cpu: number) => number
  private propbaser = 0n
  private readonly pendbaser = new Map<number, bigint>()

  constructor(parts: GicParts, lookup: CpuLookup, processorNumber: (cpu: number) => number) {
    this.parts = parts
    this.lookup = lookup
    this.processorNumber = processorNumber
    this.frame = new RegisterFrame(gicrFrame, this.handlers(), PRIVATE_COUNT)
  }

  /** Computed at each read: vgic_mmio_read_v3r_typer(). */
  typer(cpu: number): bigint {
    const { rules, vm } = this.parts
    const affinity = rules.typerAffinity.decide({ vm, affinity: this.lookup.affinity(cpu) })
    return (
      typerAffinity.encode(affinity) |
      encodeRegister(GICR_TYPER, {
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
    const { state, vm } = this.parts
    const bank = banks(state, (cpu, intid) => state.privateIrq(cpu, intid))
    const lpis = (): boolean => vm.revision >= LPI_INVALIDATION_REVISION
    return {
      GICR_CTLR: { read: () => encodeRegister(GICR_CTLR, { CES: lpis(), IR: lpis() }) },
      GICR_IIDR: { read: () => encodeRegister(GICR_IIDR, IIDR_VALUES) },
      GICR_TYPER: { read: (access) => readHalf(this.typer(access.cpu), access) },
      GICR_PROPBASER: {
        read: (access) => readHalf(this.propbaser, access),
        write: (access, value) => {
          this.propbaser = sanitisePropbaser(replaceHalf(this.propbaser, access, value))
        },
      },
      GICR_PENDBASER: {
        read: (access) => readHalf(this.pendbaserOf(access.cpu), access),
        write: (access, value) => {
          const old = this.pendbaserOf(access.cpu)
          this.pendbaser.set(access.cpu, sanitisePendbaser(replaceHalf(old, access, value)))
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

  private pendbaserOf(cpu: number): bigint {
    return this.pendbaser.get(cpu) ?? INITIAL_TABLE
  }
}
