/** ICC_CTLR_EL1, in which the host shows through: what the guest reads, what userspace reads, what a write changes. */
import { decodeIccControl, encodeIccControl } from '../../pure/arch/sysregs/gic-cpu.ts'
import { hostBits } from '../../pure/rules/identity-writes.ts'
import type { LoweredBits } from '../../pure/rules/identity-writes.ts'
import type { VgicRules, VmFacts } from '../../pure/rules/points.ts'
import type { CpuInterfaces } from './cpu-interface.ts'

export class IccControls {
  private readonly rules: VgicRules
  private readonly vm: VmFacts
  private readonly interfaces: CpuInterfaces
  private readonly lowered: LoweredBits[]

  constructor(rules: VgicRules, vm: VmFacts, interfaces: CpuInterfaces, cpuCount: number) {
    this.rules = rules
    this.vm = vm
    this.interfaces = interfaces
    this.lowered = Array.from({ length: cpuCount }, () => hostBits(vm.host))
  }

  bits(cpu: number): LoweredBits {
    const found = this.lowered[cpu]
    if (found === undefined) throw new Error(`there is no CPU ${cpu}`)
    return found
  }

  setBits(cpu: number, bits: LoweredBits): void {
    this.lowered[cpu] = bits
  }

  /** As the guest reads it. */
  read(cpu: number): bigint {
    const a3v = this.rules.iccCtlrA3vGuest.decide({ vm: this.vm })
    return this.value(cpu, hostBits(this.vm.host), a3v)
  }

  /** As userspace reads it: get_gic_ctlr(). */
  userRead(cpu: number): bigint {
    return this.value(cpu, this.bits(cpu), this.rules.iccCtlrA3vUser.decide({ vm: this.vm }))
  }

  private value(cpu: number, { priBits, idBits }: LoweredBits, a3v: boolean): bigint {
    const { cbpr, eoiMode } = this.interfaces.at(cpu)
    return encodeIccControl({ cbpr, eoiMode, priBits, idBits, seis: this.vm.host.seis, a3v })
  }

  /** CBPR and EOImode are all a write changes. */
  write(cpu: number, value: bigint): void {
    const at = this.interfaces.at(cpu)
    const { cbpr, eoiMode } = decodeIccControl(value)
    at.cbpr = cbpr
    at.eoiMode = eoiMode
    this.interfaces.signal(cpu)
  }
}
