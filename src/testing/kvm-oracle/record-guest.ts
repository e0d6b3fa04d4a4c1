/**
 * Boots the prepared Linux guest on real KVM, with a vCPU that has an Aff3, and prints what it says of it:
 * `npx tsx src/testing/kvm-oracle/record-guest.ts linux-6.12 c112`. The kernel is the host's; the guest is linux-6.1. The
 * case says which vCPU it is: c112 the second, c113 the first.
 */
import { PPI } from '../../pure/arch/intid.ts'
import { affinityOf, mpidrOf, resetAffinity } from '../../pure/arch/affinity.ts'
import { deviceTree } from '../../pure/blueprint/device-tree.ts'
import { GUEST_CASES, GUEST_KERNEL } from './guest-cases.ts'
import { filesOf } from '../guest-machine.ts'
import { askKvm, kernelImage } from './on-kvm.ts'

const [kernel = 'linux-6.12', name = 'c112'] = process.argv.slice(2)
const found = GUEST_CASES.find((one) => one.name === name)
if (found === undefined) throw new Error(`there is no case ${name}: ${GUEST_CASES.map((one) => one.name).join(', ')}`)
const { cpu } = found

/** As linuxguest.c has it. */
const MEMORY = 128 * 2 ** 20
const affinities = [0, 1].map((id) =>
  id === cpu ? affinityOf({ aff3: 1, aff2: 0, aff1: 0, aff0: id }) : resetAffinity(id),
)
const { append } = filesOf(GUEST_KERNEL)
const dtb = deviceTree({
  cpu: 'cortex-a57',
  gic: 3,
  its: false,
  pmu: PPI.pmu,
  affinities,
  memory: MEMORY,
  bootargs: append,
})
const lines = askKvm({
  program: 'linuxguest.c',
  kernel,
  gic: '3',
  files: [
    { name: 'guest-Image', bytes: kernelImage(GUEST_KERNEL) },
    { name: 'guest.dtb', bytes: dtb },
  ],
  environment: [`MP${cpu}=${mpidrOf(affinities[cpu] ?? 0).toString(16)}`],
})

/** Of what a guest prints, the lines about its CPUs and its end. */
const TELLING =
  /redistributor|re-distributor|smp: Br|Booted secondary|PIPT I-cache on CPU1|pc : |paging request|Internal error|Kernel panic/
const telling = lines.filter(
  (line) => /^# (setup|vCPU|in guest)/.test(line) || (line.startsWith('guest: ') && TELLING.test(line)),
)
process.stdout.write(
  `## host kernel ${kernel.replace('linux-', '')}, case ${name}\n${[...new Set(telling)].join('\n')}\n`,
)
