/** SGIs: ICC_SGI1R_EL1 and its siblings. */
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { gv, hex, sgis } from './answers.ts'
import { CaseVm } from './case-vm.ts'
import type { Env, KvmCase } from './kvm-case.ts'
import { SGI } from './places.ts'
import { four, vcpus } from './set-ups.ts'

const { H0, H1, H2 } = HOST_PRESETS

export interface SgiFields {
  readonly aff3?: number
  readonly id: number
  readonly list?: number
  readonly rs?: number
  readonly allButSelf?: boolean
}

/** ICC_SGI1R_EL1 (12.2.25); Aff2 and Aff1 are 0 in all rows. */
export const sgi1r = ({ aff3 = 0, id, list = 0, rs = 0, allButSelf = false }: SgiFields): bigint =>
  (BigInt(aff3) << 48n) | (BigInt(rs) << 44n) | (BigInt(allButSelf) << 40n) | (BigInt(id) << 24n) | BigInt(list)

const send = (vm: CaseVm, vcpu: number, fields: SgiFields): string => {
  vm.msr(vcpu, 'ICC_SGI1R_EL1', sgi1r(fields))
  return sgis(vm.takers(fields.id))
}

const at = (env: Env, mpidr: bigint): CaseVm => {
  const vm = four(env).listening()
  vm.setMpidr(1, mpidr)
  return vm
}

/** As `at`, with the affinity given before the VM runs, so that every rule set takes it. */
const born = (env: Env, mpidr: bigint): CaseVm => {
  const vm = four(env)
  vm.setMpidr(1, mpidr)
  return vm.listening()
}

const AFF3 = 0x1_8000_0001n

export const sgiCases: readonly KvmCase[] = [
  {
    id: 'C61',
    title: 'the CPUs of the list',
    host: H1,
    run: (env) => send(four(env).listening(), 0, { id: 5, list: 6 }),
    mainline: '1 2',
  },
  {
    id: 'C62',
    title: 'all but the writer',
    host: H1,
    run: (env) => send(four(env).listening(), 1, { id: 3, allButSelf: true }),
    mainline: '0 2 3',
  },
  {
    id: 'C63',
    title: 'a CPU with Aff3',
    host: H1,
    run: (env) => send(born(env, AFF3), 0, { aff3: 1, id: 5, list: 2 }),
    mainline: '1',
  },
  {
    id: 'C64',
    title: 'a CPU with Aff3 on a host without A3V',
    host: H0,
    run: (env) => send(born(env, AFF3), 0, { aff3: 1, id: 5, list: 2 }),
    mainline: '1',
    patch: 'none',
    full: '1',
  },
  {
    id: 'C65',
    title: 'a CPU with Aff3, called without it',
    host: H1,
    run: (env) => send(born(env, AFF3), 0, { id: 5, list: 2 }),
    mainline: 'none',
  },
  {
    id: 'C66',
    title: 'the range selector is not looked at',
    host: H1,
    run: (env) => send(four(env).listening(), 0, { rs: 1, id: 5, list: 2 }),
    mainline: '1',
  },
  {
    id: 'C67',
    title: 'a CPU with Aff0 above 15 cannot be called',
    host: H1,
    run: (env) => send(born(env, 0x8000_0011n), 0, { rs: 1, id: 5, list: 2 }),
    mainline: 'none',
  },
  {
    id: 'C68',
    title: 'ICC_SGI0R_EL1 does not raise an SGI of Group 1',
    host: H1,
    run: (env) => {
      const vm = four(env).listening()
      vm.msr(0, 'ICC_SGI0R_EL1', sgi1r({ id: 4, list: 2 }))
      return `ISPENDR0 bit 4 of vCPU 1: ${(vm.ur(1, 0x10200) >> 4n) & 1n}`
    },
    mainline: 'ISPENDR0 bit 4 of vCPU 1: 0',
  },
  {
    id: 'C69',
    title: 'ICC_SGI0R_EL1 raises an SGI of Group 0',
    host: H1,
    run: (env) => {
      const vm = four(env)
        .listening()
        .w32(1, SGI(1) + 0x80, 0xffff_ffef)
      vm.msr(0, 'ICC_SGI0R_EL1', sgi1r({ id: 4, list: 2 }))
      const pending = hex((vm.r32(0, SGI(1) + 0x200) >> 4n) & 1n)
      vm.msr(1, 'ICC_IGRPEN0_EL1', 1)
      return `pending ${pending}, IAR0 of vCPU 1: ${gv(vm.mrs(1, 'ICC_IAR0_EL1'))}`
    },
    mainline: 'pending 1, IAR0 of vCPU 1: 4',
  },
  {
    id: 'C70',
    title: 'ICC_SGI1R_EL1 cannot be read',
    host: H1,
    run: (env) => gv(four(env).mrs(0, 'ICC_SGI1R_EL1')),
    mainline: 'UNDEF',
  },
  {
    id: 'C71',
    title: 'a GICv2 has no ICC_SGI1R_EL1',
    host: H2,
    run: (env) => {
      const vm = vcpus(env, 2)
      return gv(vm.must(vm.v2()).msr(0, 'ICC_SGI1R_EL1', 2))
    },
    mainline: 'UNDEF',
  },
  {
    id: 'C72',
    title: 'the writer itself',
    host: H1,
    run: (env) => send(four(env).listening(), 2, { id: 1, list: 4 }),
    mainline: '2',
  },
  {
    id: 'S01',
    title: 'a CPU that moved after the first run',
    host: H1,
    run: (env) => send(at(env, 0x8000_0008n), 0, { id: 5, list: 1 << 8 }),
    mainline: '1',
    patch: 'none',
    full: 'none',
  },
]
