/** The devices of a VM: its GIC and its ITSes (virt/kvm/kvm_main.c: kvm_ioctl_create_device()). */
import type { Affinity } from '../../pure/arch/affinity.ts'
import type { HostProfile } from '../../pure/blueprint/host.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal, VgicRules, VmFacts } from '../../pure/rules/points.ts'
import type { DeviceAttr, KvmAnswer } from '../../pure/uapi/calls.ts'
import type { MmioRegion } from '../bus/device.ts'
import { guestMemory } from '../bus/guest-memory.ts'
import { Effort } from '../gic/effort.ts'
import { inspectIts, inspectLpis } from '../gic/its/inspect.ts'
import type { ItsInspection, LpiInspection } from '../gic/its/inspect.ts'
import type { Vgic } from '../gic/vgic.ts'
import { VgicV3 } from '../gic/vgic-v3.ts'
import type { Hardware } from '../machine/hardware.ts'
import { ItsDevice } from './its-device.ts'
import { done } from './kvm-answer.ts'
import type { Vcpu } from './vcpu.ts'
import type { VgicDevice } from './vgic-device.ts'
import { VgicV2Device } from './vgic-v2-device.ts'
import { VgicV3Device } from './vgic-v3-device.ts'
import { checkNewGic, deviceOf } from './vm-checks.ts'

export interface VmDevicesOptions {
  readonly hardware: Hardware
  readonly rules: VgicRules
  readonly host: HostProfile
  /** Changed in place: which GIC the VM has, and whether it has an ITS. */
  readonly facts: VmFacts
  /** In creation order. */
  readonly vcpus: readonly Vcpu[]
  find(affinity: Affinity): Vcpu | undefined
  /** The first guest physical address that does not exist. */
  ipaEnd(): number
  /** What is known of the VM by now may decide over its A3V. */
  chooseA3v(): void
  /** A CPU has completed a level-sensitive SPI. */
  completed(intid: number): void
  /** The GIC is initialised, with so many SPIs. */
  initialised(spis: number): void
}

/** `base`: where the guest has it; `undefined`: nowhere yet. */
export type PlacedIts = ItsInspection & { readonly base: number | undefined }

export class VmDevices {
  gic: VgicDevice | undefined
  /** In the order of their creation. */
  readonly itses: ItsDevice[] = []
  private readonly o: VmDevicesOptions
  private readonly memory
  private readonly effort

  constructor(options: VmDevicesOptions) {
    this.o = options
    const { hardware } = options
    this.memory = guestMemory((physical, length) => hardware.ram(physical, length))
    this.effort = new Effort(hardware.clock)
  }

  /** From KVM_DEV_ARM_VGIC_CTRL_INIT on. */
  get vgic(): Vgic | undefined {
    return this.gic?.vgic
  }

  private get vgicV3(): VgicV3 | undefined {
    const { vgic } = this
    return vgic instanceof VgicV3 ? vgic : undefined
  }

  /** What a person sees of ITSes and LPIs. */
  inspectIts(): { readonly its: readonly PlacedIts[]; readonly lpis: readonly LpiInspection[] } {
    const world = this.vgicV3?.lpiWorld
    return {
      its: this.itses.map(({ its, address }) => ({ base: address, ...inspectIts(its) })),
      lpis: world === undefined ? [] : inspectLpis(world),
    }
  }

  /** KVM_CREATE_DEVICE. `ran`: whether some vCPU has. */
  create(type: number, { test, ran }: { readonly test: boolean; readonly ran: boolean }): KvmAnswer {
    const { rules, host, facts, vcpus } = this.o
    const model = deviceOf(type, host)
    if (model === 'its') return this.createIts(test)
    if (typeof model !== 'number') return model
    if (test) return done
    const wrong = checkNewGic(model, { vcpus, hasGic: this.gic !== undefined, ran })
    if (wrong !== undefined) return wrong
    facts.gic = model
    facts.revision = rules.iidrDefaultRevision.decide({ vm: facts })
    this.o.chooseA3v()
    const options = {
      rules,
      vm: facts,
      ipaEnd: this.o.ipaEnd(),
      vcpus,
      find: (affinity: Affinity) => this.o.find(affinity),
      memory: this.memory,
      effort: this.effort,
      completed: (intid: number) => this.o.completed(intid),
      initialised: (spis: number) => this.o.initialised(spis),
    }
    this.gic = model === 2 ? new VgicV2Device(options) : new VgicV3Device(options)
    return done
  }

  /** At any time: before the GIC and after the first run as well: vgic_its_create(). */
  private createIts(test: boolean): KvmAnswer {
    if (test) return done
    const { hardware, rules, facts, vcpus } = this.o
    this.itses.push(
      new ItsDevice({
        rules,
        memory: this.memory,
        effort: this.effort,
        clock: hardware.clock,
        ipaEnd: this.o.ipaEnd(),
        vcpus,
        world: () => this.vgicV3?.lpiWorld,
        cpuOf: (rdbase) => this.cpuOfRdbase(rdbase),
        event: () => this.vgic?.onEvent,
        attach: (region) => this.attach(region),
      }),
    )
    facts.hasIts = true
    this.vgicV3?.itsCreated()
    return done
  }

  private cpuOfRdbase(rdbase: number): number | undefined {
    const { rules, vcpus } = this.o
    if (rules.itsTarget.decide() === 'index') return vcpus[rdbase]?.index
    return vcpus.find(({ id }) => id === rdbase)?.index
  }

  /** The device that an attribute is of, by its file descriptor. */
  with({ its }: DeviceAttr, run: (device: VgicDevice | ItsDevice) => KvmAnswer): KvmAnswer {
    const device = its === undefined ? this.gic : this.itses[its]
    if (device !== undefined) return run(device)
    const what = its === undefined ? 'The VM has no GIC device.' : `The VM has no ITS ${its}.`
    return refuse('EBADF', what, 'virt/kvm/kvm_main.c: kvm_device_ioctl()')
  }

  /** kvm_vgic_map_resources(): checks, then the guest can see the frames. */
  map(): Refusal | undefined {
    const { gic } = this
    if (gic === undefined) return undefined
    const wrong = gic.mapResources()
    if (wrong !== undefined) return wrong
    for (const region of gic.mmio()) {
      const overlap = this.attach(region)
      if (overlap !== undefined) return overlap
    }
    const { vgic } = gic
    if (vgic !== undefined) this.o.hardware.own(vgic.sysregs)
    return undefined
  }

  /** KVM would let RAM hide a frame; here a machine has one owner for each address. */
  private attach(region: MmioRegion): Refusal | undefined {
    try {
      this.o.hardware.attach(region)
      return undefined
    } catch (error) {
      const why = error instanceof Error ? error.message : `${error}`
      return refuse('EINVAL', `${why}.`, 'virt/kvm/kvm_main.c: kvm_io_bus_register_dev()')
    }
  }
}
