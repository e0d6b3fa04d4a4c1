/** Machines beside each other, by the registers a guest would read and by what becomes of it. */
import { affinityText, irouterAffinity, mpidrOf, typerAffinity } from '../arch/affinity.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { forecast } from './forecast.ts'
import type { VcpuForecast } from './forecast.ts'

export interface ComparedRow {
  /** The register's name, or the question. */
  readonly name: string
  /** One for each machine; `undefined` where a machine has no such thing. */
  readonly values: readonly (string | undefined)[]
  readonly differs: boolean
  /** The vCPU it is about. */
  readonly cpu?: number
}

interface Fact {
  readonly name: string
  readonly value: string
  readonly cpu?: number
  /** What becomes of the machine, as opposed to what it reads. */
  readonly outcome?: true
}

const hex = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`
const bit = (value: boolean): string => (value ? '1' : '0')

const ofVcpu = ({ index, refused, stored, running, shown, finds, cpuOn }: VcpuForecast): readonly Fact[] => {
  const fact = (what: string, value: string): Fact => ({ name: `vCPU ${index}: ${what}`, value, cpu: index })
  const outcome = (what: string, value: string): Fact => ({ ...fact(what, value), outcome: true })
  return [
    fact(
      'KVM_SET_ONE_REG(MPIDR_EL1)',
      refused === undefined ? `0, keeps ${affinityText(stored)}` : `-${refused.errno}`,
    ),
    fact('MPIDR_EL1 once it runs', hex(mpidrOf(running))),
    fact('GICR_TYPER[63:32]', hex(typerAffinity.encode(shown)).slice(0, 10)),
    ...(index === 0
      ? []
      : [
          outcome(
            'PSCI CPU_ON',
            cpuOn === undefined ? 'INVALID_PARAMS' : cpuOn === index ? 'SUCCESS' : `reaches vCPU ${cpuOn}`,
          ),
        ]),
    outcome(
      'search for its redistributor',
      `looks for ${affinityText(stored)}, finds ${finds === undefined ? 'none' : `that of vCPU ${finds}`}`,
    ),
  ]
}

/** What can be said of a machine before it runs, by name. */
export const factsOf = (blueprint: Blueprint): readonly Fact[] => {
  const { rules, vm, vcpus, routes } = forecast(blueprint)
  const v3 = blueprint.gic === 3
  return [
    ...(v3
      ? [
          { name: 'GICD_TYPER.A3V', value: bit(rules.distributorTyperA3v.decide({ vm })) },
          { name: 'ICC_CTLR_EL1.A3V, read by the guest', value: bit(rules.iccCtlrA3vGuest.decide({ vm })) },
          { name: 'ICC_CTLR_EL1.A3V, read by the VMM', value: bit(rules.iccCtlrA3vUser.decide({ vm })) },
          { name: 'GICD_IIDR.Revision', value: String(vm.revision) },
        ]
      : []),
    ...vcpus.flatMap(ofVcpu),
    ...routes.flatMap(({ intid, stored, target }): readonly Fact[] => [
      { name: `GICD_IROUTER${intid}`, value: hex(irouterAffinity.encode(stored)) },
      { name: `INTID ${intid} goes to`, value: target === undefined ? 'nobody' : `vCPU ${target}`, outcome: true },
    ]),
  ]
}

/** The answer first: what becomes of each machine, then the registers that make it so. */
export const compareMachines = (blueprints: readonly Blueprint[]): readonly ComparedRow[] => {
  const all = blueprints.map((blueprint) => new Map(factsOf(blueprint).map((fact) => [fact.name, fact])))
  const facts = all.flatMap((one) => [...one.values()])
  const names = new Set([...facts.filter(({ outcome }) => outcome), ...facts].map(({ name }) => name))
  return [...names].map((name) => {
    const found = all.map((one) => one.get(name))
    const values = found.map((fact) => fact?.value)
    const cpu = found.find((fact) => fact?.cpu !== undefined)?.cpu
    return { name, values, differs: new Set(values).size > 1, ...(cpu === undefined ? {} : { cpu }) }
  })
}
