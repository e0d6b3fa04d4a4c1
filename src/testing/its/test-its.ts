/** A VM with an ITS, and a guest's hand on it: tables in RAM, commands through the ring, LPIs as they arrive. */
import { encodeCommand, COMMAND_BYTES } from '../../pure/arch/gic/its-commands.ts'
import type { CommandValues, CommandWords, ItsCommandName } from '../../pure/arch/gic/its-commands.ts'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { KVM_MSI_VALID_DEVID } from '../../pure/uapi/calls.ts'
import { DEVICE_TYPE, VGIC_ADDR, VGIC_CTRL, VGIC_GROUP } from '../../pure/uapi/vgic-attr.ts'
import { TEST_RAM } from '../test-machine.ts'
import { GICD, GICR, TestVm } from '../test-vm.ts'
import type { TestVmOptions } from '../test-vm.ts'

export const ITS = 0x0808_0000
const TRANSLATER = 0x1_0040
const RAM_BYTES = 0x80_0000
const FRAME = 0x20000
const VALID = 1n << 63n
export const INDIRECT = 1n << 62n

/** Where this guest keeps its tables. */
export const AT = {
  ring: TEST_RAM + 0x1_0000,
  devices: TEST_RAM + 0x2_0000,
  collections: TEST_RAM + 0x3_0000,
  configuration: TEST_RAM + 0x4_0000,
  /** One for each CPU, 64 KiB apart. */
  pending: TEST_RAM + 0x10_0000,
  /** Free for tables of events. */
  itt: TEST_RAM + 0x20_0000,
} as const

/** GITS_BASER<n>: so many pages of 64 KiB. */
export const table = (address: number, pages = 1): bigint => VALID | BigInt(address) | BigInt(pages - 1)

export interface TestItsOptions extends Partial<TestVmOptions> {
  /** How far the guest sets it up: nothing; tables, and LPIs at every CPU; the ITS as well (the default). */
  readonly setUp?: 'nothing' | 'lpis' | 'its'
}

export class TestIts extends TestVm {
  private wrote = 0

  constructor({ setUp = 'its', ...o }: TestItsOptions = {}) {
    super({ ruleSet: 'mainline', ram: RAM_BYTES, ...o })
    this.must(this.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.ITS }))
    this.must(this.setIts(VGIC_GROUP.ADDR, VGIC_ADDR.ITS, BigInt(ITS)))
    if (setUp === 'nothing') return
    this.run()
    this.setUpLpis()
    if (setUp === 'its') this.setUpIts()
  }

  // The VMM's hand.

  setIts(group: number, attr: bigint | number, value: bigint): KvmAnswer {
    return this.kvm.execute({ call: 'KVM_SET_DEVICE_ATTR', its: 0, group, attr: BigInt(attr), value })
  }

  getIts(group: number, attr: bigint | number): KvmAnswer {
    return this.kvm.execute({ call: 'KVM_GET_DEVICE_ATTR', its: 0, group, attr: BigInt(attr) })
  }

  hasIts(group: number, attr: bigint | number): KvmAnswer {
    return this.kvm.execute({ call: 'KVM_HAS_DEVICE_ATTR', its: 0, group, attr: BigInt(attr) })
  }

  save(): KvmAnswer {
    return this.setIts(VGIC_GROUP.CTRL, VGIC_CTRL.ITS_SAVE_TABLES, 0n)
  }

  restore(): KvmAnswer {
    return this.setIts(VGIC_GROUP.CTRL, VGIC_CTRL.ITS_RESTORE_TABLES, 0n)
  }

  msi(devid: number, data: number, { address = ITS + TRANSLATER, flags = KVM_MSI_VALID_DEVID } = {}): string {
    const answer = this.kvm.execute({ call: 'KVM_SIGNAL_MSI', address: BigInt(address), data, flags, devid })
    return answer.ok ? `${answer.value}` : answer.errno
  }

  // The guest's hand.

  its(offset: number, width: 4 | 8 = 8): bigint {
    return this.machine.load(ITS + offset, width)
  }

  setItsRegister(offset: number, value: bigint, width: 4 | 8 = 8): void {
    this.machine.store(ITS + offset, width, value)
  }

  redist(cpu: number, offset: number, width: 4 | 8 = 4): bigint {
    return this.machine.load(GICR + cpu * FRAME + offset, width)
  }

  setRedist(cpu: number, offset: number, value: bigint, width: 4 | 8 = 4): void {
    this.machine.store(GICR + cpu * FRAME + offset, width, value)
  }

  doubleword(address: number): bigint {
    return this.view(address).getBigUint64(0, true)
  }

  setDoubleword(address: number, value: bigint): void {
    this.view(address).setBigUint64(0, value, true)
  }

  /** The byte of an LPI's configuration: enabled, and its priority. */
  configure(intid: number, priority = 0x80, enabled = true): void {
    this.setByte(AT.configuration + intid - 8192, priority | Number(enabled))
  }

  tableBit(cpu: number, intid: number): number {
    return (this.byte(this.pendingByte(cpu, intid)) >> (intid % 8)) & 1
  }

  setTableBit(cpu: number, intid: number): void {
    const at = this.pendingByte(cpu, intid)
    this.setByte(at, this.byte(at) | (1 << (intid % 8)))
  }

  setUpLpis(): void {
    this.machine.store(GICD, 4, 2n)
    for (const { index } of this.machine.cpus) {
      this.machine.msr(index, ICC.ICC_PMR_EL1, 0xf8n)
      this.machine.msr(index, ICC.ICC_IGRPEN1_EL1, 1n)
      this.setRedist(index, 0x70, BigInt(AT.configuration) | 15n, 8)
      this.setRedist(index, 0x78, BigInt(AT.pending + index * 0x1_0000), 8)
      this.setRedist(index, 0, 1n)
    }
  }

  setUpIts({
    devices = table(AT.devices),
    collections = table(AT.collections),
    ring = AT.ring as number,
    ringPages = 16,
  } = {}): void {
    this.setItsRegister(0x100, devices)
    this.setItsRegister(0x108, collections)
    this.setItsRegister(0x80, VALID | BigInt(ring) | BigInt(ringPages - 1))
    this.setItsRegister(0, 1n, 4)
    this.wrote = 0
  }

  /** Writes a command into the ring and tells the ITS. */
  command<Name extends ItsCommandName>(name: Name, values: CommandValues<Name>): this {
    return this.raw(encodeCommand(name, values))
  }

  raw(words: CommandWords): this {
    this.write(words)
    this.setItsRegister(0x88, BigInt(this.wrote))
    return this
  }

  /** Many commands, of which the ITS is told once: as many as leave the ring one short of full. */
  flood(command: (n: number) => CommandWords, count: number): this {
    if (count * COMMAND_BYTES >= this.ringBytes) throw new Error(`the ring has no room for ${count} commands`)
    for (let n = 0; n < count; n++) this.write(command(n))
    this.setItsRegister(0x88, BigInt(this.wrote))
    return this
  }

  private write(words: CommandWords): void {
    for (const [i, word] of words.entries()) this.setDoubleword(this.ring + this.wrote + i * 8, word)
    this.wrote = (this.wrote + COMMAND_BYTES) % this.ringBytes
  }

  private get ringBytes(): number {
    return Number((this.its(0x80) & 0xffn) + 1n) * 0x1000
  }

  private get ring(): number {
    return Number(this.its(0x80) & 0xf_ffff_ffff_f000n)
  }

  mapDevice(id: number, eventBits = 5, itt: number = AT.itt + id * 0x1000): this {
    return this.command('MAPD', { DeviceID: id, Size: eventBits, ITT_addr: itt, V: 1 })
  }

  mapCollection(id: number, cpu: number): this {
    return this.command('MAPC', { ICID: id, RDbase: cpu, V: 1 })
  }

  mapEvent(device: number, event: number, intid: number, collection: number): this {
    return this.command('MAPTI', { DeviceID: device, EventID: event, pINTID: intid, ICID: collection })
  }

  int(device: number, event: number): this {
    return this.command('INT', { DeviceID: device, EventID: event })
  }

  /** Every vCPU leaves the guest once: what is queued for another goes there. */
  exit(): this {
    for (const { index } of this.machine.cpus) this.kvm.vgic?.vcpuExits(index)
    return this
  }

  /** What each CPU acknowledges and completes, until it has nothing: `1: 8193 8192`. */
  taken(): string {
    const all: string[] = []
    this.exit()
    for (const { index } of this.machine.cpus) {
      const intids: bigint[] = []
      for (;;) {
        const intid = this.machine.mrs(index, ICC.ICC_IAR1_EL1)
        if (intid === undefined || intid === 1023n) break
        this.machine.msr(index, ICC.ICC_EOIR1_EL1, intid)
        intids.push(intid)
      }
      if (intids.length > 0) all.push(`${index}: ${intids.join(' ')}`)
    }
    return all.join(', ')
  }

  private pendingByte(cpu: number, intid: number): number {
    return AT.pending + cpu * 0x1_0000 + Math.floor(intid / 8)
  }

  private byte(address: number): number {
    return this.view(address).getUint8(0)
  }

  private setByte(address: number, value: number): void {
    this.view(address).setUint8(0, value)
  }

  private view(address: number): DataView {
    const bytes = this.machine.ram(address, 8)
    if (bytes === undefined) throw new Error(`0x${address.toString(16)} is not in RAM`)
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
}
