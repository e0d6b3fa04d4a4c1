/**
 * The places where the accounts of Aff3 may differ. A point is one question about KVM, with typed facts and a
 * typed answer; a rule set answers every point. The engine, the findings beside the editor and the
 * "which path sees Aff3?" matrix all ask the same points, and none of them knows which rule set it asks.
 */
import type { Affinity } from '../arch/affinity.ts'
import type { HostProfile } from '../blueprint/host.ts'
import type { Errno } from '../uapi/errno.ts'

export type { HostProfile, KernelBase, RuleSetId } from '../blueprint/host.ts'

export interface Point<Facts, Answer> {
  /** A sentence: what this rule set does. */
  readonly title: string
  /** A Linux function or file, or a place in ARCHITECTURE.md. */
  readonly source: string
  readonly decide: (facts: Facts) => Answer
}

/** Identity, for its type: the facts and the answer come from the row of `VgicRules` it stands in. */
export const point = <Facts, Answer>(definition: Point<Facts, Answer>): Point<Facts, Answer> => definition

/** What the rules may ask about a VM. The engine keeps one record per VM and changes it in place. */
export interface VmFacts {
  readonly host: HostProfile
  /** The in-kernel GIC of this VM. */
  gic: 'none' | 2 | 3
  /** Execution state of EL1; AArch32 has no Aff3. */
  el1: 64 | 32
  /** ICC_CTLR_EL1.A3V as this VM has it, where the rule set lets a VM have its own. */
  guestA3v: boolean
  /** Whether guestA3v can no longer change. */
  pinned: boolean
  /** GICD_IIDR.Revision. */
  revision: number
  /** Whether some vCPU has run. */
  hasRun: boolean
  /** Whether an ITS device was created. */
  hasIts: boolean
}

export interface Refusal {
  readonly ok: false
  readonly errno: Errno
  readonly why: string
  readonly source: string
}

export const refuse = (errno: Errno, why: string, source: string): Refusal => ({ ok: false, errno, why, source })

/** `note` tells what was lost or changed on the way, for a person who wonders. */
export type Stored = { readonly ok: true; readonly stored: bigint; readonly note?: string }

export interface RouterWrite {
  /** The affinity the SPI's record holds now. */
  readonly stored: Affinity
  /** What was written: 64 bits, or the 32 bits of one half. */
  readonly value: bigint
  readonly width: 4 | 8
  /** Which half a 32-bit access addresses; `low` for a 64-bit one. */
  readonly half: 'low' | 'high'
  readonly vm: Readonly<VmFacts>
}

export interface RouterWritten {
  readonly stored: Affinity
  /** Whether the SPI's target is looked up again. */
  readonly resolve: boolean
  readonly note?: string
}

export type RouterRead = Omit<RouterWrite, 'value'>

/** Where the vCPU behind an affinity is found, and what duplicates do. */
export interface AffinityLookup {
  /** Whether a table is built when a VM with more than one vCPU first runs; in it the last of several duplicates wins. */
  readonly table: boolean
  /** Whether a miss in the table falls back to the search in creation order (the first duplicate wins). */
  readonly fallback: boolean
}

/** How ICC_SGI1R_EL1 finds its targets. */
export interface SgiDelivery {
  /** `lookup`: each affinity of the list through the lookup. `walk`: every vCPU in creation order takes its bit out of the list. */
  readonly list: 'lookup' | 'walk'
  /** Who is left out of a broadcast: the writer, or the vCPU whose index equals the writer's id. */
  readonly broadcastSkips: 'writer' | 'index-of-writer-id'
}

/** Every point, answered. */
export interface VgicRules {
  // MPIDR_EL1
  readonly setMpidr: Point<{ vm: Readonly<VmFacts>; current: bigint; value: bigint }, Stored | Refusal>
  readonly mpidrAtReinit: Point<void, 'keep' | 'reset'>
  readonly mpidrAtCpuOn: Point<void, 'keep' | 'reset'>
  readonly lookupAffinity: Point<void, AffinityLookup>

  // Redistributors
  readonly typerAffinity: Point<{ vm: Readonly<VmFacts>; affinity: Affinity }, Affinity>
  /** The affinity in the record of an SGI or PPI, as vgic-state shows it. */
  readonly privateIrqAffinity: Point<{ atInit: Affinity; now: Affinity }, Affinity>

  /** What a redistributor region that is refused does to the frames that were given out before it. */
  readonly refusedRegion: Point<void, 'nothing' | 'takes-frames'>

  // GICD_IROUTER
  readonly irouterWrite: Point<RouterWrite, RouterWritten>
  readonly irouterRead: Point<RouterRead, bigint>
  /** The target of an SPI whose IROUTER was never written. */
  readonly retargetSource: Point<void, 'index-0' | 'lookup'>
  /** Whether targets follow a change of some vCPU's MPIDR, or of what the VM sees of Aff3. */
  readonly retargetOnMpidrChange: Point<void, boolean>
  /** Whether a pending SPI that had no target is queued when a route gives it one. */
  readonly queueOnRoute: Point<void, boolean>

  // Distributor
  readonly distributorTyperA3v: Point<{ vm: Readonly<VmFacts> }, boolean>
  readonly iidrDefaultRevision: Point<{ vm: Readonly<VmFacts> }, number>
  readonly iidrWrite: Point<
    { vm: Readonly<VmFacts>; revision: number; aff3InUse: boolean },
    { ok: true; revision: number; note?: string } | Refusal
  >

  // CPU interface
  readonly guestA3vAtCreation: Point<{ vm: Readonly<VmFacts> }, boolean>
  /** ICC_CTLR_EL1.A3V in a guest's read. */
  readonly iccCtlrA3vGuest: Point<{ vm: Readonly<VmFacts> }, boolean>
  /** ICC_CTLR_EL1.A3V in userspace's read. */
  readonly iccCtlrA3vUser: Point<{ vm: Readonly<VmFacts> }, boolean>
  readonly iccCtlrSetA3v: Point<
    { vm: Readonly<VmFacts>; value: boolean; aff3InUse: boolean },
    { ok: true; guestA3v: boolean; pinned: boolean } | Refusal
  >
  /** Whether a refused ICC_CTLR_EL1 write leaves everything as it was (or has already lowered PRIbits and IDbits). */
  readonly iccCtlrSetAtomic: Point<void, boolean>
  /** Whether ICC_CTLR_EL1 must be trapped (ICH_HCR_EL2.TC) because the guest's A3V is not the host's. */
  readonly trapForA3v: Point<{ vm: Readonly<VmFacts> }, boolean>
  /** ICH_VTR_EL2.A3V as a nested guest sees it. */
  readonly nestedVtrA3v: Point<{ vm: Readonly<VmFacts> }, boolean>

  // ITS
  /** What the RDbase of a command counts: the ids that vCPUs were created with, or their order. */
  readonly itsTarget: Point<void, 'id' | 'index'>
  /** When an ITS forgets what it was told of a table: as its GITS_BASER<n> loses Valid, or with any change of it. */
  readonly itsForgets: Point<void, 'invalid' | 'changed'>

  // SGIs, attributes, PSCI, debugfs
  readonly sgiAffinityCompare: Point<{ sgi: Affinity; cpu: Affinity }, boolean>
  readonly sgiDelivery: Point<void, SgiDelivery>
  readonly attrAffinity: Point<{ attr: Affinity; cpu: Affinity }, boolean>
  readonly cpuOnAffinity: Point<{ target: Affinity; cpu: Affinity }, boolean>
  /** Whose features the first KVM_ARM_VCPU_INIT decides over: of its vCPU, or of all of the VM. */
  readonly vcpuFeatures: Point<void, 'vcpu' | 'vm'>
  /** Whether a trapped SMC is served like an HVC. */
  readonly smcIsPsci: Point<void, boolean>
  /** How the device attributes of a vGICv2 name a vCPU. */
  readonly v2AttrCpu: Point<void, 'id' | 'index'>
  /** How KVM_IRQ_LINE names the vCPU of a PPI: by its id; or a place, whose vCPU's id is a place again. */
  readonly irqLineCpu: Point<void, 'id' | 'place-of-place'>
  /** How debugfs vgic-state names a vCPU. */
  readonly vgicDebugCpu: Point<void, 'id' | 'index'>
  /** The TARGET column of debugfs vgic-state, padded as printf pads it. */
  readonly vgicDebugTarget: Point<{ affinity: Affinity }, string>
}

/** The facts of a VM before anything has happened to it. */
export const newVmFacts = (host: HostProfile, rules: VgicRules): VmFacts => {
  const vm: VmFacts = {
    host,
    gic: 'none',
    el1: 64,
    guestA3v: false,
    pinned: false,
    revision: 0,
    hasRun: false,
    hasIts: false,
  }
  vm.revision = rules.iidrDefaultRevision.decide({ vm })
  vm.guestA3v = rules.guestA3vAtCreation.decide({ vm })
  return vm
}
