/** ICC_CTLR_EL1, A3V, GICD_TYPER and GICD_IIDR. */
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { gv, hex } from './answers.ts'
import type { KvmCase } from './kvm-case.ts'
import { G, GICD, ITS } from './places.ts'
import { four } from './set-ups.ts'

const { H0, H1 } = HOST_PRESETS

const IIDR = 8
const TYPER = 4

export const iccCtlrCases: readonly KvmCase[] = [
  { id: 'C73', title: 'what userspace reads', host: H1, run: (env) => four(env).ctlr(), mainline: '8400' },
  {
    id: 'C74',
    title: 'what userspace reads on a host without A3V',
    host: H0,
    run: (env) => four(env).ctlr(),
    mainline: '0400',
    full: '8400',
  },
  {
    id: 'C75',
    title: 'A3V = 1 on a host without it',
    host: H0,
    run: (env) => four(env).setCtlr(0x8400),
    mainline: 'EINVAL',
    full: '0',
  },
  {
    id: 'C76',
    title: 'A3V = 0 on a host with it',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return `${vm.setCtlr(0x0400)}, ${hex(vm.ud(TYPER), 8)}`
    },
    mainline: 'EINVAL, 00480007',
    full: '0, 00480007',
  },
  {
    id: 'C77',
    title: 'more priority bits than there are',
    host: H1,
    run: (env) => four(env).setCtlr(0x8700),
    mainline: 'EINVAL',
  },
  {
    id: 'C78',
    title: 'fewer priority bits, for good',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return `${vm.setCtlr(0x8300)}, ${vm.setCtlr(0x8400)}`
    },
    mainline: '0, EINVAL',
  },
  {
    id: 'C79',
    title: 'a write that is refused for SEIS',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return `${vm.setCtlr(0xc300)}, ${vm.ctlr()}`
    },
    mainline: 'EINVAL, 8300',
    full: 'EINVAL, 8400',
  },
  {
    id: 'C80',
    title: 'a write that is refused for A3V',
    host: H0,
    run: (env) => {
      const vm = four(env)
      return `${vm.setCtlr(0x8300)}, ${vm.ctlr()}`
    },
    mainline: 'EINVAL, 0300',
    full: '0, 8300',
  },
  {
    id: 'C81',
    title: 'what the guest reads on a host without A3V',
    host: H0,
    run: (env) => {
      const got = four(env).mrs(0, 'ICC_CTLR_EL1')
      return typeof got === 'string' ? got : `${hex((got >> 15n) & 1n)} (${hex(got)})`
    },
    mainline: '0 (400)',
    full: '1 (8400)',
  },
  {
    id: 'C82',
    title: 'whether ICC_CTLR_EL1 is trapped for A3V on a host without it',
    host: H0,
    run: (env) => {
      const { rules, facts } = four(env).runAll().kvm
      return rules.trapForA3v.decide({ vm: facts }) ? 'yes' : 'no'
    },
    mainline: 'no',
    full: 'yes',
  },
  {
    id: 'C83',
    title: 'A3V = 0 while a CPU has Aff3',
    host: H1,
    run: (env) => {
      const vm = four(env)
      vm.setMpidr(1, 0x1_8000_0001n)
      return vm.setCtlr(0x0400)
    },
    mainline: 'EINVAL',
  },
  {
    id: 'C84',
    title: 'A3V = 0 after the first run',
    host: H1,
    run: (env) => four(env).runAll().setCtlr(0x0400),
    mainline: 'EINVAL',
  },
  {
    id: 'C85',
    title: 'GICD_TYPER',
    host: H1,
    run: (env) => hex(four(env).ud(TYPER), 8),
    mainline: '00480007',
    full: '01480007',
  },
  {
    id: 'C86',
    title: 'GICD_TYPER with an ITS',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return hex(vm.must(vm.its(ITS)).ud(TYPER), 8)
    },
    mainline: '007a0007',
    full: '017a0007',
  },
  {
    id: 'C87',
    title: 'GICD_TYPER and A3V with AArch32 at EL1',
    host: H1,
    run: (env) => {
      const vm = four(env, 'EL1_32BIT')
      const typer = hex(vm.ud(TYPER), 8)
      const { error, value } = vm.get(G.CPU_SYSREGS, 0xc664)
      const a3v = error === '0' ? hex((value >> 15n) & 1n) : error
      return `${typer}, ${a3v} (guest ICC_CTLR ${gv(vm.mrs(0, 'ICC_CTLR_EL1'))})`
    },
    mainline: '00480007, 1 (guest ICC_CTLR 8400)',
    full: '00480007, 0 (guest ICC_CTLR 400)',
  },
  {
    id: 'C88',
    title: 'GICD_IIDR',
    host: H1,
    run: (env) => hex(four(env).ud(IIDR), 8),
    mainline: '4b00343b',
    full: '4b00443b',
  },
  {
    id: 'C89',
    title: 'revision 2',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return `${vm.set(G.DIST_REGS, IIDR, 0x4b00_243b)}; ${hex(vm.ud(IIDR), 8)}; ${hex(vm.ur(0, 0))}`
    },
    mainline: '0; 4b00243b; 0',
    patch: '0; 4b00343b; 6',
    full: '0; 4b00243b; 0',
  },
  {
    id: 'C90',
    title: 'revision 7',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return `${vm.set(G.DIST_REGS, IIDR, 0x4b00_743b)} (IIDR ${hex(vm.ud(IIDR), 8)})`
    },
    mainline: 'EINVAL (IIDR 4b00343b)',
    patch: '0 (IIDR 4b00343b)',
    full: 'EINVAL (IIDR 4b00443b)',
  },
  {
    id: 'C91',
    title: 'another implementer',
    host: H1,
    run: (env) => four(env).set(G.DIST_REGS, IIDR, 0x4c00_343b),
    mainline: 'EINVAL',
  },
  {
    id: 'C92',
    title: 'GICD_CTLR and GICD_STATUSR',
    host: H1,
    run: (env) => {
      const vm = four(env).w32(0, GICD, 3)
      return `${hex(vm.r32(0, GICD))}; ${hex(vm.r32(0, GICD + 0x10))}`
    },
    mainline: '52; ffffffff',
  },
]
