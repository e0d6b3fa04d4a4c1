/** A forecast is what the engine does: both ask the same points, but only the engine has a VM to ask about. */
import * as fc from '../../testing/property.ts'
import { expect, it } from 'vitest'
import { mpidrAffinity, typerAffinity } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import { PSCI, PSCI_RETURN, SMC64 } from '../../pure/arch/psci.ts'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { GICR_SIZE } from '../../pure/arch/gic/gicr.ts'
import { HOST_PRESETS, KERNEL_BASES, RULE_SETS } from '../../pure/blueprint/host.ts'
import { memoryMap } from '../../pure/blueprint/memory-map.ts'
import { derivedLines, PLAN_ORDER_IDS, planOf } from '../../pure/blueprint/plan.ts'
import { Kvm } from './kvm.ts'
import { TestMachine } from '../../testing/test-machine.ts'
import { findings } from '../../pure/rules/check.ts'
import { forecast } from '../../pure/rules/forecast.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'

const GICR_TYPER = 8

/** Few values a level, so that duplicates and near misses are common. */
const affinity = fc
  .tuple(fc.constantFrom(0, 1, 0x80), fc.constantFrom(0, 2), fc.constantFrom(0, 1), fc.nat(5))
  .map(([aff3, aff2, aff1, aff0]) => ((aff3 << 24) | (aff2 << 16) | (aff1 << 8) | aff0) >>> 0)

const blueprints = fc
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

/** What a person may do to a plan: whose order, which lines elsewhere, and a vCPU initialised once more. */
const hand = fc.record({
  order: fc.constantFrom(...PLAN_ORDER_IDS),
  moves: fc.array(fc.tuple(fc.nat(99), fc.nat(99)), { maxLength: 6 }),
  again: fc.array(fc.tuple(fc.nat(5), fc.nat(99)), { maxLength: 2 }),
})

/** Affinities and routes may stand anywhere, and vCPUs be created in any order; the rest keeps a machine a machine. */
const MOVABLE = [/MPIDR_EL1/, /DIST_REGS/, /KVM_CREATE_VCPU/] as const

const byHand = fc.tuple(blueprints, hand).map(([blueprint, { order, moves, again }]): Blueprint => {
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
  return { ...blueprint, plan }
})

it('a forecast is what the plan, the boot CPU and the redistributors make of the blueprint', () => {
  fc.assert(
    fc.property(fc.oneof(blueprints, byHand), (blueprint) => {
      const expected = forecast(blueprint)
      const machine = new TestMachine()
      const kvm = new Kvm({
        hardware: machine,
        rules: rulesFor(blueprint.ruleSet, blueprint.base),
        host: blueprint.host,
      })
      const refused = planOf(blueprint).filter((call) => !kvm.execute(call).ok)
      // By hand, calls may come too early; that KVM says when they are made.
      const foretold = blueprint.plan === undefined ? refused : []
      expect(foretold.map((call) => (call.call === 'KVM_SET_ONE_REG' ? call.vcpu : call))).toEqual(
        expected.vcpus.flatMap((vcpu) =>
          vcpu.refused === undefined || blueprint.plan !== undefined ? [] : [vcpu.index],
        ),
      )
      const affinities = (): number[] => machine.cpus.map(({ mpidr }) => mpidrAffinity.decode(mpidr))
      expect(affinities()).toEqual(expected.vcpus.map(({ stored }) => stored))
      for (const route of expected.routes) {
        expect(kvm.vgic?.irq(0, route.intid)).toMatchObject({ target: route.target ?? -1, affinity: route.stored })
      }
      expect(kvm.firstRun().ok).toBe(true)

      const shown = (): number[] =>
        machine.cpus.map(({ index }) =>
          typerAffinity.decode(machine.load(memoryMap.redistributors[0].base + index * GICR_SIZE + GICR_TYPER, 8)),
        )
      const finds = (wanted: Affinity): number | undefined => {
        const found = shown().indexOf(wanted)
        return found === -1 ? undefined : found
      }
      const [boot, ...others] = expected.vcpus
      expect(finds(boot?.stored ?? 0)).toBe(boot?.finds)
      for (const vcpu of others) {
        const before = machine.cpus.map(({ powered }) => powered)
        const answer = machine.hvc(0, PSCI.CPU_ON.id | SMC64, mpidrAffinity.encode(vcpu.stored), 0n, 0n)
        const turned = machine.cpus.findIndex(({ powered }, cpu) => powered && before[cpu] === false)
        const { cpuOn } = vcpu
        const off = cpuOn !== undefined && before[cpuOn] === false
        const { INVALID_PARAMS, ALREADY_ON, SUCCESS } = PSCI_RETURN
        expect([answer, turned]).toEqual(
          off ? [SUCCESS, cpuOn] : [cpuOn === undefined ? INVALID_PARAMS : ALREADY_ON, -1],
        )
        expect(finds(vcpu.stored)).toBe(vcpu.finds)
      }
      expect(affinities()).toEqual(expected.vcpus.map(({ running }) => running))
      expect(shown()).toEqual(expected.vcpus.map((vcpu) => vcpu.shown))
    }),
    { numRuns: 400, seed: 20240225 },
  )
})

it('a blueprint without findings boots every CPU into its own redistributor', () => {
  let clean = 0
  fc.assert(
    fc.property(blueprints, (blueprint) => {
      if (findings(blueprint).some(({ severity }) => severity === 'error')) return
      clean += 1
      for (const { index, wanted, running, finds, cpuOn } of forecast(blueprint).vcpus) {
        expect({ running, finds, cpuOn }).toEqual({
          running: wanted,
          finds: index,
          cpuOn: index === 0 ? undefined : index,
        })
      }
    }),
    { numRuns: 1000, seed: 7 },
  )
  expect(clean).toBeGreaterThan(50)
})
