/** The oracle's probes: single statements about KVM that no row of the cases covers (probes.h). */
import { PSCI, SMC64 } from '../../pure/arch/psci.ts'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { ONE_REG } from '../../pure/uapi/one-reg.ts'
import {
  A,
  AP0R,
  AT,
  CaseVm,
  ename,
  four,
  fourWithout,
  G,
  GICC,
  GICD,
  GICR,
  gv,
  hex,
  IR,
  IROUTER,
  ITS,
  psci,
  RAM,
  RD,
  SGI,
  sgis,
  vcpus,
  who,
} from './case-vm.ts'
import type { Env } from './case-vm.ts'
import { stuck } from './irouter.ts'

const L = 2 ** 40

/** A GIC device with its two addresses, not initialised. */
const addressed = (env: Env, n: number): CaseVm => {
  const vm = vcpus(env, n)
  vm.must(vm.gic(7))
  vm.must(vm.set(G.ADDR, A.V3_DIST, GICD))
  return vm.must(vm.set(G.ADDR, A.V3_REDIST, GICR))
}

const valued = ({ error, value }: { readonly error: string; readonly value: bigint }): string =>
  `${error} ${hex(value)}`

export const probes: Readonly<Record<string, (env: Env) => string>> = {
  X01: (env) => {
    const vm = vcpus(env, 4)
    vm.must(vm.gic(7))
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
    const vm = vcpus(env, 4)
    vm.must(vm.gic(7))
    vm.must(vm.set(G.ADDR, A.V3_REDIST, GICR))
    return `REGION index 1 after legacy ${vm.region(4, 0x0900_0000, 1)}`
  },
  X06: (env) => {
    const vm = vcpus(env, 4)
    vm.must(vm.gic(7))
    vm.must(vm.set(G.ADDR, A.V3_DIST, GICD))
    vm.must(vm.region(3, 0x0810_0000, 0))
    vm.must(vm.initGic())
    const run = vm.run(3)
    const dist = valued(vm.get(G.ADDR, A.V3_DIST))
    const region = vm.get(G.ADDR, A.V3_REDIST_REGION).error
    return `run ${run}, then dist base ${dist}, region 0 ${region}, run again ${vm.run(0)}`
  },
  X07: (env) => {
    const vm = vcpus(env, 2)
    vm.must(vm.gic(7))
    const unset = vm.get(G.NR_IRQS, 0)
    vm.must(vm.set(G.ADDR, A.V3_DIST, GICD))
    vm.must(vm.set(G.ADDR, A.V3_REDIST, GICR))
    vm.must(vm.initGic())
    const after = vm.get(G.NR_IRQS, 0).value
    return `unset ${unset.error} ${unset.value}, after INIT ${after}, INIT again ${vm.initGic()}`
  },
  X08: (env) => {
    const vm = new CaseVm(env)
    vm.must(vm.gic(7))
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
    const vm = addressed(env, 2)
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
  X11: (env) => {
    const vm = four(env)
    const has = `HAS GICD_STATUSR ${vm.has(G.DIST_REGS, 0x10)}, HAS GICR_STATUSR ${vm.has(G.REDIST_REGS, 0x10)}`
    const user = `uaccess GICD_STATUSR ${hex(vm.ud(0x10))} GICR_STATUSR ${hex(vm.ur(0, 0x10))}`
    const guest = `guest GICR_STATUSR ${hex(vm.r32(0, RD(0) + 0x10))} WAKER ${hex(vm.r32(0, RD(0) + 0x14))}`
    return `${has}, HAS GICR_WAKER ${vm.has(G.REDIST_REGS, 0x14)}, ${user}, ${guest}`
  },
  X12: (env) => {
    const vm = four(env)
    // MSR MPIDR_EL1 has no encoding: the machine's own tests show that it is UNDEFINED.
    vm.must(vm.run(1))
    const before = gv(vm.guestMpidr(1))
    vm.setMpidr(1, 0x9_8000_0077n)
    const typer = hex(vm.r64(1, RD(1) + 8))
    return `guest write UNDEF, guest read ${before}, after SET between runs ${gv(vm.guestMpidr(1))}, redist TYPER ${typer}`
  },
  X13: (env) => {
    const vm = four(env)
    const bad = { vcpu: 0, reg: ONE_REG.MPIDR_EL1, badPointer: true } as const
    const narrow = vm.call({ call: 'KVM_GET_ONE_REG', vcpu: 0, reg: 0x6020_0000_0013_c005n })
    const get = vm.call({ call: 'KVM_GET_ONE_REG', ...bad })
    const set = vm.call({ call: 'KVM_SET_ONE_REG', ...bad, value: 0n })
    return `32-bit size id ${ename(narrow)}, bad pointer get ${ename(get)} set ${ename(set)}`
  },
  X14: (env) => {
    const vm = four(env)
    vm.setMpidr(1, 2n ** 64n - 1n)
    const guest = gv(vm.guestMpidr(1))
    const typer = hex(vm.r64(0, RD(1) + 8))
    return `MPIDR all ones: guest reads ${guest}, TYPER ${typer}, attr(ffffffff) ${vm.typ(0xffff_ffff)}`
  },
  X15: (env) => {
    const vm = four(env)
    const u = (offset: number): string => hex(vm.ur(0, offset))
    const fresh = `GICR_CTLR ${u(0)} GICR_IIDR ${u(4)} PROPBASER ${u(0x74)}_${u(0x70)} PENDBASER ${u(0x7c)}_${u(0x78)}`
    const ones = 2n ** 64n - 1n
    vm.w64(0, RD(0) + 0x70, ones).w64(0, RD(0) + 0x78, ones)
    const tables = `PROPBASER ${hex(vm.r64(0, RD(0) + 0x70))} PENDBASER ${hex(vm.r64(0, RD(0) + 0x78))}`
    const pidr = `PIDR2 D ${hex(vm.r32(0, GICD + 0xffe8))} R ${hex(vm.r32(0, RD(0) + 0xffe8))}`
    const ctlr = hex(vm.w32(0, RD(0), 1).r32(0, RD(0)))
    const typer2 = hex(vm.w32(0, GICD + 0x10, 0).r32(0, GICD + 12))
    return `${fresh}, after all ones ${tables}, ${pidr}, GICR_CTLR after write 1 (no ITS) ${ctlr}, TYPER2 ${typer2}`
  },
  X16: (env) => {
    const vm = four(env)
    vm.must(vm.its(ITS))
    const u = (offset: number): string => hex(vm.itsReg(offset))
    const propbaser = hex(vm.r64(0, RD(0) + 0x70))
    const registers = `GITS_CTLR ${u(0)} IIDR ${u(4)} TYPER ${u(8)} CBASER ${u(0x80)} BASER0 ${u(0x100)} BASER1 ${u(0x108)} BASER2 ${u(0x110)}`
    const ctlr = hex(vm.w32(0, RD(0), 1).r32(0, RD(0)))
    const pidr2 = hex(vm.r32(0, ITS + 0xffe8))
    return `PROPBASER ${propbaser}, ${registers}, GICR_CTLR after write 1 ${ctlr}, guest GITS_PIDR2 ${pidr2}`
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
  X18: (env) => {
    const vm = fourWithout(env, 1)
    const hvc = (fn: number, a: bigint | number = 0, b: bigint | number = 0) => vm.hvc(0, fn, a, b)
    const info = PSCI.AFFINITY_INFO.id | SMC64
    const cpuOn = PSCI.CPU_ON.id | SMC64
    const parts = [
      `VERSION ${gv(hvc(PSCI.PSCI_VERSION.id))}`,
      `AFFINITY_INFO(1,0) ${gv(hvc(info, 1))}`,
      `AFFINITY_INFO(77,0) ${psci(hvc(info, 0x77))}`,
      `MIGRATE_INFO_TYPE ${gv(hvc(PSCI.MIGRATE_INFO_TYPE.id))}`,
      `CPU_ON(2) ${psci(hvc(cpuOn, 2, RAM))}`,
      `CPU_ON(77) ${psci(hvc(cpuOn, 0x77, RAM))}`,
      `CPU_ON(1) ${psci(hvc(cpuOn, 1, RAM))}`,
      `again ${psci(hvc(cpuOn, 1, RAM))}`,
      `FEATURES(CPU_ON) ${gv(hvc(PSCI.PSCI_FEATURES.id, BigInt(cpuOn >>> 0)))}`,
      `SMC conduit ${psci(vm.smc(0, PSCI.PSCI_VERSION.id))}`,
    ]
    hvc(PSCI.SYSTEM_OFF.id)
    // KVM_EXIT_SYSTEM_EVENT and KVM_SYSTEM_EVENT_SHUTDOWN.
    const exit = vm.machine.events.join() === 'off' ? 'exit 18 type 1' : 'no exit'
    return `${parts.join(', ')}, SYSTEM_OFF ${exit}`
  },
  X19: (env) => {
    const vm = four(env)
    const fresh = [
      `IGROUPR0 ${hex(vm.ur(0, 0x10080))} IGROUPR1 ${hex(vm.ud(0x84))}`,
      `ISENABLER0 ${hex(vm.ur(0, 0x10100))} ISENABLER1 ${hex(vm.ud(0x104))}`,
      `ICFGR0 ${hex(vm.ur(0, 0x10c00))} ICFGR1 ${hex(vm.ur(0, 0x10c04))} ICFGR2 ${hex(vm.ud(0xc08))}`,
      `PRIO32 ${hex(vm.ud(0x420))}`,
    ]
    for (const address of [GICD + 0x420, GICD + 0x820, SGI(0) + 0xc04, GICD + 0xc08]) vm.w32(0, address, 0xffff_ffff)
    const r = (address: number): string => hex(vm.r32(0, address))
    const ones = [
      `PRIO32 ${r(GICD + 0x420)} ITARGETSR32 ${r(GICD + 0x820)}`,
      `ICFGR1 ${r(SGI(0) + 0xc04)} ICFGR2 ${r(GICD + 0xc08)}`,
    ]
    const rest = `GICD ISENABLER0 ${r(GICD + 0x100)}, GICD_CTLR ${r(GICD)}`
    vm.write(0, 2, GICD + 0x84, 0)
    return `${fresh.join(' ')}, after all ones ${ones.join(' ')}, ${rest}, 16-bit write to IGROUPR1 leaves ${r(GICD + 0x84)}`
  },
  X20: (env) => {
    const vm = four(env)
    const group = G.CPU_SYSREGS
    const names = ['PMR', 'BPR0', 'BPR1', 'CTLR', 'SRE', 'IGRPEN0', 'IGRPEN1'] as const
    const encodings = names.map((name) => ICC[`ICC_${name}_EL1`])
    const fresh = encodings.map((encoding) => `${hex(encoding)}=${hex(vm.us(0, encoding))} `).join('')
    const sre = `SRE set 0 ${vm.set(group, ICC.ICC_SRE_EL1, 0)} set 1 ${vm.set(group, ICC.ICC_SRE_EL1, 1)}`
    const sreNow = hex(vm.us(0, ICC.ICC_SRE_EL1))
    const active = AP0R.map(
      (encoding, i) => `AP0R${i} HAS ${vm.has(group, encoding)} GET ${vm.get(group, encoding).error}`,
    )
    const none = `HAS ${vm.has(group, 0xc677)} GET ${vm.get(group, 0xc677).error} SET ${vm.set(group, 0xc677, 0)}`
    vm.set(group, ICC.ICC_BPR0_EL1, 0)
    const bpr0 = hex(vm.us(0, ICC.ICC_BPR0_EL1))
    vm.set(group, ICC.ICC_CTLR_EL1, vm.us(0, ICC.ICC_CTLR_EL1) | 1n)
    vm.set(group, ICC.ICC_BPR0_EL1, 7)
    const bpr1 = hex(vm.us(0, ICC.ICC_BPR1_EL1))
    return `${fresh}${sre} get ${sreNow}, ${active.join(', ')}, unknown ${none}, BPR0 set 0 get ${bpr0}, CBPR=1 BPR0=7: BPR1 ${bpr1}`
  },
  X21: (env) => {
    const vm = four(env).listening().spiOn(40)
    vm.must(vm.irqLine(1, 0, 40, true))
    const queued = `queued on vCPU 0 (TGT ${vm.tgt(40)})`
    vm.w32(1, IR(40), 1)
    const { tgt, apList } = vm.row(40)
    vm.nop(0)
    const after = vm.row(40).apList
    return `${queued}, rerouted: TGT ${tgt} ap_list ${apList}, after vCPU 0 ran: ap_list ${after}, takes it: ${sgis(vm.takers(40))}`
  },
  X22: (env) => {
    const lines = four(env).state().split('\n').slice(0, 15)
    // Two readers at once cannot be had here: the text of the file is what is compared.
    const text = lines.map((line) => ` |${line.replaceAll('\t', '~')}`).join('')
    // The recordings have no space at the end of a line.
    return `second reader: open 0 read 0 (first read 10)${text}`.trimEnd()
  },
  X23: (env) => {
    const vm = vcpus(env, 4)
    vm.must(vm.gic(7))
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
  X25: (env) => {
    const vm = four(env)
      .listening()
      .w32(0, GICD + 0xc08, 0xaaaa_aaaa & ~0x20000)
    vm.irqLine(1, 0, 40, true)
    const levels = (): string => hex(vm.get(G.LEVEL_INFO, 32).value)
    const up = `LEVEL_INFO(32) ${levels()} ISPENDR uaccess ${hex(vm.ud(0x204))} guest ${hex(vm.r32(0, GICD + 0x204))}`
    vm.w32(0, GICD + 0xc08, 0xaaaa_aaaa)
    const edge = levels()
    const set = `set LEVEL_INFO ${vm.set(G.LEVEL_INFO, 32, 0x200)} get ${levels()}`
    const beyond = valued(vm.get(G.LEVEL_INFO, 992))
    const has = vm.has(G.LEVEL_INFO, (1 << 10) | 32)
    return `level SPI 40 up: ${up}, made edge: LEVEL_INFO ${edge}, ${set}, HAS info 1 ${has}, INTID 992 (beyond nr_irqs) ${beyond}`
  },
  X26: (env) => {
    const vm = four(env)
    const maintenance = `MAINT_IRQ group 9: HAS ${vm.has(9, 0)}, unknown CTRL attr ${vm.set(G.CTRL, 77, 0)}`
    const early = vcpus(env, 2)
    early.must(early.gic(7))
    return `${maintenance}, SAVE_PENDING_TABLES ${vm.set(G.CTRL, 3, 0)}, before INIT ${early.set(G.CTRL, 3, 0)}`
  },
  X27: (env) => {
    const vm = four(env, 'EL1_32BIT')
    vm.setMpidr(1, 0x3_8001_0203n)
    const mpidr = `guest MPIDR ${gv(vm.guestMpidr(1))}, GICR_TYPER+12 ${hex(vm.ur(0x0301_0203, 12))}`
    const sre = gv(vm.mrs(0, 'ICC_SRE_EL1'))
    vm.w32(0, IR(40), 2).w32(0, IR(40) + 4, 1)
    const route = `${hex(vm.r32(0, IR(40)))} ${hex(vm.r32(0, IR(40) + 4))}`
    const wide = psci(vm.hvc(0, PSCI.CPU_ON.id | SMC64, 1, RAM))
    const narrow = psci(vm.hvc(0, PSCI.CPU_ON.id, 0x10203, RAM))
    return `${mpidr}, ICC_SRE ${sre}, IROUTER lo 2 hi 1: ${route}, CPU_ON 64-bit id ${wide}, CPU_ON32(10203) ${narrow}`
  },
  X28: (env) => {
    const vm = vcpus(env, 4)
    vm.must(vm.v2())
    const late = `CREATE_VCPU id 8 ${vm.create(8)}`
    const dist = `GICD TYPER ${hex(vm.r32(0, GICD + 4))} IIDR ${hex(vm.r32(0, GICD + 8))}`
    const iidr = hex(vm.get(G.CPU_REGS, 0xfc).value)
    vm.w32(0, GICC + 4, 0xf0)
    const pmr = `PMR f0 -> userspace ${hex(vm.get(G.CPU_REGS, 4).value)}`
    const unknown = vm.get(G.CPU_REGS, AT(9, 0)).error
    const targets = `ITARGETSR0 ${hex(vm.r32(1, GICD + 0x800))} ITARGETSR40 ${hex(vm.r32(0, GICD + 0x828))}`
    const all = hex(vm.write(0, 1, GICD + 0x828, 0xff).read(0, 1, GICD + 0x828))
    const group = hex(vm.r32(0, GICD + 0x84))
    const bare = vcpus(env, 1)
    bare.must(bare.gic(5))
    return `${late}, ${dist}, CPU_REGS IIDR ${iidr}, ${pmr}, unknown vCPU ${unknown}, ${targets}, 0xff -> ${all}, IGROUPR1 ${group}, run with no bases ${bare.run(0)}`
  },
  X29: (env) => {
    const after = (queue: (vm: CaseVm) => void): CaseVm => {
      const vm = stuck(env).w32(0, IR(40), 1)
      queue(vm)
      return vm
    }
    const ispendr = who(after((vm) => vm.spiPend(40)).takers(40))
    const igroupr = who(after((vm) => vm.w32(0, GICD + 0x84, 0xffff_ffff)).takers(40))
    const enabled = who(after((vm) => vm.w32(0, GICD + 0x184, 0x100).w32(0, GICD + 0x104, 0x100)).takers(40))
    const vm = stuck(env)
    vm.must(vm.set(G.DIST_REGS, IROUTER(40), 1))
    const routed = who(vm.takers(40))
    vm.must(vm.set(G.DIST_REGS, 0x104, 0x100))
    const then = who(vm.takers(40))
    return `ISPENDR rewrite: ${ispendr}; IGROUPR rewrite: ${igroupr}; disable+enable: ${enabled}; uaccess IROUTER: ${routed}; then uaccess ISENABLER: ${then}`
  },
  X30: (env) => {
    const vm = four(env)
    const guest = (): string => gv(vm.mrs(0, 'ICC_CTLR_EL1'))
    const user = (): string => hex(vm.us(0, ICC.ICC_CTLR_EL1))
    const fresh = `guest ${guest()} userspace ${user()}`
    const lowered = vm.set(G.CPU_SYSREGS, ICC.ICC_CTLR_EL1, (vm.us(0, ICC.ICC_CTLR_EL1) & ~0x700n) | 0x300n)
    const after = `after userspace lowered PRIbits (${lowered}): guest ${guest()} userspace ${user()}`
    vm.msr(0, 'ICC_CTLR_EL1', 3)
    const written = `guest write 3: guest ${guest()} userspace ${user()}`
    return `${fresh}, ${after}, ${written}, ICC_SRE ${gv(vm.mrs(0, 'ICC_SRE_EL1'))}`
  },
  X31: (env) => {
    const vm = fourWithout(env, 1)
    vm.setMpidr(1, 0x1_8000_0001n)
    const on = psci(vm.hvc(0, PSCI.CPU_ON.id | SMC64, 0x1_0000_0001n, RAM))
    const mpidr = gv(vm.guestMpidr(1))
    const bare = vcpus(env, 2)
    return `CPU_ON(1.0.0.1) ${on}, it reads MPIDR ${mpidr}, no GIC: SET ${bare.setMpidr(1, 0x1_8000_0001n)} GET ${bare.mpidr(1)}`
  },
}
