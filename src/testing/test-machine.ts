/** A machine without processors: what is attached to it can be driven by hand, one guest access at a time. */
import type { Feature } from '../pure/arch/cpu/features.ts'
import { CPU_MODELS } from '../pure/arch/cpu/models.ts'
import type { CpuModelId } from '../pure/arch/cpu/models.ts'
import { sysregs } from '../pure/arch/sysregs/table.ts'
import { CORE_REGISTERS } from '../pure/uapi/one-reg.ts'
import { createAddressSpace } from '../engine/bus/address-space.ts'
import type { AddressSpace } from '../engine/bus/address-space.ts'
import type { AccessWidth, MmioRegion } from '../engine/bus/device.ts'
import type { SysregPort } from '../engine/bus/sysreg-port.ts'
import type { Conduit } from '../engine/cpu/system-helpers.ts'
import type { CpuPort, Hardware, HypercallHandler, SystemEvent } from '../engine/machine/hardware.ts'
import { TestClock } from './test-clock.ts'

export interface TestCpu extends CpuPort {
  /** The level of the IRQ input, of the FIQ input, and of what ends a WFI. */
  readonly irqLevel: boolean
  readonly fiqLevel: boolean
  readonly wakeLevel: boolean
  /** What MRS MPIDR_EL1 would read. */
  readonly mpidr: bigint
  /** Where the CPU was started last. */
  readonly startedAt: { readonly entry: bigint; readonly context: bigint } | undefined
}

interface Levels {
  irqLevel: boolean
  fiqLevel: boolean
  wakeLevel: boolean
}

const makeCpu = (index: number): TestCpu => {
  const core = new Map(CORE_REGISTERS.map(({ name }) => [name, 0n]))
  const system = new Map(sysregs.flatMap(({ encoding, is }) => (is.kind === 'stored' ? [[encoding, is.reset]] : [])))
  const state: Levels & { mpidr: bigint; powered: boolean; startedAt: TestCpu['startedAt'] } = {
    irqLevel: false,
    fiqLevel: false,
    wakeLevel: false,
    mpidr: 0n,
    powered: false,
    startedAt: undefined,
  }
  return {
    index,
    irq: {
      set: (level) => {
        state.irqLevel = level
      },
    },
    fiq: {
      set: (level) => {
        state.fiqLevel = level
      },
    },
    wake: {
      set: (level) => {
        state.wakeLevel = level
      },
    },
    get irqLevel() {
      return state.irqLevel
    },
    get fiqLevel() {
      return state.fiqLevel
    },
    get wakeLevel() {
      return state.wakeLevel
    },
    get mpidr() {
      return state.mpidr
    },
    get powered() {
      return state.powered
    },
    get startedAt() {
      return state.startedAt
    },
    setMpidr: (value) => {
      state.mpidr = value
    },
    registers: {
      core: (name) => core.get(name),
      setCore: (name, value) => {
        if (!core.has(name)) return 'unknown'
        core.set(name, value)
        return 'done'
      },
      system: [...system.keys()].toSorted((a, b) => a - b),
      readSystem: (encoding) => system.get(encoding),
      writeSystem: (encoding, value) => {
        if (!system.has(encoding)) return 'unknown'
        system.set(encoding, value)
        return 'done'
      },
    },
    reset: () => {
      for (const name of core.keys()) core.set(name, 0n)
    },
    start: () => {
      state.powered = true
      state.startedAt = { entry: core.get('PC') ?? 0n, context: core.get('X0') ?? 0n }
    },
    powerOn: (entry, context) => {
      state.powered = true
      state.startedAt = { entry, context }
    },
    powerOff: () => {
      state.powered = false
    },
  }
}

/** Where RAM begins, if there is any. */
export const TEST_RAM = 0x4000_0000

const EL1 = 1

export class TestMachine implements Hardware {
  /** A test can drive such a guest by hand as well. */
  readonly aarch32 = true
  readonly features: ReadonlySet<Feature>
  readonly clock = new TestClock()
  readonly cpus: TestCpu[] = []
  readonly events: SystemEvent[] = []
  private readonly space: AddressSpace = createAddressSpace()
  private readonly ports: SysregPort[] = []
  /** What KVM hides of identification registers, by encoding. */
  readonly hidden = new Map<number, bigint>()
  private handler: HypercallHandler | undefined
  private readonly memory: Uint8Array

  /** Bytes of RAM. */
  constructor(ramBytes = 0, cpu: CpuModelId = 'cortex-a57') {
    this.features = CPU_MODELS[cpu].features
    this.memory = new Uint8Array(ramBytes)
  }

  addCpu(): CpuPort {
    const cpu = makeCpu(this.cpus.length)
    this.cpus.push(cpu)
    return cpu
  }

  attach(region: MmioRegion): void {
    this.space.attach(region)
  }

  detach(region: MmioRegion): void {
    this.space.detach(region)
  }

  /** Nothing runs here by itself. */
  onVcpuExit(): void {}

  hide(register: number, bits: bigint): void {
    this.hidden.set(register, bits)
  }

  /** It has no registers of its own that a guest could read. */
  withhold(): void {}

  own(port: SysregPort): void {
    this.ports.push(port)
  }

  onHypercall(handler: HypercallHandler): void {
    this.handler = handler
  }

  systemEvent(event: SystemEvent): void {
    this.events.push(event)
    for (const cpu of this.cpus) cpu.powerOff()
  }

  ram(physical: number, length: number): Uint8Array | undefined {
    const offset = physical - TEST_RAM
    return offset < 0 || offset + length > this.memory.length
      ? undefined
      : this.memory.subarray(offset, offset + length)
  }

  cpu(index: number): TestCpu {
    const cpu = this.cpus[index]
    if (cpu === undefined) throw new Error(`there is no CPU ${index}`)
    return cpu
  }

  // The guest's hand.

  /** Whether something answers at an address. */
  has(address: number): boolean {
    return this.space.find(address) !== undefined
  }

  load(address: number, width: AccessWidth, cpu = 0): bigint {
    const region = this.region(address)
    return region.read(address - region.base, width, cpu)
  }

  store(address: number, width: AccessWidth, value: bigint, cpu = 0): void {
    const region = this.region(address)
    region.write(address - region.base, width, value, cpu)
  }

  /** `undefined`: the access is UNDEFINED. */
  mrs(cpu: number, reg: number): bigint | undefined {
    return this.port(reg)?.read(cpu, reg, EL1)
  }

  /** `false`: the access is UNDEFINED. */
  msr(cpu: number, reg: number, value: bigint): boolean {
    return this.port(reg)?.write(cpu, reg, value, EL1) ?? false
  }

  /** X0 after an HVC, as a signed number; `undefined` if the call does not return. */
  hvc(cpu: number, fn: number, ...args: readonly bigint[]): bigint | undefined {
    return this.callOut('hvc', cpu, fn, args)
  }

  /** The same after an SMC. */
  smc(cpu: number, fn: number, ...args: readonly bigint[]): bigint | undefined {
    return this.callOut('smc', cpu, fn, args)
  }

  private callOut(
    conduit: Conduit,
    cpu: number,
    fn: number,
    [a = 0n, b = 0n, c = 0n]: readonly bigint[],
  ): bigint | undefined {
    if (this.handler === undefined) throw new Error('nobody serves hypercalls')
    const answer = this.handler(cpu, [BigInt(fn), a, b, c], conduit)
    return answer === undefined ? undefined : BigInt.asIntN(64, answer)
  }

  private region(address: number): MmioRegion {
    const region = this.space.find(address)
    if (region === undefined) throw new Error(`nothing answers at 0x${address.toString(16)}`)
    return region
  }

  private port(reg: number): SysregPort | undefined {
    return this.ports.find(({ registers }) => registers.includes(reg))
  }
}
