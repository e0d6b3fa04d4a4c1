/** Machines worth looking at, each as the edits that make it out of the default one. */
import { affinityOf } from '../arch/affinity.ts'
import { defaultBlueprint } from '../blueprint/blueprint.ts'
import type { Edit } from '../blueprint/edits.ts'
import { HOST_PRESETS } from '../blueprint/host.ts'

export interface Scenario {
  readonly id: string
  readonly title: string
  /** What to expect, in a sentence or two. */
  readonly story: string
  /** The vCPU to look at. */
  readonly cpu: number
  readonly edits: readonly Edit[]
}

const moved: Edit = { edit: 'setAffinity', vcpu: 2, affinity: affinityOf({ aff3: 1, aff2: 0, aff1: 0, aff0: 2 }) }

export const SCENARIOS = [
  {
    id: 'default',
    title: 'Four CPUs, as KVM makes them',
    story: 'Every vCPU finds its redistributor.',
    cpu: 0,
    edits: [],
  },
  {
    id: 'aff3',
    title: 'Aff3 without a redistributor',
    story:
      'vCPU 2 is at 1.0.0.2. Under mainline its GICR_TYPER shows no Aff3, so the guest finds no frame for it; under the other rule sets it does.',
    cpu: 2,
    edits: [{ edit: 'setVcpus', vcpus: 4 }, { edit: 'setBase', base: '6.12' }, moved],
  },
  {
    id: 'aff3-maxcpus',
    title: 'Aff3 without a redistributor, maxcpus=2',
    story:
      'The same machine, with a kernel that starts two CPUs and reaches its shell. Bring up the lost one by hand: echo 1 > /sys/devices/system/cpu/cpu2/online',
    cpu: 2,
    edits: [
      { edit: 'setVcpus', vcpus: 4 },
      { edit: 'setBase', base: '6.12' },
      { edit: 'setGuest', guest: { ...defaultBlueprint.guest, append: 'maxcpus=2' } },
      moved,
    ],
  },
  {
    id: 'masked',
    title: 'Two CPUs become one (patch v1, no A3V)',
    story:
      'On a host without A3V the patch clears Aff3 in silence: vCPU 1, asked to be at 1.0.0.0, shares 0.0.0.0 with vCPU 0.',
    cpu: 1,
    edits: [
      { edit: 'setVcpus', vcpus: 2 },
      { edit: 'setRuleSet', ruleSet: 'patch-v1' },
      { edit: 'setHost', host: HOST_PRESETS.H0 },
      { edit: 'setAffinity', vcpu: 1, affinity: affinityOf({ aff3: 1, aff2: 0, aff1: 0, aff0: 0 }) },
    ],
  },
] as const satisfies readonly Scenario[]

export type ScenarioId = (typeof SCENARIOS)[number]['id']
