/** Blueprints at random: those of a form, and those with a plan that a person changed. */
import * as fc from './property.ts'
import { GICD_IIDR } from '../pure/arch/gic/gicd.ts'
import { encodeIccControl, ICC } from '../pure/arch/sysregs/gic-cpu.ts'
import { defaultBlueprint } from '../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../pure/blueprint/blueprint.ts'
import { HOST_PRESETS, KERNEL_BASES, RULE_SETS } from '../pure/blueprint/host.ts'
import { derivedLines, PLAN_ORDER_IDS } from '../pure/blueprint/plan.ts'
import { callText } from '../pure/uapi/calls.ts'
import { setAttr } from '../pure/uapi/registers/row.ts'
import { registerAttr, VGIC_GROUP } from '../pure/uapi/vgic-attr.ts'

/** Few values a level, so that duplicates and near misses are common. */
const affinity = fc
  .tuple(fc.constantFrom(0, 1, 0x80), fc.constantFrom(0, 2), fc.constantFrom(0, 1), fc.nat(5))
  .map(([aff3, aff2, aff1, aff0]) => ((aff3 << 24) | (aff2 << 16) | (aff1 << 8) | aff0) >>> 0)

export const anyBlueprint = fc
  .record({
    ruleSet: fc.constantFrom(...RULE_SETS),
    base: fc.constantFrom(...KERNEL_BASES),
    host: fc.constantFrom(HOST_PRESETS.H1, HOST_PRESETS.H0),
    vcpus: fc.integer({ min: 1, max: 6 }),
    changes: fc.dictionary(fc.nat(5).map(String), affinity),
    routes: fc.dictionary(fc.integer({ min: 32, max: 287 }).map(String), affinity, { maxKeys: 4 }),
  })
  .map(({ changes, ...rest }): Blueprint => {
    const affinities = Object.fromEntries(Object.entries(changes).filter(([vcpu]) => Number(vcpu) < rest.vcpus))
    return { ...defaultBlueprint, ...rest, affinities }
  })

/** GICD_IIDR of another revision, or one that differs in more than that. */
const revision = fc
  .constantFrom(0x4b00_043bn, 0x4b00_143bn, 0x4b00_243bn, 0x4b00_343bn, 0x4b00_443bn, 0x4b00_543bn, 0x43bn)
  .map((value) => setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, GICD_IIDR.offset), value))

/** ICC_CTLR_EL1 of a vCPU, as its host has it and as others have. */
const control = fc
  .record({
    at: affinity,
    a3v: fc.boolean(),
    priBits: fc.constantFrom(4, 5, 5, 5, 6),
    idBits: fc.constantFrom(0, 0, 0, 1),
    seis: fc.constantFrom(false, false, false, true),
  })
  .map(({ at, ...rest }) =>
    setAttr(
      VGIC_GROUP.CPU_SYSREGS,
      registerAttr(at, ICC.ICC_CTLR_EL1),
      encodeIccControl({ cbpr: false, eoiMode: false, ...rest }),
    ),
  )

/**
 * What a person may do to a plan: whose order, which lines elsewhere, a vCPU initialised once more, and what the VM is told to
 * show of itself.
 */
const hand = fc.record({
  order: fc.constantFrom(...PLAN_ORDER_IDS),
  moves: fc.array(fc.tuple(fc.nat(99), fc.nat(99)), { maxLength: 6 }),
  again: fc.array(fc.tuple(fc.nat(5), fc.nat(99)), { maxLength: 2 }),
  told: fc.array(fc.tuple(fc.oneof(revision, control), fc.nat(99)), { maxLength: 3 }),
})

/** Affinities and routes may stand anywhere, and vCPUs be created in any order; the rest keeps a machine a machine. */
const MOVABLE = [/MPIDR_EL1/, /DIST_REGS/, /KVM_CREATE_VCPU/] as const

export const anyByHand = fc.tuple(anyBlueprint, hand).map(([blueprint, { order, moves, again, told }]): Blueprint => {
  let plan = [...derivedLines(blueprint, order)]
  const places = (kind: RegExp): number[] => plan.flatMap((line, place) => (kind.test(line) ? [place] : []))
  for (const [from, to] of moves) {
    const kind = MOVABLE[from % MOVABLE.length] ?? /^$/
    const all = places(kind)
    const place = all[from % Math.max(1, all.length)]
    const line = plan[place ?? -1]
    // kvmtool initialises each vCPU as it creates it.
    const early = order === 'kvmtool' && line?.startsWith('KVM_CREATE_VCPU') === true
    if (place === undefined || line === undefined || early) continue
    const target = kind.source.includes('CREATE') ? all[to % all.length] : 1 + (to % (plan.length - 1))
    plan = plan.toSpliced(place, 1).toSpliced(target ?? place, 0, line)
  }
  for (const [vcpu, to] of again) {
    const line = plan.find((one) => one.startsWith(`KVM_ARM_VCPU_INIT vcpu ${vcpu} `))
    if (line !== undefined)
      plan = plan.toSpliced(plan.indexOf(line) + 1 + (to % (plan.length - plan.indexOf(line))), 0, line)
  }
  for (const [call, to] of told) plan = plan.toSpliced(1 + (to % plan.length), 0, callText(call))
  return { ...blueprint, plan }
})
