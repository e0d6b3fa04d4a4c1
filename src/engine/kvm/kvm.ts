/** KVM as a VMM sees it: calls with their legality, their effects, and a reason for each refusal. */
import type { Affinity } from '../../pure/arch/affinity.ts'
import { PPI, PRIVATE_COUNT } from '../../pure/arch/intid.ts'
import { ID_AA64PFR0 } from '../../pure/arch/sysregs/identification.ts'
import type { HostProfile } from '../../pure/blueprint/host.ts'
import { newVmFacts, refuse } from '../../pure/rules/points.ts'
import type { Refusal, VgicRules, VmFacts } from '../../pure/rules/points.ts'
import type { KvmAnswer, KvmCall, VcpuFeature } from '../../pure/uapi/calls.ts'
import { pinOfSpi, spiOfPin } from '../../pure/uapi/irqfd.ts'
import { MP_STATE } from '../../pure/uapi/mp-state.ts'
import { canHave, withheldFrom } from '../../pure/uapi/vcpu-features.ts'
import { DEVICE_TYPE } from '../../pure/uapi/vgic-attr.ts'
import type { IrqLine } from '../bus/irq-line.ts'
import { CpuLookup } from '../gic/lookup.ts'
import type { Vgic } from '../gic/vgic.ts'
import type { Hardware } from '../machine/hardware.ts'
import { GsiRouting } from './gsi-routing.ts'
import { irqLine } from './irq-line.ts'
import { Irqfds } from './irqfds.ts'
import { checkExtension } from './capabilities.ts'
import { done, withValue } from './kvm-answer.ts'
import { setMpState } from './mp-state.ts'
import { getOneReg, regList, setOneReg } from './one-reg.ts'
import type { OneRegContext } from './one-reg.ts'
import { checkPmu, getPmuAttr, hasPmuAttr, setPmuAttr } from './pmu-attr.ts'
import type { PmuAttrContext } from './pmu-attr.ts'
import { hypercall } from './psci.ts'
import type { PsciContext } from './psci.ts'
import { checkVcpu } from './run-checks.ts'
import { injectMsi, signalMsi } from './signal-msi.ts'
import { Vcpu } from './vcpu.ts'
import { bindingFeatures, checkFeatures, checkNewVcpu, el1Of, lastingFeatures } from './vcpu-checks.ts'
import { ipaBitsOf, maxVcpusOf } from './vm-checks.ts'
import { VmDevices } from './vm-devices.ts'

const MAIN = 'virt/kvm/kvm_main.c'

const TIMERS = [PPI.virtualTimer, PPI.physicalTimer]

export interface KvmOptions {
  readonly hardware: Hardware
  readonly rules: VgicRules
  readonly host: HostProfile
  /** A vCPU was reset by PSCI CPU_ON and is about to start: its timers forget what they were set to. */
  readonly onCpuReset?: (cpu: number) => void
}

/** What is asked of a VM, its vCPUs and its devices. */
type VmCall = Exclude<KvmCall, { call: 'KVM_CREATE_VM' | 'KVM_CHECK_EXTENSION' }>

export class Kvm {
  readonly facts: VmFacts
  readonly rules: VgicRules
  private readonly hardware: Hardware
  private readonly host: HostProfile
  private readonly onCpuReset: (cpu: number) => void
  private readonly all: Vcpu[] = []
  private readonly oneReg: OneRegContext
  /** The GIC and the ITSes. */
  readonly devices: VmDevices
  private readonly routing = new GsiRouting()
  private readonly irqfds = new Irqfds({
    raise: (gsi, level) => this.raiseGsi(gsi, level),
    gsiOf: (intid) => this.routing.gsiOfPin(pinOfSpi(intid)),
    initialised: () => this.devices.gic?.initialised === true,
  })
  private lookup: CpuLookup | undefined
  /** Whether some vCPU has run. */
  private ran = false
  /** kvm_vm_dead(): a failed first run leaves a VM that answers EIO to everything. */
  private dead: Refusal | undefined
  /** How large the guest's physical address space is; `undefined`: no VM was created. */
  private vmIpaBits: number | undefined

  constructor({ hardware, rules, host, onCpuReset }: KvmOptions) {
    this.hardware = hardware
    this.rules = rules
    this.host = host
    this.onCpuReset = onCpuReset ?? (() => {})
    this.facts = newVmFacts(host, rules)
    this.devices = new VmDevices({
      hardware,
      rules,
      host,
      facts: this.facts,
      vcpus: this.all,
      find: (affinity) => this.find(affinity),
      ipaEnd: () => 2 ** (this.vmIpaBits ?? 0),
      chooseA3v: () => this.chooseA3v(),
      completed: (intid) => this.irqfds.completed(intid),
      initialised: (spis) => this.routing.setDefault(spis),
    })
    this.oneReg = {
      rules,
      vm: this.facts,
      hideGic: () => hardware.hide(ID_AA64PFR0.encoding, ID_AA64PFR0.GIC),
      mpidrChanged: (vcpu) => this.mpidrChanged(vcpu),
    }
    const psci: PsciContext = {
      rules,
      vcpus: this.all,
      find: (affinity) => this.find(affinity),
      resetVcpu: (vcpu) => this.resetVcpu(vcpu),
      systemEvent: (event) => hardware.systemEvent(event),
    }
    hardware.onHypercall((cpu, args, conduit) => {
      const caller = this.all[cpu]
      if (caller === undefined) throw new Error(`CPU ${cpu} is not a vCPU of this VM`)
      this.vgic?.vcpuExits(cpu)
      return hypercall(psci, caller, conduit, args)
    })
    hardware.onVcpuExit((cpu) => this.vgic?.vcpuExits(cpu))
  }

  get vcpus(): readonly Vcpu[] {
    return this.all
  }

  /** From KVM_DEV_ARM_VGIC_CTRL_INIT on. */
  get vgic(): Vgic | undefined {
    return this.devices.vgic
  }

  execute(call: KvmCall): KvmAnswer {
    if (this.dead !== undefined) {
      return refuse('EIO', `The VM is dead since its first run failed: ${this.dead.why}`, `${MAIN}: kvm_vm_ioctl()`)
    }
    switch (call.call) {
      // These two are asked of /dev/kvm; all others of what KVM_CREATE_VM made.
      case 'KVM_CREATE_VM':
        return this.createVm(call.type ?? 0)
      case 'KVM_CHECK_EXTENSION':
        return checkExtension(call.capability, {
          maxVcpus: this.maxVcpus,
          ipaBits: this.host.ipaBits,
          aarch32: this.hardware.aarch32,
          has: (feature) => canHave(this.hardware.features, feature),
          its: this.facts.hasIts,
        })
      default:
        return this.vmIpaBits === undefined
          ? refuse('EBADF', 'There is no VM yet: KVM_CREATE_VM makes one.', `${MAIN}: kvm_dev_ioctl_create_vm()`)
          : this.executeInVm(call)
    }
  }

  private executeInVm(call: VmCall): KvmAnswer {
    switch (call.call) {
      case 'KVM_CREATE_VCPU':
        return this.createVcpu(call.id)
      case 'KVM_ARM_VCPU_INIT':
        return this.withVcpu(call.vcpu, (vcpu) => this.initVcpu(vcpu, call.features))
      case 'KVM_GET_ONE_REG':
        return this.withVcpu(call.vcpu, (vcpu) => getOneReg(vcpu, call.reg, call.badPointer))
      case 'KVM_SET_ONE_REG':
        return this.withVcpu(call.vcpu, (vcpu) => setOneReg(this.oneReg, vcpu, call.reg, call.value, call.badPointer))
      case 'KVM_GET_REG_LIST':
        return this.withVcpu(call.vcpu, (vcpu) => regList(vcpu, call.room))
      case 'KVM_GET_MP_STATE':
        return this.withVcpu(call.vcpu, (vcpu) => withValue(vcpu.on ? MP_STATE.RUNNABLE : MP_STATE.STOPPED))
      case 'KVM_SET_MP_STATE':
        return this.withVcpu(call.vcpu, (vcpu) => setMpState(vcpu, call.state))
      case 'KVM_CREATE_IRQCHIP':
        return this.devices.create(DEVICE_TYPE.V2, { test: false, ran: this.ran })
      case 'KVM_CREATE_DEVICE':
        return this.devices.create(call.type, { test: call.test === true, ran: this.ran })
      case 'KVM_HAS_DEVICE_ATTR':
        if (call.vcpu !== undefined) return this.withVcpu(call.vcpu, (vcpu) => hasPmuAttr(vcpu, call))
        return this.devices.with(call, (device) => device.has(call))
      case 'KVM_GET_DEVICE_ATTR':
        if (call.vcpu !== undefined)
          return this.withVcpu(call.vcpu, (vcpu) => getPmuAttr(this.pmuContext, vcpu, call, call.badPointer))
        return this.devices.with(call, (device) => device.get(call, call.value ?? 0n, call.badPointer))
      case 'KVM_SET_DEVICE_ATTR':
        if (call.vcpu !== undefined)
          return this.withVcpu(call.vcpu, (vcpu) => setPmuAttr(this.pmuContext, vcpu, call, call.badPointer))
        return this.devices.with(call, (device) => device.set(call, BigInt.asUintN(64, call.value), call.badPointer))
      case 'KVM_IRQ_LINE':
        return irqLine({ rules: this.rules, device: this.devices.gic, vcpus: this.all }, call.irq, call.level)
      case 'KVM_IRQFD':
        return this.irqfds.assign(call)
      case 'KVM_SET_GSI_ROUTING':
        return this.routing.set(call)
      case 'eventfd_write':
        return this.irqfds.write(call.fd)
      case 'eventfd_read':
        return this.irqfds.read(call.fd)
      case 'KVM_SIGNAL_MSI':
        return signalMsi(this.facts, this.devices.itses, call)
      case 'KVM_RUN':
        return this.withVcpu(call.vcpu, (vcpu) => this.run(vcpu, call.stay === true))
    }
  }

  /** KVM_RUN of every vCPU for the first time, in creation order. Then the machine may run. */
  firstRun(): KvmAnswer {
    for (const { index } of this.all) {
      const answer = this.execute({ call: 'KVM_RUN', vcpu: index })
      if (!answer.ok) return answer
    }
    return done
  }

  /** Where the overflow interrupt of a vCPU's PMU goes; `undefined`: nowhere yet. */
  pmuLine(cpu: number): IrqLine | undefined {
    const { vgic } = this
    const irq = this.all[cpu]?.pmu.irq
    if (vgic === undefined || irq === undefined) return undefined
    return irq < PRIVATE_COUNT ? vgic.ppi(cpu, irq) : vgic.spi(irq)
  }

  private get pmuContext(): PmuAttrContext {
    return { gic: this.devices.gic, vcpus: this.all }
  }

  /** The vCPU with an affinity: kvm_mpidr_to_vcpu(). */
  find(affinity: Affinity): Vcpu | undefined {
    const { vgic } = this
    const index = vgic === undefined ? this.ownLookup().find(affinity) : vgic.lookup(affinity)
    return index === undefined ? undefined : this.all[index]
  }

  private createVm(type: number): KvmAnswer {
    const bits = ipaBitsOf(type, this.host)
    if (typeof bits !== 'number') return bits
    if (this.vmIpaBits !== undefined) return { ok: true, note: 'That is another VM; nothing of this one changes.' }
    this.vmIpaBits = bits
    return done
  }

  /** kvm_set_irq() for one GSI. */
  private raiseGsi(gsi: number, level: boolean): void {
    const route = this.routing.of(gsi)
    const { vgic } = this
    if (route?.to === 'irqchip') {
      const intid = spiOfPin(route.pin)
      if (vgic?.irq(0, intid) !== undefined) vgic.injectSpi(intid, level)
    } else if (route?.to === 'msi' && level) injectMsi(this.facts, this.devices.itses, route)
  }

  // vCPUs

  private get maxVcpus(): number {
    return maxVcpusOf(this.host, this.facts.gic)
  }

  private createVcpu(id: number): KvmAnswer {
    const initialised = this.devices.gic?.initialised === true
    const wrong = checkNewVcpu(id, { vcpus: this.all, max: this.maxVcpus, initialised })
    if (wrong !== undefined) return wrong
    // The vCPU is not counted while it is made: a legacy region that it makes too large is found at the first run.
    const placed = this.devices.gic?.placeVcpu(this.all.length)
    if (placed !== undefined) return placed
    this.all.push(new Vcpu(this.hardware.addCpu(), id))
    this.lookup = undefined
    return done
  }

  private initVcpu(vcpu: Vcpu, features: readonly VcpuFeature[]): KvmAnswer {
    const { features: cpu } = this.hardware
    const wrong = checkFeatures(vcpu, features, { vcpus: this.all, el1: this.facts.el1, cpu, rules: this.rules })
    if (wrong !== undefined) return wrong
    const first = !vcpu.initialised
    this.facts.el1 = el1Of(features)
    this.chooseA3v()
    vcpu.features = lastingFeatures(features)
    vcpu.asked = bindingFeatures(features, this.rules)
    this.hardware.withhold(withheldFrom(vcpu.features))
    vcpu.startsOff = features.includes('POWER_OFF')
    if (vcpu.started) {
      vcpu.started = false
      vcpu.port.powerOff()
    }
    vcpu.port.reset()
    if (first || this.rules.mpidrAtReinit.decide() === 'reset') {
      vcpu.resetMpidr()
      this.mpidrChanged(vcpu)
    }
    return done
  }

  /** The reset that CPU_ON posts: kvm_reset_vcpu(). */
  private resetVcpu(vcpu: Vcpu): void {
    if (this.rules.mpidrAtCpuOn.decide() === 'reset') {
      vcpu.resetMpidr()
      this.mpidrChanged(vcpu)
    }
    this.vgic?.cpuReset(vcpu.index)
    this.onCpuReset(vcpu.index)
  }

  private mpidrChanged(vcpu: Vcpu): void {
    this.lookup?.refresh(vcpu.index)
    this.vgic?.mpidrChanged(vcpu.index)
  }

  /** Without a GIC affinities are found all the same, for CPU_ON. */
  private ownLookup(): CpuLookup {
    this.lookup ??= new CpuLookup(
      this.rules.lookupAffinity.decide(),
      this.all.map((vcpu) => () => vcpu.mpidr),
    )
    return this.lookup
  }

  private withVcpu(index: number, run: (vcpu: Vcpu) => KvmAnswer): KvmAnswer {
    const vcpu = this.all[index]
    if (vcpu === undefined) return refuse('EBADF', `There is no vCPU ${index}.`, `${MAIN}: kvm_vcpu_ioctl()`)
    return run(vcpu)
  }

  /** The VM's own A3V follows what is known of it, until something pins it. */
  private chooseA3v(): void {
    if (!this.facts.pinned) this.facts.guestA3v = this.rules.guestA3vAtCreation.decide({ vm: this.facts })
  }

  // KVM_RUN

  private run(vcpu: Vcpu, stay: boolean): KvmAnswer {
    const wrong = checkVcpu(vcpu, this.hardware.aarch32)
    if (wrong !== undefined) return wrong
    if (!this.ran) {
      const fatal = this.devices.map()
      if (fatal !== undefined) {
        this.dead = fatal
        return fatal
      }
      this.ran = true
      // Without a vGICv3 its system registers are neither there nor told of (sys_regs.c: kvm_finalize_sys_regs()).
      if (this.facts.gic !== 3) this.hardware.hide(ID_AA64PFR0.encoding, ID_AA64PFR0.GIC)
      if (this.vgic === undefined) this.ownLookup().freeze()
      this.vgic?.firstRun()
      this.facts.hasRun = true
    }
    const notReady = checkPmu(vcpu)
    if (notReady !== undefined) return notReady
    this.vgic?.vcpuRuns(vcpu.index, TIMERS)
    vcpu.start()
    if (vcpu.port.powered) this.vgic?.vcpuExits(vcpu.index)
    vcpu.inside = stay
    return done
  }
}
