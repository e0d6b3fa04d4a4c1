/** A forecast is what the engine does: both ask the same points, but only the engine has a VM to ask about. */
import * as fc from '../../testing/property.ts'
import { expect, it } from 'vitest'
import { mpidrAffinity, typerAffinity } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import { PSCI, PSCI_RETURN, SMC64 } from '../../pure/arch/psci.ts'
import { GICD_IIDR, GICD_TYPER } from '../../pure/arch/gic/gicd.ts'
import { GICR_SIZE } from '../../pure/arch/gic/gicr.ts'
import { decodeField } from '../../pure/arch/register.ts'
import type { Register } from '../../pure/arch/register.ts'
import { decodeIccControl, ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { memoryMap } from '../../pure/blueprint/memory-map.ts'
import { planOf } from '../../pure/blueprint/plan.ts'
import { Kvm } from './kvm.ts'
import { anyBlueprint, anyByHand } from '../../testing/any-blueprint.ts'
import { TestMachine } from '../../testing/test-machine.ts'
import { findings } from '../../pure/rules/check.ts'
import { forecast } from '../../pure/rules/forecast.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import { registerAttr, VGIC_GROUP } from '../../pure/uapi/vgic-attr.ts'

const GICR_TYPER = 8

/** What a VM shows of itself: GICD_IIDR.Revision, ICC_CTLR_EL1.A3V as userspace reads it, GICD_TYPER.A3V. */
const told = (kvm: Kvm, affinity: Affinity) => {
  const read = (group: number, attr: bigint): bigint => {
    const answer = kvm.execute({ call: 'KVM_GET_DEVICE_ATTR', group, attr })
    return answer.ok ? (answer.value ?? 0n) : 0n
  }
  const distributor = (register: Register): bigint => read(VGIC_GROUP.DIST_REGS, registerAttr(0, register.offset))
  return {
    revision: Number(decodeField(GICD_IIDR, 'Revision', distributor(GICD_IIDR))),
    a3v: decodeIccControl(read(VGIC_GROUP.CPU_SYSREGS, registerAttr(affinity, ICC.ICC_CTLR_EL1))).a3v,
    typerA3v: decodeField(GICD_TYPER, 'A3V', distributor(GICD_TYPER)) === 1n,
  }
}

it('a forecast is what the plan, the boot CPU and the redistributors make of the blueprint', () => {
  fc.assert(
    fc.property(fc.oneof(anyBlueprint, anyByHand), (blueprint) => {
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
      expect(told(kvm, expected.vcpus[0]?.stored ?? 0)).toEqual({
        revision: expected.vm.revision,
        a3v: expected.rules.iccCtlrA3vUser.decide({ vm: expected.vm }),
        typerA3v: expected.rules.distributorTyperA3v.decide({ vm: expected.vm }),
      })
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
    fc.property(anyBlueprint, (blueprint) => {
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
