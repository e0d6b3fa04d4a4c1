/** Where the redistributors of a VM lie: vgic_v3_set_redist_base() and its neighbours (vgic-mmio-v3.c). */
import { GICD_SIZE } from '../../pure/arch/gic/gicd.ts'
import { GICR_SIZE } from '../../pure/arch/gic/gicr.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import { hex, wraps } from './vgic-group.ts'

const SOURCE = 'arch/arm64/kvm/vgic/vgic-mmio-v3.c'
const INSERT = `${SOURCE}: vgic_v3_alloc_redist_region()`
const CHECK = 'arch/arm64/kvm/vgic/vgic-v3.c: vgic_v3_check_base()'

/** Bases are multiples of 64 KiB. */
export const FRAME_ALIGN = 0x10000

export interface RedistRegion {
  readonly index: number
  readonly base: number
  /** How many redistributors fit; 0 is the legacy region, which grows with the VM. */
  readonly count: number
  /** The vCPUs that have a place here, by creation index, in the order of their frames. */
  readonly vcpus: number[]
}

export interface Limits {
  readonly distributor: number | undefined
  readonly vcpus: number
  /** The first guest physical address that does not exist. */
  readonly ipaEnd: number
}

const overlap = (a: number, aSize: number, b: number, bSize: number): boolean => a < b + bSize && b < a + aSize

export class RedistributorRegions {
  private all: RedistRegion[] = []
  private readonly refusalTakesFrames: () => boolean
  /** How many of the first vCPUs have lost their frames to the guest, though not their place. */
  private lost = 0

  /** `refusalTakesFrames`: whether a refused region leaves the vCPUs that had a place without their frames. */
  constructor(refusalTakesFrames: () => boolean) {
    this.refusalTakesFrames = refusalTakesFrames
  }

  get list(): readonly RedistRegion[] {
    return this.all
  }

  has(vcpu: number): boolean {
    return this.all.some((region) => region.vcpus.includes(vcpu))
  }

  size(region: RedistRegion, vcpus: number): number {
    return (region.count === 0 ? vcpus : region.count) * GICR_SIZE
  }

  /** The frames of a region that a guest sees. */
  frames({ base, vcpus }: RedistRegion): { readonly base: number; readonly first: number; readonly count: number } {
    const lost = vcpus.filter((vcpu) => vcpu < this.lost).length
    return { base: base + lost * GICR_SIZE, first: vcpus[lost] ?? 0, count: vcpus.length - lost }
  }

  /** `count` 0: the attribute that takes a base only. */
  add(index: number, address: bigint, count: number, limits: Limits): Refusal | undefined {
    const legacy = count === 0
    const last = this.all.at(-1)
    const size = (legacy ? limits.vcpus : count) * GICR_SIZE
    const base = Number(address)
    if (wraps(address, size)) return refuse('EINVAL', `${hex(address)} has no room for ${hex(size)} bytes.`, INSERT)
    if (last === undefined && index !== 0) {
      return refuse('EINVAL', `The first redistributor region has index 0, not ${index}.`, INSERT)
    }
    if (last !== undefined) {
      if (legacy && last.count !== 0) {
        return refuse('EINVAL', 'There is a redistributor region already; V3_REDIST does not go with it.', INSERT)
      }
      if (legacy) return refuse('EEXIST', 'V3_REDIST has been set.', INSERT)
      if (index !== last.index + 1) {
        return refuse('EINVAL', `The next redistributor region has index ${last.index + 1}, not ${index}.`, INSERT)
      }
    }
    const { distributor } = limits
    if (legacy && distributor !== undefined && overlap(base, size, distributor, GICD_SIZE)) {
      return refuse('EINVAL', `The redistributors at ${hex(base)} overlap the distributor.`, INSERT)
    }
    const hit = this.all.find((region) => overlap(base, size, region.base, this.size(region, limits.vcpus)))
    if (hit !== undefined) {
      return refuse('EINVAL', `The region at ${hex(base)} overlaps region ${hit.index} at ${hex(hit.base)}.`, INSERT)
    }
    if (address % BigInt(FRAME_ALIGN) !== 0n)
      return refuse('EINVAL', `${hex(address)} is not a multiple of 64 KiB.`, INSERT)
    if (base >= limits.ipaEnd || base + size > limits.ipaEnd) {
      return refuse('E2BIG', `The region at ${hex(base)} ends beyond the guest's physical address space.`, INSERT)
    }
    const kept = this.all
    this.all = [...kept, { index, base, count, vcpus: [] }]
    for (let vcpu = 0; vcpu < limits.vcpus; vcpu += 1) {
      const wrong = this.place(vcpu, limits)
      if (wrong !== undefined) {
        this.all = kept
        if (this.refusalTakesFrames()) this.lost = Math.max(this.lost, vcpu)
        return wrong
      }
    }
    return undefined
  }

  /** Gives a vCPU the next free frame; without one it stays without, which the first run finds. */
  place(vcpu: number, limits: Limits): Refusal | undefined {
    if (this.has(vcpu)) return undefined
    const region = this.all.find(({ count, vcpus }) => count === 0 || vcpus.length < count)
    if (region === undefined) return undefined
    const wrong = this.checkBases(limits)
    if (wrong === undefined) region.vcpus.push(vcpu)
    return wrong
  }

  checkBases({ distributor, vcpus, ipaEnd }: Limits): Refusal | undefined {
    for (const region of this.all) {
      const size = this.size(region, vcpus)
      if (distributor !== undefined && overlap(region.base, size, distributor, GICD_SIZE)) {
        return refuse('EINVAL', `Redistributor region ${region.index} overlaps the distributor.`, CHECK)
      }
      if (region.base + size > ipaEnd) {
        return refuse(
          'EINVAL',
          `Redistributor region ${region.index} ends beyond the guest's physical address space.`,
          CHECK,
        )
      }
    }
    return undefined
  }

  /** GICR_TYPER.Last: vgic_mmio_vcpu_rdist_is_last(). */
  isLast(vcpu: number): boolean {
    const region = this.all.find(({ vcpus }) => vcpus.includes(vcpu))
    if (region === undefined || region.vcpus.at(-1) !== vcpu) return false
    if (region.count === 0 || region.vcpus.length < region.count) return true
    // A full region goes on where another, which is in use, starts at its end.
    const end = region.base + region.count * GICR_SIZE
    return !this.all.some((other) => other.base === end && other.vcpus.length > 0)
  }
}
