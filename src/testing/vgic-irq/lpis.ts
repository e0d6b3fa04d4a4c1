/**
 * LPIs for the guest of the matrix: its VMM puts the tables into memory, enables LPIs at each redistributor and gives the
 * ITS its commands, all by KVM calls, as after a migration.
 */
import { resetAffinity } from '../../pure/arch/affinity.ts'
import { GICR_CTLR, GICR_PENDBASER, GICR_PROPBASER } from '../../pure/arch/gic/gicr.ts'
import { GITS_BASER, GITS_CBASER, GITS_CTLR, GITS_CWRITER } from '../../pure/arch/gic/gits.ts'
import { COMMAND_BYTES, encodeCommand } from '../../pure/arch/gic/its-commands.ts'
import type { CommandWords } from '../../pure/arch/gic/its-commands.ts'
import { FIRST_LPI } from '../../pure/arch/intid.ts'
import { registerAttr, VGIC_GROUP } from '../../pure/uapi/vgic-attr.ts'
import type { Vmm } from '../../engine/vmm/vmm.ts'

/** Each CPU has so many of its own: event n of the device is LPI 8192 + n. */
export const LPIS_OF_CPU = 16
export const DEVICE = 1

/** `LPI_PRIORITIES` of vgic-irq.s, and what else lies in memory, 64 KiB each. */
const CONFIGURATION = 0x4200_0000
const DEVICES = 0x4201_0000
const COLLECTIONS = 0x4202_0000
const RING = 0x4203_0000
const ITT = 0x4204_0000
const PENDING = 0x4210_0000
const TABLE_BYTES = 0x1_0000
const RING_PAGES = 16

const VALID = 1n << 63n
/** INTIDs of 16 bits. */
const ID_BITS = 15n
const ENABLED = 0xe9

export const setUpLpis = (vmm: Vmm, vcpus: number): void => {
  const set = (group: number, attr: bigint, value: bigint, its?: number): void => {
    const where = { group, attr, ...(its === undefined ? {} : { its }) }
    const answer = vmm.call({ call: 'KVM_SET_DEVICE_ATTR', ...where, value })
    if (!answer.ok) throw new Error(`${answer.errno}: ${answer.why}`)
  }
  const setIts = (offset: number, value: bigint): void => set(VGIC_GROUP.ITS_REGS, BigInt(offset), value, 0)
  const memory = (address: number): Uint8Array => {
    const bytes = vmm.ramView(address, TABLE_BYTES)
    if (bytes === undefined) throw new Error(`there is no RAM at 0x${address.toString(16)}`)
    return bytes
  }

  const lpis = vcpus * LPIS_OF_CPU
  memory(CONFIGURATION).fill(ENABLED, 0, lpis)
  for (let cpu = 0; cpu < vcpus; cpu++) {
    const redist = (offset: number, value: number): void =>
      set(VGIC_GROUP.REDIST_REGS, registerAttr(resetAffinity(cpu), offset), BigInt(value))
    redist(GICR_PROPBASER.offset, CONFIGURATION | Number(ID_BITS))
    redist(GICR_PENDBASER.offset, PENDING + cpu * TABLE_BYTES)
    redist(GICR_CTLR.offset, 1)
  }
  setIts(GITS_BASER.offset, VALID | BigInt(DEVICES))
  setIts(GITS_BASER.offset + 8, VALID | BigInt(COLLECTIONS))
  setIts(GITS_CBASER.offset, VALID | BigInt(RING) | BigInt(RING_PAGES - 1))
  setIts(GITS_CTLR.offset, 1n)

  const cpus = Array.from({ length: vcpus }, (_, cpu) => cpu)
  const events = Array.from({ length: lpis }, (_, event) => event)
  const commands: readonly CommandWords[] = [
    encodeCommand('MAPD', { DeviceID: DEVICE, Size: 7, ITT_addr: ITT, V: 1 }),
    ...cpus.map((cpu) => encodeCommand('MAPC', { ICID: cpu, RDbase: cpu, V: 1 })),
    ...events.map((event) =>
      encodeCommand('MAPTI', {
        DeviceID: DEVICE,
        EventID: event,
        pINTID: FIRST_LPI + event,
        ICID: Math.floor(event / LPIS_OF_CPU),
      }),
    ),
  ]
  const { buffer, byteOffset, length } = memory(RING)
  const ring = new DataView(buffer, byteOffset, length)
  for (const [i, word] of commands.flat().entries()) ring.setBigUint64(8 * i, word, true)
  setIts(GITS_CWRITER.offset, BigInt(commands.length * COMMAND_BYTES))
}
