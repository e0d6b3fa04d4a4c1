/** MPIDR_EL1: what userspace writes, what stays, who answers to an affinity. */
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { PSCI, SMC64 } from '../../pure/arch/psci.ts'
import { ONE_REG } from '../../pure/uapi/one-reg.ts'
import { gv, hex, psci } from './answers.ts'
import { CaseVm } from './case-vm.ts'
import type { Env, KvmCase } from './kvm-case.ts'
import { RAM } from './places.ts'
import { four, fourWithout, vcpus } from './set-ups.ts'

const { H0, H1, H2, HC } = HOST_PRESETS

const AFF3 = 0x1_8000_0001n
const NINE = 0x8000_0009n

const setGet = (vm: CaseVm, vcpu: number, value: bigint): string => `${vm.setMpidr(vcpu, value)}, ${vm.mpidr(vcpu)}`

const ids = (env: Env, all: readonly number[], from: number): string => {
  const vm = new CaseVm(env)
  for (const id of all) vm.must(vm.add(id))
  return all.flatMap((_, vcpu) => (vcpu < from ? [] : [vm.mpidr(vcpu)])).join(', ')
}

const twin = (env: Env): CaseVm => {
  const vm = four(env)
  vm.setMpidr(2, 0x8000_0001n)
  return vm
}

export const mpidrCases: readonly KvmCase[] = [
  {
    id: 'C01',
    title: 'a vCPU starts with its id as affinity',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return vm.ids.map((_, vcpu) => vm.mpidr(vcpu)).join(', ')
    },
    mainline: '80000000, 80000001, 80000002, 80000003',
  },
  {
    id: 'C02',
    title: 'sixteen vCPUs share an Aff1',
    host: H1,
    run: (env) => ids(env, [0, 16, 17], 0),
    mainline: '80000000, 80000100, 80000101',
  },
  {
    id: 'C03',
    title: 'the highest id has Aff2 0 still',
    host: H1,
    run: (env) => ids(env, [0, 511], 1),
    mainline: '80001f0f',
  },
  { id: 'C04', title: 'there is no id 512', host: H1, run: (env) => new CaseVm(env).create(512), mainline: 'EINVAL' },
  {
    id: 'C05',
    title: 'Aff3 is stored',
    host: H1,
    run: (env) => setGet(four(env), 1, AFF3),
    mainline: '0, 180000001',
  },
  {
    id: 'C06',
    title: 'Aff3 on a host without A3V',
    host: H0,
    run: (env) => setGet(four(env), 1, AFF3),
    mainline: '0, 180000001',
    patch: '0, 80000001',
    full: '0, 180000001',
  },
  {
    id: 'C07',
    title: 'Aff3 with a GICv2 on a GICv2 host',
    host: H2,
    run: (env) => {
      const vm = vcpus(env, 2)
      return setGet(vm.must(vm.v2()), 1, AFF3)
    },
    mainline: '0, 180000001',
    patch: '0, 80000001',
    full: '0, 180000001',
  },
  {
    id: 'C08',
    title: 'Aff3 with a GICv2 on a GICv3 host',
    host: HC,
    run: (env) => {
      const vm = vcpus(env, 2)
      return setGet(vm.must(vm.v2()), 1, AFF3)
    },
    mainline: '0, 180000001',
  },
  {
    id: 'C09',
    title: 'Aff3 with AArch32 at EL1',
    host: H1,
    run: (env) => setGet(four(env, 'EL1_32BIT'), 1, AFF3),
    mainline: '0, 180000001',
    patch: '0, 80000001',
    full: 'EINVAL, 80000001',
  },
  {
    id: 'C10',
    title: 'another affinity with AArch32 at EL1',
    host: H0,
    run: (env) => four(env, 'EL1_32BIT').setMpidr(1, NINE),
    mainline: '0',
  },
  { id: 'C11', title: 'bit 31 clear', host: H1, run: (env) => setGet(four(env), 1, 0n), mainline: '0, 0' },
  {
    id: 'C12',
    title: 'every bit set',
    host: H1,
    run: (env) => setGet(four(env), 1, 2n ** 64n - 1n),
    mainline: '0, ffffffffffffffff',
  },
  {
    id: 'C13',
    title: 'another affinity after the first run',
    host: H1,
    run: (env) => four(env).runAll().setMpidr(1, NINE),
    mainline: '0',
    full: 'EBUSY',
  },
  {
    id: 'C14',
    title: 'the same affinity after the first run',
    host: H1,
    run: (env) => four(env).runAll().setMpidr(1, 0xc000_0001n),
    mainline: '0',
  },
  { id: 'C15', title: 'a duplicate', host: H1, run: (env) => four(env).setMpidr(2, 0x8000_0001n), mainline: '0' },
  {
    id: 'C16',
    title: 'who answers to a duplicate before the first run',
    host: H1,
    run: (env) => hex(twin(env).ur(1, 8), 8),
    mainline: '00000100',
  },
  {
    id: 'C17',
    title: 'who answers to a duplicate after the first run',
    host: H1,
    run: (env) => hex(twin(env).runAll().ur(1, 8), 8),
    mainline: '00000200',
    full: '00000100',
    older: '00000100',
  },
  {
    id: 'C18',
    title: 'MPIDR_EL1 after a second KVM_ARM_VCPU_INIT',
    host: H1,
    run: (env) => {
      const vm = four(env)
      vm.setMpidr(1, NINE)
      return vm.must(vm.init(1)).mpidr(1)
    },
    mainline: '80000009',
    patch: '80000001',
    full: '80000009',
    older: '80000001',
  },
  {
    id: 'C19',
    title: 'MPIDR_EL1 after CPU_ON',
    host: H1,
    run: (env) => {
      const vm = fourWithout(env, 1)
      vm.setMpidr(1, NINE)
      return `${psci(vm.hvc(0, PSCI.CPU_ON.id | SMC64, 9, RAM))}, ${gv(vm.guestMpidr(1))}`
    },
    mainline: 'SUCCESS, 80000009',
    patch: 'SUCCESS, 80000001',
    full: 'SUCCESS, 80000009',
    older: 'SUCCESS, 80000001',
  },
  {
    id: 'C20',
    title: 'an affinity that changed after the first run',
    host: H1,
    run: (env) => {
      const vm = four(env).runAll()
      vm.setMpidr(3, 0x8000_0040n)
      const { error, value } = vm.get(5, (0x40n << 32n) | 8n)
      return error === '0' ? hex(value, 8) : error
    },
    mainline: '00000310',
    patch: 'EINVAL',
    full: 'EINVAL',
  },
  {
    id: 'C21',
    title: 'MPIDR_EL1 of a vCPU that was not initialised',
    host: H1,
    run: (env) => {
      const vm = new CaseVm(env)
      vm.must(vm.create(0))
      const answer = vm.call({ call: 'KVM_GET_ONE_REG', vcpu: 0, reg: ONE_REG.MPIDR_EL1 })
      return answer.ok ? '0' : answer.errno
    },
    mainline: 'ENOEXEC',
  },
  {
    id: 'C22',
    title: 'Aff3 in a VM with A3V = 0',
    host: H0,
    run: (env) => {
      const vm = four(env)
      return vm.must(vm.setCtlr(0x0400)).setMpidr(1, AFF3)
    },
    mainline: '0',
    full: 'EINVAL',
  },
]
