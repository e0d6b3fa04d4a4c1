/** The oracle's probes (probes.h). VMs and devices in the making: orders and errors. */
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { ename, hex } from './answers.ts'
import { CaseVm } from './case-vm.ts'
import type { Probes } from './kvm-case.ts'
import { A, G, GICD, GICR, SGI } from './places.ts'
import { four, vcpus, inTheMaking } from './set-ups.ts'

const L = 2 ** 40

const valued = ({ error, value }: { readonly error: string; readonly value: bigint }): string =>
  `${error} ${hex(value)}`

export const deviceProbes: Probes = {
  X01: (env) => {
    const vm = inTheMaking(env, 4)
    const iidr = `GICD_IIDR get ${vm.get(G.DIST_REGS, 8).error} set ${vm.set(G.DIST_REGS, 8, 0x4b00_343b)}`
    const ctlr = `GICD_CTLR get ${vm.get(G.DIST_REGS, 0).error}, TYPER2 get ${vm.get(G.DIST_REGS, 12).error}`
    return `before INIT: ${iidr}, ${ctlr}, ICC_CTLR get ${vm.get(G.CPU_SYSREGS, ICC.ICC_CTLR_EL1).error}`
  },
  X02: (env) => `CREATE_VCPU after CTRL_INIT ${four(env).create(9)}`,
  X03: (env) => {
    const [wide, narrow] = [new CaseVm(env), new CaseVm(env)]
    wide.must(wide.add(0))
    narrow.must(narrow.add(0, 'EL1_32BIT'))
    return `AArch64 then AArch32 ${wide.add(1, 'EL1_32BIT')}, AArch32 then AArch64 ${narrow.add(1)}`
  },
  X04: (env) => {
    const vm = new CaseVm(env)
    vm.must(vm.add(0))
    vm.must(vm.setMpidr(0, 0x8000_0005n))
    vm.must(vm.create(1))
    vm.must(vm.v3())
    return `attr(0) GICR_TYPER low with vCPU 0 at 0.0.0.5 and vCPU 1 never initialised: ${vm.typ(0)}`
  },
  X05: (env) => {
    const vm = inTheMaking(env, 4, { redist: GICR })
    return `REGION index 1 after legacy ${vm.region(4, 0x0900_0000, 1)}`
  },
  X06: (env) => {
    const vm = inTheMaking(env, 4, { dist: GICD, regions: [[3, 0x0810_0000]], init: true })
    const run = vm.run(3)
    const dist = valued(vm.get(G.ADDR, A.V3_DIST))
    const region = vm.get(G.ADDR, A.V3_REDIST_REGION).error
    return `run ${run}, then dist base ${dist}, region 0 ${region}, run again ${vm.run(0)}`
  },
  X07: (env) => {
    const vm = inTheMaking(env, 2)
    const unset = vm.get(G.NR_IRQS, 0)
    vm.must(vm.set(G.ADDR, A.V3_DIST, GICD))
    vm.must(vm.set(G.ADDR, A.V3_REDIST, GICR))
    vm.must(vm.initGic())
    const after = vm.get(G.NR_IRQS, 0).value
    return `unset ${unset.error} ${unset.value}, after INIT ${after}, INIT again ${vm.initGic()}`
  },
  X08: (env) => {
    const vm = inTheMaking(env, 0)
    return `CTRL_INIT without a vCPU ${vm.initGic()}, vCPU after that ${vm.create(0)}`
  },
  X09: (env) => {
    const vm = vcpus(env, 2)
    const ran = `run without GIC ${vm.nop(0)}, CREATE vGICv3 after a run ${vm.gic(7)}`
    const busy = new CaseVm(env)
    busy.must(busy.add(0))
    busy.must(busy.add(1, 'POWER_OFF'))
    busy.must(busy.runAndStay(1))
    return `${ran}, with a vCPU inside KVM_RUN ${busy.gic(7)}`
  },
  X10: (env) => {
    const vm = inTheMaking(env, 2, { dist: GICD, redist: GICR })
    const early = vm.irqLine(1, 0, 40, true)
    vm.must(vm.initGic())
    const lines = [
      [0, 0, 0],
      [1, 0, 31],
      [1, 0, 40],
      [1, 0, 255],
      [1, 0, 256],
      [2, 0, 15],
      [2, 0, 20],
      [2, 0, 32],
      [2, 9, 20],
      [2, 0, 27],
      [3, 0, 20],
    ] as const
    const answers = lines.map(
      ([type, vcpu, number]) => `type ${type} vcpu ${vcpu} num ${number}: ${vm.irqLine(type, vcpu, number, true)}`,
    )
    return `before INIT ${early}, ${answers.join(', ')}, PPI pending vCPU 0 ${hex(vm.r32(0, SGI(0) + 0x200))}`
  },
  X17: (env) => {
    const vm = new CaseVm(env)
    const first = `CREATE type 0 ${vm.gic(0)}, v2 ${vm.gic(5)}`
    const test = ename(vm.call({ call: 'KVM_CREATE_DEVICE', type: 7, test: true }))
    const irqchip = ename(vm.call({ call: 'KVM_CREATE_IRQCHIP' }))
    const again = `v3 ${vm.gic(7)}, v3 again ${vm.gic(7)}, v2 after v3 ${vm.gic(5)}`
    const unset = valued(vm.get(G.ADDR, A.V3_DIST))
    return `${first}, TEST v3 ${test}, CREATE_IRQCHIP ${irqchip}, ${again}, dist unset ${unset}`
  },
  X23: (env) => {
    const vm = inTheMaking(env, 4)
    const addr = (attr: bigint, value: number): string => vm.set(G.ADDR, attr, value)
    const flags = (2n << 52n) | 0x200000n | (2n << 12n)
    const parts = [
      `HAS ADDR -1 ${vm.has(G.ADDR, 2n ** 64n - 1n)}`,
      `dist 1000 ${addr(A.V3_DIST, 0x1000)}`,
      `redist 1000 ${addr(A.V3_REDIST, 0x1000)}`,
      `dist L ${addr(A.V3_DIST, L)}`,
      `redist L ${addr(A.V3_REDIST, L)}`,
      `redist L-64K ${addr(A.V3_REDIST, L - 0x10000)}`,
      `v2 dist attr ${addr(A.V2_DIST, 0)}`,
      `v2 dist attr get ${vm.has(G.ADDR, A.V2_DIST)}`,
      `region flags 2 ${vm.set(G.ADDR, A.V3_REDIST_REGION, flags)}`,
      `count 0 ${vm.region(0, 0x200000, 0)}`,
      `first idx 1 ${vm.region(2, 0x200000, 1)}`,
      `(2,200000,0) ${vm.region(2, 0x200000, 0)}`,
      `misaligned idx 1 ${vm.region(2, 0x201000, 1)}`,
      `overlap ${vm.region(2, 0x200000, 1)}`,
      `idx 2 ${vm.region(1, 0x240000, 2)}`,
      `(1,240000,1) ${vm.region(1, 0x240000, 1)}`,
      `L ${vm.region(1, L, 2)}`,
      `(2,L-30000) ${vm.region(2, L - 0x30000, 2)}`,
      `legacy ${addr(A.V3_REDIST, 0x260000)}`,
      ...[0n, 1n, 2n].map((index) => {
        const { error, value } = vm.get(G.ADDR, A.V3_REDIST_REGION, index)
        return `get ${index} ${error}${error === '0' ? ` ${hex(value)}` : ''}`
      }),
      `dist 260000 ${addr(A.V3_DIST, 0x260000)}`,
      `region on dist ${vm.region(1, 0x260000, 2)}`,
    ]
    const nil = vm.call({
      call: 'KVM_SET_DEVICE_ATTR',
      group: G.ADDR,
      attr: A.V3_REDIST_REGION,
      value: 0n,
      badPointer: true,
    })
    return `${parts.join(', ')}, NULL ${ename(nil)}`
  },
  X24: (env) => {
    const vm = new CaseVm(env)
    vm.must(vm.add(0))
    vm.must(vm.gic(7))
    vm.must(vm.set(G.ADDR, A.V3_DIST, 0))
    vm.must(vm.add(3))
    const absent = vm.typ(1)
    vm.must(vm.add(1))
    const early = vm.typ(1)
    vm.must(vm.add(2))
    vm.must(vm.initGic())
    const all = [0, 1, 2, 3].map((id) => vm.typ(id))
    const first = `region ${vm.region(2, 0x200000, 0)}: ${vm.typ(0)} ${vm.typ(3)}`
    const clash = `region(10,100000) ${vm.region(10, 0x100000, 1)}: ${vm.typ(1)} ${vm.typ(2)}`
    const second = `region(10,20000) ${vm.region(10, 0x20000, 1)}: ${vm.typ(1)} ${vm.typ(2)}`
    return [absent, early, ...all, first, clash, second].join('; ')
  },
  X26: (env) => {
    const vm = four(env)
    const maintenance = `MAINT_IRQ group 9: HAS ${vm.has(9, 0)}, unknown CTRL attr ${vm.set(G.CTRL, 77, 0)}`
    const early = inTheMaking(env, 2)
    return `${maintenance}, SAVE_PENDING_TABLES ${vm.set(G.CTRL, 3, 0)}, before INIT ${early.set(G.CTRL, 3, 0)}`
  },
}
