/** GICD_IROUTER: what is kept of a route, and where the interrupt goes. */
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { gv, hex, who } from './answers.ts'
import { CaseVm } from './case-vm.ts'
import type { Env, KvmCase } from './kvm-case.ts'
import { G, GICD, IR, IROUTER } from './places.ts'
import { four, vcpus } from './set-ups.ts'

const { H0, H1 } = HOST_PRESETS

const ROUTE = 0x1_0000_0002n

const halves = (env: Env, low: number, high: number): string =>
  hex(
    four(env)
      .w32(0, IR(40), low)
      .w32(0, IR(40) + 4, high)
      .r64(0, IR(40)),
  )

/** SPI 40 enabled, routed to nobody and pended. */
export const stuck = (env: Env): CaseVm => four(env).listening().w32(0, IR(40), 0x77).spiOn(40).spiPend(40)

const aff3Write = (env: Env): CaseVm => four(env).w64(0, IR(40), ROUTE)

export const irouterCases: readonly KvmCase[] = [
  {
    id: 'C39',
    title: 'an SPI that was never routed, with no CPU at 0.0.0.0',
    host: H1,
    run: (env) => {
      const vm = vcpus(env, 4)
      vm.setMpidr(0, 0x8000_0005n)
      vm.must(vm.v3())
      return `${hex(vm.ud(IROUTER(40)))}; ${vm.tgt(40)}`
    },
    mainline: '0; 0',
    full: '0; -1',
  },
  {
    id: 'C40',
    title: 'a 64-bit write with Aff3',
    host: H1,
    run: (env) => hex(aff3Write(env).r64(0, IR(40)), 8),
    mainline: '00000002',
    patch: '100000002',
    full: '100000002',
  },
  {
    id: 'C41',
    title: 'a 64-bit write with Aff3 on a host without A3V',
    host: H0,
    run: (env) => {
      const vm = aff3Write(env)
      return `${hex(vm.r64(0, IR(40)), 8)}; ${hex(vm.r32(0, IR(40) + 4))}`
    },
    mainline: '00000002; 0',
    patch: '100000002; 0',
    full: '100000002; 1',
  },
  {
    id: 'C42',
    title: 'a 64-bit write with Aff3, then the low word',
    host: H1,
    run: (env) => hex(aff3Write(env).w32(0, IR(40), 3).r64(0, IR(40))),
    mainline: '3',
    full: '100000003',
  },
  {
    id: 'C43',
    title: 'the low word, then the high word',
    host: H1,
    run: (env) => halves(env, 2, 1),
    mainline: '2',
    patch: '1',
    full: '100000002',
  },
  {
    id: 'C44',
    title: 'the low word, then a high word of 0',
    host: H1,
    run: (env) => halves(env, 2, 0),
    mainline: '2',
    patch: '0',
    full: '2',
  },
  {
    id: 'C45',
    title: 'the low word, then a high word of 0, on a host without A3V',
    host: H0,
    run: (env) => halves(env, 2, 0),
    mainline: '2',
  },
  {
    id: 'C46',
    title: 'Interrupt_Routing_Mode is not kept',
    host: H1,
    run: (env) => hex(four(env).w32(0, IR(40), 0x8000_0001).r32(0, IR(40))),
    mainline: '1',
  },
  {
    id: 'C47',
    title: 'no such CPU',
    host: H1,
    run: (env) => {
      const vm = four(env).w32(0, IR(40), 0x77)
      const { tgt, target } = vm.row(40)
      return `${hex(vm.r32(0, IR(40)))}; ${tgt}, ${target}`
    },
    mainline: '77; -1, 77',
  },
  {
    id: 'C48',
    title: 'an interrupt for no CPU stays pending',
    host: H1,
    run: (env) => {
      const vm = stuck(env)
      return `${who(vm.takers(40))}, ISPENDR ${vm.spiPending(40)}`
    },
    mainline: 'not delivered, ISPENDR 1',
  },
  {
    id: 'C49',
    title: 'then it is routed to a CPU',
    host: H1,
    run: (env) => {
      const vm = stuck(env).w32(0, IR(40), 1)
      return `${who(vm.takers(40))}, TGT_ID ${vm.tgt(40)}`
    },
    mainline: 'not delivered, TGT_ID 1',
    full: 'delivered to vCPU 1, TGT_ID 1',
  },
  {
    id: 'C50',
    title: 'then it is enabled again',
    host: H1,
    run: (env) => {
      const vm = stuck(env).w32(0, IR(40), 1)
      const before = vm.takers(40)
      return who([...before, ...vm.spiOn(40).takers(40)])
    },
    mainline: 'delivered to vCPU 1',
  },
  {
    id: 'C51',
    title: 'an SPI for a CPU with Aff3',
    host: H1,
    run: (env) => {
      const vm = four(env)
      vm.setMpidr(1, 0x1_8000_0001n)
      vm.listening().spiOn(40).w64(0, IR(40), 0x1_0000_0001n).spiPend(40)
      return `${who(vm.takers(40))}, TGT_ID ${vm.tgt(40)}`
    },
    mainline: 'not delivered, TGT_ID -1',
    patch: 'delivered to vCPU 1, TGT_ID 1',
    full: 'delivered to vCPU 1, TGT_ID 1',
  },
  {
    id: 'C52',
    title: 'a CPU comes to where an SPI is routed',
    host: H1,
    run: (env) => {
      const vm = four(env)
      vm.must(vm.set(G.DIST_REGS, IROUTER(41), 9))
      vm.setMpidr(2, 0x8000_0009n)
      return `${vm.tgt(41)}`
    },
    mainline: '-1',
    full: '2',
  },
  {
    id: 'C53',
    title: 'a CPU leaves where an SPI is routed',
    host: H1,
    run: (env) => {
      const vm = four(env)
      vm.must(vm.set(G.DIST_REGS, IROUTER(41), 1))
      vm.setMpidr(1, 0x8000_0009n)
      const target = vm.tgt(41)
      vm.listening().spiOn(41).spiPend(41)
      return `${target} (${who(vm.takers(41))})`
    },
    mainline: '1 (delivered to vCPU 1)',
    full: '-1 (not delivered)',
  },
  {
    id: 'C54',
    title: 'interrupts that have no route',
    host: H1,
    run: (env) => {
      const vm = four(env).w64(0, IR(31), 3)
      const low = hex(vm.r64(0, IR(31)))
      return `${low}; ${hex(vm.w64(0, IR(256), 3).r64(0, IR(256)))}`
    },
    mainline: '0; 0',
  },
  {
    id: 'C55',
    title: 'an 8-bit write',
    host: H1,
    run: (env) => hex(four(env).write(0, 1, IR(40), 1).r64(0, IR(40))),
    mainline: '0',
  },
  {
    id: 'C56',
    title: 'which attributes exist',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return [0x6140, 0x6142, 0x6800].map((offset) => vm.has(G.DIST_REGS, offset)).join('; ')
    },
    mainline: '0; ENXIO; ENXIO',
  },
  {
    id: 'C57',
    title: 'an active SPI stays where it is',
    host: H1,
    run: (env) => {
      const vm = four(env)
        .listening()
        .spiOn(40)
        .w32(0, GICD + 0xc08, 0x20000)
        .spiPend(40)
      const iar = gv(vm.mrs(0, 'ICC_IAR1_EL1'))
      vm.w32(0, IR(40), 1).nop(1)
      const { active, apList, tgt } = vm.row(40)
      vm.spiPend(40)
      const early = vm.ack(1) === 40 ? [1] : []
      vm.msr(0, 'ICC_EOIR1_EL1', 40)
      vm.nop(0)
      const state = `IAR ${Number.parseInt(iar, 16)}, active flag ${Number(active)} on vCPU ${apList}, TGT_ID ${tgt}`
      return `${state}; asserted while active: ${who(early)}; after EOI: ${who(vm.takers(40))}`
    },
    mainline:
      'IAR 40, active flag 1 on vCPU 0, TGT_ID 1; asserted while active: not delivered; after EOI: delivered to vCPU 1',
  },
  {
    id: 'C58',
    title: 'userspace restores a route',
    host: H1,
    run: (env) => {
      const vm = four(env)
      vm.must(vm.set(G.DIST_REGS, IROUTER(40), 2))
      vm.must(vm.set(G.DIST_REGS, IROUTER(40) + 4, 0))
      return `${hex(vm.ud(IROUTER(40)))}, ${hex(vm.ud(IROUTER(40) + 4))}`
    },
    mainline: '2, 0',
    patch: '0, 0',
    full: '2, 0',
  },
  {
    id: 'C59',
    title: 'the high word in a VM with A3V = 0',
    host: H0,
    run: (env) => {
      const vm = four(env)
      // Without effect where A3V is the host's.
      vm.must(vm.setCtlr(0x0400))
      return hex(vm.w32(0, IR(40) + 4, 1).r32(0, IR(40) + 4))
    },
    mainline: '0',
  },
  {
    id: 'C60',
    title: 'bits 31:24 are not kept',
    host: H1,
    run: (env) => hex(four(env).w32(0, IR(40), 0xff00_0002).r32(0, IR(40))),
    mainline: '2',
  },
]
