/** KVM as a VMM sees it: calls with their legality, their effects, and a reason for each refusal. */
import type { Affinity } from '../../pure/arch/affinity.ts'
import { PPI } from '../../pure/arch/intid.ts'
import { ID_AA64PFR0 } from '../../pure/arch/sysregs/identification.ts'
import type { HostProfile } from '../../pure/blueprint/host.ts'
import { newVmFacts, refuse } from '../../pure/rules/points.ts'
import type { Refusal, VgicRules, VmFacts } from '../../pure/rules/points.ts'
import type { DeviceAttr, KvmAnswer, KvmCall, VcpuFeature } from '../../pure/uapi/calls.ts'
import { MP_STATE } from '../../pure/uapi/mp-state.ts'
import { DEVICE_TYPE } from '../../pure/uapi/vgic-attr.ts'
import type { MmioRegion } from '../bus/device.ts'
import { guestMemory } from '../bus/guest-memory.ts'
import type { GuestMemory } from '../bus/guest-memory.ts'
import { Effort } from '../gic/effort.ts'
import { inspectIts, inspectLpis } from '../gic/its/inspect.ts'
import type { ItsInspection, LpiInspection } from '../gic/its/inspect.ts'
import { CpuLookup } from '../gic/lookup.ts'
import type { Vgic } from '../gic/vgic.ts'
import { VgicV3 } from '../gic/vgic-v3.ts'
import type { Hardware } from '../machine/hardware.ts'
import { irqLine } from './irq-line.ts'
import { Irqfds } from './irqfds.ts'
import { checkExtension } from './capabilities.ts'
import { ItsDevice } from './its-device.ts'
import { done, withValue } from './kvm-answer.ts'
import { setMpState } from './mp-state.ts'
import { getOneReg, regList, setOneReg } from './one-reg.ts'
import type { OneRegContext } from './one-reg.ts'
import { hypercall } from './psci.ts'
import type { PsciContext } from './psci.ts'
import { checkVcpu } from './run-checks.ts'
import { signalMsi } from './signal-msi.ts'
import { Vcpu } from './vcpu.ts'
import { checkFeatures, checkNewVcpu, el1Of, lastingFeatures } from './vcpu-checks.ts'
import { checkNewGic, deviceOf, ipaBitsOf, maxVcpusOf } from './vm-checks.ts'
import type { VgicDevice } from './vgic-device.ts'
import { VgicV2Device } from './vgic-v2-device.ts'
import { VgicV3Device } from './vgic-v3-device.ts'

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

/** `base`: where the guest has it; `undefined`: nowhere yet. */
export type PlacedIts = ItsInspection & { readonly base: number | undefined }

export class Kvm {
  readonly facts: VmFacts
  readonly rules: VgicRules
  private readonly hardware: Hardware
  private readonly host: HostProfile
  private readonly onCpuReset: (cpu: number) => void
  private readonly all: Vcpu[] = []
  private readonly oneReg: OneRegContext
  private readonly memory: GuestMemory
  private readonly effort: Effort
  private device: VgicDevice | undefined
  private readonly itsDevices: ItsDevice[] = []
  private readonly irqfds = new Irqfds({
    spi: (intid) => (this.vgic?.irq(0, intid) === undefined ? undefined : this.vgic.spi(intid)),
    initialised: () => this.device?.initialised === true,
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
    this.memory = guestMemory((physical, length) => hardware.ram(physical, length))
    this.effort = new Effort(hardware.clock)
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
    return this.device?.vgic
  }

  private get vgicV3(): VgicV3 | undefined {
    const { vgic } = this
    return vgic instanceof VgicV3 ? vgic : undefined
  }

  /** In the order of their creation. */
  get itses(): readonly ItsDevice[] {
    return this.itsDevices
  }

  /** What a person sees of ITSes and LPIs. */
  inspectIts(): { readonly its: readonly PlacedIts[]; readonly lpis: readonly LpiInspection[] } {
    const world = this.vgicV3?.lpiWorld
    return {
      its: this.itsDevices.map(({ its, address }) => ({ base: address, ...inspectIts(its) })),
      lpis: world === undefined ? [] : inspectLpis(world),
    }
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
        return this.createDevice(DEVICE_TYPE.V2, false)
      case 'KVM_CREATE_DEVICE':
        return this.createDevice(call.type, call.test === true)
      case 'KVM_HAS_DEVICE_ATTR':
        return this.withDevice(call, (device) => device.has(call))
      case 'KVM_GET_DEVICE_ATTR':
        return this.withDevice(call, (device) => device.get(call, call.value ?? 0n, call.badPointer))
      case 'KVM_SET_DEVICE_ATTR':
        return this.withDevice(call, (device) => device.set(call, BigInt.asUintN(64, call.value), call.badPointer))
      case 'KVM_IRQ_LINE':
        return irqLine({ rules: this.rules, device: this.device, vcpus: this.all }, call.irq, call.level)
      case 'KVM_IRQFD':
        return this.irqfds.assign(call)
      case 'eventfd_write':
        return this.irqfds.write(call.fd)
      case 'eventfd_read':
        return this.irqfds.read(call.fd)
      case 'KVM_SIGNAL_MSI':
        return signalMsi(this.facts, this.itsDevices, call)
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

  /** The first guest physical address that does not exist. */
  private ipaEnd(): number {
    return 2 ** (this.vmIpaBits ?? 0)
  }

  // vCPUs

  private get maxVcpus(): number {
    return maxVcpusOf(this.host, this.facts.gic)
  }

  private createVcpu(id: number): KvmAnswer {
    const initialised = this.device?.initialised === true
    const wrong = checkNewVcpu(id, { vcpus: this.all, max: this.maxVcpus, initialised })
    if (wrong !== undefined) return wrong
    // The vCPU is not counted while it is made: a legacy region that it makes too large is found at the first run.
    const placed = this.device?.placeVcpu(this.all.length)
    if (placed !== undefined) return placed
    this.all.push(new Vcpu(this.hardware.addCpu(), id))
    this.lookup = undefined
    return done
  }

  private initVcpu(vcpu: Vcpu, features: readonly VcpuFeature[]): KvmAnswer {
    const wrong = checkFeatures(vcpu, features, { vcpus: this.all, el1: this.facts.el1 })
    if (wrong !== undefined) return wrong
    const first = !vcpu.initialised
    this.facts.el1 = el1Of(features)
    this.chooseA3v()
    vcpu.features = lastingFeatures(features)
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

  // The GIC

  private createDevice(type: number, test: boolean): KvmAnswer {
    const model = deviceOf(type, this.host)
    if (model === 'its') return this.createIts(test)
    if (typeof model !== 'number') return model
    if (test) return done
    const wrong = checkNewGic(model, { vcpus: this.all, hasGic: this.device !== undefined, ran: this.ran })
    if (wrong !== undefined) return wrong
    this.facts.gic = model
    this.facts.revision = this.rules.iidrDefaultRevision.decide({ vm: this.facts })
    this.chooseA3v()
    const options = {
      rules: this.rules,
      vm: this.facts,
      ipaEnd: this.ipaEnd(),
      vcpus: this.all,
      find: (affinity: Affinity) => this.find(affinity),
      memory: this.memory,
      effort: this.effort,
      completed: (intid: number) => this.irqfds.completed(intid),
    }
    this.device = model === 2 ? new VgicV2Device(options) : new VgicV3Device(options)
    return done
  }

  /** At any time: before the GIC and after the first run as well: vgic_its_create(). */
  private createIts(test: boolean): KvmAnswer {
    if (test) return done
    const { hardware, rules, memory, effort } = this
    this.itsDevices.push(
      new ItsDevice({
        rules,
        memory,
        effort,
        clock: hardware.clock,
        ipaEnd: this.ipaEnd(),
        vcpus: this.all,
        world: () => this.vgicV3?.lpiWorld,
        cpuOf: (rdbase) => this.cpuOfRdbase(rdbase),
        event: () => this.vgic?.onEvent,
        attach: (region) => this.tryAttach(region),
      }),
    )
    this.facts.hasIts = true
    this.vgicV3?.itsCreated()
    return done
  }

  private cpuOfRdbase(rdbase: number): number | undefined {
    if (this.rules.itsTarget.decide() === 'index') return this.all[rdbase]?.index
    return this.all.find(({ id }) => id === rdbase)?.index
  }

  /** The VM's own A3V follows what is known of it, until something pins it. */
  private chooseA3v(): void {
    if (!this.facts.pinned) this.facts.guestA3v = this.rules.guestA3vAtCreation.decide({ vm: this.facts })
  }

  private withDevice({ its }: DeviceAttr, run: (device: VgicDevice | ItsDevice) => KvmAnswer): KvmAnswer {
    const source = `${MAIN}: kvm_device_ioctl()`
    const device = its === undefined ? this.device : this.itsDevices[its]
    if (device !== undefined) return run(device)
    return refuse('EBADF', its === undefined ? 'The VM has no GIC device.' : `The VM has no ITS ${its}.`, source)
  }

  // KVM_RUN

  private run(vcpu: Vcpu, stay: boolean): KvmAnswer {
    const wrong = checkVcpu(vcpu, this.hardware.aarch32)
    if (wrong !== undefined) return wrong
    if (!this.ran) {
      const fatal = this.mapGic()
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
    this.vgic?.vcpuRuns(vcpu.index, TIMERS)
    vcpu.start()
    if (vcpu.port.powered) this.vgic?.vcpuExits(vcpu.index)
    vcpu.inside = stay
    return done
  }

  /** kvm_vgic_map_resources(): checks, then the guest can see the frames. */
  private mapGic(): Refusal | undefined {
    const { device } = this
    if (device === undefined) return undefined
    const wrong = device.mapResources()
    if (wrong !== undefined) return wrong
    for (const region of device.mmio()) {
      const overlap = this.tryAttach(region)
      if (overlap !== undefined) return overlap
    }
    const { vgic } = device
    if (vgic !== undefined) this.hardware.own(vgic.sysregs)
    return undefined
  }

  /** KVM would let RAM hide a frame; here a machine has one owner for each address. */
  private tryAttach(region: MmioRegion): Refusal | undefined {
    try {
      this.hardware.attach(region)
      return undefined
    } catch (error) {
      const why = error instanceof Error ? error.message : `${error}`
      return refuse('EINVAL', `${why}.`, 'virt/kvm/kvm_main.c: kvm_io_bus_register_dev()')
    }
  }
}
