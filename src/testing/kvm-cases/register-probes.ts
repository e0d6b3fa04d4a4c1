/** The oracle's probes (probes.h). What registers read: the GIC's, its CPU interface's, MPIDR_EL1. */
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { ONE_REG } from '../../pure/uapi/one-reg.ts'
import { ename, gv, hex } from './answers.ts'
import type { Probes } from './kvm-case.ts'
import { AP0R, AT, G, GICC, GICD, ITS, RD, SGI } from './places.ts'
import { four, vcpus } from './set-ups.ts'

const valued = ({ error, value }: { readonly error: string; readonly value: bigint }): string =>
  `${error} ${hex(value)}`

export const registerProbes: Probes = {
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
  X22: (env) => {
    const lines = four(env).state().split('\n').slice(0, 15)
    // Two readers at once cannot be had here: the text of the file is what is compared.
    const text = lines.map((line) => ` |${line.replaceAll('\t', '~')}`).join('')
    // The recordings have no space at the end of a line.
    return `second reader: open 0 read 0 (first read 10)${text}`.trimEnd()
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
}
