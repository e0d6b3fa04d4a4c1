/** GICR_TYPER and where the redistributors lie. */
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { hex } from './answers.ts'
import { CaseVm } from './case-vm.ts'
import type { Env, KvmCase } from './kvm-case.ts'
import { AT, G, GICD, GICR, ITS, RD } from './places.ts'
import { four, inTheMaking } from './set-ups.ts'

const { H0, H1 } = HOST_PRESETS

const withAff3 = (env: Env): CaseVm => {
  const vm = four(env)
  vm.setMpidr(1, 0x1_8000_0001n)
  return vm
}

/** Created in this order, as the selftest vgic_init does. */
const ODD = [0, 3, 5, 4, 1, 2]

const touchingRegions = (env: Env, n: number): string => {
  const regions = [
    [1, 0x200000],
    [1, 0x220000],
  ] as const
  const vm = inTheMaking(env, n, { dist: GICD, regions, init: true })
  return vm.ids.map((id) => vm.typerLow(id)).join(', ')
}

export const redistributorCases: readonly KvmCase[] = [
  {
    id: 'C23',
    title: 'the first and the last redistributor',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return [0, 3].map((vcpu) => hex(vm.r64(0, RD(vcpu) + 8), 16)).join(', ')
    },
    mainline: '0000000000000000, 0000000300000310',
  },
  {
    id: 'C24',
    title: 'a CPU with Aff3',
    host: H1,
    run: (env) => hex(withAff3(env).r64(0, RD(1) + 8), 16),
    mainline: '0000000100000100',
    patch: '0100000100000100',
    full: '0100000100000100',
  },
  {
    id: 'C25',
    title: 'a CPU with Aff3 on a host without A3V',
    host: H0,
    run: (env) => hex(withAff3(env).r64(0, RD(1) + 8), 16),
    mainline: '0000000100000100',
    full: '0100000100000100',
  },
  {
    id: 'C26',
    title: 'a CPU with Aff3 under distributor revision 3',
    host: H1,
    run: (env) => {
      const vm = withAff3(env)
      return hex(vm.must(vm.set(G.DIST_REGS, 8, 0x4b00_343b)).r64(0, RD(1) + 8), 16)
    },
    mainline: '0000000100000100',
    patch: '0100000100000100',
    full: '0000000100000100',
  },
  {
    id: 'C27',
    title: 'the upper word alone',
    host: H1,
    run: (env) => {
      const vm = four(env)
      vm.setMpidr(1, 0x8005_0607n)
      return hex(vm.r32(0, RD(1) + 12), 8)
    },
    mainline: '00050607',
  },
  {
    id: 'C28',
    title: 'userspace writes it',
    host: H1,
    run: (env) => {
      const vm = four(env)
      const writes = [8, 12].map((offset) => vm.set(G.REDIST_REGS, AT(1, offset), 0xffff_ffff))
      return `${writes.join(' ')}, ${hex(vm.ur(1, 12), 8)} ${hex(vm.ur(1, 8), 8)}`
    },
    mainline: '0 0, 00000001 00000100',
  },
  {
    id: 'C29',
    title: 'Last in three regions, of which two touch',
    host: H1,
    run: (env) => {
      const regions = [
        [2, 0x100000],
        [2, 0x240000],
        [2, 0x200000],
      ] as const
      const vm = inTheMaking(env, ODD, { dist: GICD, regions, init: true })
      return [0, 1, 2, 3, 4, 5].map((id) => vm.typerLow(id)).join(',')
    },
    mainline: '000,100,200,310,410,500',
  },
  {
    id: 'C30',
    title: 'Last in the legacy region',
    host: H1,
    run: (env) => {
      const vm = inTheMaking(env, ODD, { dist: GICD, redist: 0x10000, init: true })
      return ODD.map((id) => vm.typerLow(id)).join(',')
    },
    mainline: '000,300,500,400,100,210',
  },
  {
    id: 'C31',
    title: 'Last before an empty region',
    host: H1,
    run: (env) => touchingRegions(env, 1),
    mainline: '010',
  },
  {
    id: 'C32',
    title: 'Last before a region in use',
    host: H1,
    run: (env) => touchingRegions(env, 2),
    mainline: '000, 110',
  },
  {
    id: 'C33',
    title: 'accesses of 16 and of 8 bits',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return `${hex(vm.read(0, 2, RD(3) + 8))}, ${hex(vm.read(0, 1, RD(3) + 9))}`
    },
    mainline: '0, 0',
  },
  {
    id: 'C34',
    title: 'PLPIS as soon as there is an ITS',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return vm.must(vm.its(ITS)).typerLow(3)
    },
    mainline: '311',
  },
  {
    id: 'C35',
    title: 'Processor_Number is the id',
    host: H1,
    run: (env) => {
      const vm = new CaseVm(env)
      vm.must(vm.add(0))
      vm.must(vm.add(300))
      return hex(vm.must(vm.v3()).r64(0, RD(1) + 8), 16)
    },
    mainline: '0000120c00012c10',
  },
  {
    id: 'C36',
    title: 'the device attribute of a CPU with Aff3',
    host: H1,
    run: (env) => {
      const vm = withAff3(env)
      return `${vm.typ(0x0100_0001)}; ${vm.typ(1)}`
    },
    mainline: '0 (100); EINVAL',
  },
  {
    id: 'C37',
    title: 'the device attribute of a CPU with Aff3 on a host without A3V',
    host: H0,
    run: (env) => {
      const vm = withAff3(env)
      return `${vm.typ(0x0100_0001)}; ${vm.typ(1)}`
    },
    mainline: '0 (100); EINVAL',
    patch: 'EINVAL; 0 (100)',
    full: '0 (100); EINVAL',
  },
  {
    id: 'C38',
    title: 'before the GIC is initialised',
    host: H1,
    run: (env) => {
      const vm = inTheMaking(env, 2, { dist: GICD, redist: GICR })
      return `${vm.typ(1)}; ${vm.typ(2)}`
    },
    mainline: 'EBUSY; EINVAL',
  },
]
