/** The device's legality: orders, limits, errors. */
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { hex } from './answers.ts'
import type { KvmCase } from './kvm-case.ts'
import { A, AP0R, AT, G, GICD, GICR } from './places.ts'
import { four, fourWithout, vcpus, inTheMaking } from './set-ups.ts'

const { H1, H2, HC } = HOST_PRESETS

/** ICC_AP1R0_EL1 follows ICC_AP0R3_EL1. */
const AP1R1 = AP0R[3] + 2

export const deviceApiCases: readonly KvmCase[] = [
  {
    id: 'C93',
    title: 'the number of interrupts',
    host: H1,
    run: (env) => {
      const vm = inTheMaking(env, 0)
      return [32, 80, 1024, 992].map((count) => vm.set(G.NR_IRQS, 0, count)).join(', ')
    },
    mainline: 'EINVAL, EINVAL, EINVAL, 0',
  },
  {
    id: 'C94',
    title: 'the number of interrupts, too late',
    host: H1,
    run: (env) => four(env).set(G.NR_IRQS, 0, 256),
    mainline: 'EBUSY',
  },
  {
    id: 'C95',
    title: 'a register while a vCPU is inside KVM_RUN',
    host: H1,
    run: (env) => {
      const vm = fourWithout(env, 2)
      return vm.must(vm.runAndStay(2)).get(G.DIST_REGS, 0).error
    },
    mainline: 'EBUSY',
  },
  {
    id: 'C96',
    title: 'the distributor whatever affinity the attribute has',
    host: H1,
    run: (env) => four(env).get(G.DIST_REGS, AT(0xdead_0000, 4)).error,
    mainline: '0',
  },
  {
    id: 'C97',
    title: 'an active priorities register that five bits of priority do not have',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return `${vm.has(G.CPU_SYSREGS, AP1R1)}, ${vm.get(G.CPU_SYSREGS, AP1R1).error}`
    },
    mainline: '0, EINVAL',
  },
  {
    id: 'C98',
    title: 'the levels of INTIDs 33, 1024 and 32',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return [33, 1024, 32].map((intid) => vm.get(G.LEVEL_INFO, intid).error).join('; ')
    },
    mainline: 'EINVAL; EINVAL; 0',
  },
  {
    id: 'C99',
    title: 'a run without initialisation',
    host: H1,
    run: (env) => inTheMaking(env, 4, { dist: GICD, redist: GICR }).run(0),
    mainline: 'EBUSY',
  },
  {
    id: 'C100',
    title: 'a run with one redistributor too few',
    host: H1,
    run: (env) => inTheMaking(env, 4, { dist: GICD, regions: [[3, 0x0810_0000]], init: true }).run(3),
    mainline: 'ENXIO',
  },
  {
    id: 'C101',
    title: 'a run with the distributor over the last redistributor',
    host: H1,
    run: (env) => inTheMaking(env, 4, { dist: 0x70000, redist: 0, init: true }).run(3),
    mainline: 'EINVAL',
  },
  {
    id: 'C102',
    title: 'a GICv2 for nine vCPUs',
    host: HC,
    run: (env) => vcpus(env, 9).gic(5),
    mainline: 'E2BIG',
  },
  {
    id: 'C102 on H2',
    title: 'a ninth vCPU on a GICv2 host',
    host: H2,
    run: (env) => {
      const vm = vcpus(env, 8)
      return `8 vCPUs 0, vCPU id 8 ${vm.add(8)}, CREATE vGICv2 ${vm.gic(5)}`
    },
    mainline: '8 vCPUs 0, vCPU id 8 EINVAL, CREATE vGICv2 0',
  },
  { id: 'C103', title: 'a second GIC', host: H1, run: (env) => four(env).gic(7), mainline: 'EEXIST' },
  {
    id: 'C104',
    title: 'regions after the legacy one',
    host: H1,
    run: (env) => {
      const vm = inTheMaking(env, 4, { redist: GICR })
      return `${vm.set(G.ADDR, A.V3_REDIST, 0x0900_0000)}; ${vm.region(4, 0x0900_0000, 0)}`
    },
    mainline: 'EEXIST; EINVAL',
  },
  {
    id: 'C105',
    title: 'an offset that is no register',
    host: H1,
    run: (env) => {
      const vm = four(env)
      const { error, value } = vm.get(G.DIST_REGS, 0x4000)
      return `${vm.has(G.DIST_REGS, 0x4000)}, ${error} (value ${hex(value)}), ${vm.set(G.DIST_REGS, 0x4000, 1)}`
    },
    mainline: 'ENXIO, 0 (value 0), 0',
  },
]
