/** The oracle's probes (probes.h). What a guest meets: interrupts on their way, PSCI, AArch32. */
import { PSCI, SMC64 } from '../../pure/arch/psci.ts'
import { gv, hex, psci, sgis, who } from './answers.ts'
import { CaseVm } from './case-vm.ts'
import type { Probes } from './kvm-case.ts'
import { G, GICD, IR, IROUTER, RAM } from './places.ts'
import { four, fourWithout, vcpus } from './set-ups.ts'
import { stuck } from './irouter.ts'

export const guestProbes: Probes = {
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
  X31: (env) => {
    const vm = fourWithout(env, 1)
    vm.setMpidr(1, 0x1_8000_0001n)
    const on = psci(vm.hvc(0, PSCI.CPU_ON.id | SMC64, 0x1_0000_0001n, RAM))
    const mpidr = gv(vm.guestMpidr(1))
    const bare = vcpus(env, 2)
    return `CPU_ON(1.0.0.1) ${on}, it reads MPIDR ${mpidr}, no GIC: SET ${bare.setMpidr(1, 0x1_8000_0001n)} GET ${bare.mpidr(1)}`
  },
}
