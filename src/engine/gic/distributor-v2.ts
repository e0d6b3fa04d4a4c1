/** A GICv2 distributor's registers, as a guest and as userspace has them (arch/arm64/kvm/vgic/vgic-mmio-v2.c). */
import { GICD_SGIR, GICD_V2_CTLR, GICD_V2_TYPER, gicdV2Frame, SGI_FILTER } from '../../pure/arch/gic/gicd-v2.ts'
import type { GicdV2Name } from '../../pure/arch/gic/gicd-v2.ts'
import { PRIVATE_COUNT, SGI_COUNT } from '../../pure/arch/intid.ts'
import { decodeField, encodeRegister } from '../../pure/arch/register.ts'
import { always, banks } from './banks.ts'
import { readGicdIidr, writeGicdIidr } from './distributor.ts'
import type { GicIdentity } from './distributor.ts'
import type { VgicIrq } from './irq.ts'
import { DONE, RegisterFrame } from './register-frame.ts'
import type { Handler } from './register-frame.ts'
import type { InterruptState } from './state.ts'

export interface GicV2Parts extends GicIdentity {
  readonly state: InterruptState
  readonly cpuCount: number
  /** The id a CPU was created with: KVM makes it the CPU's bit where an SGI comes from. */
  id(cpu: number): number
  /** Told of each GICD_SGIR written; `targets`: a bit for each CPU. */
  sgiSent(cpu: number, value: bigint, intid: number, targets: number): void
}

const isSgi = ({ intid }: Readonly<VgicIrq>): boolean => intid < SGI_COUNT
const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits)

export const readGicdV2Ctlr = ({ state }: GicV2Parts): bigint => encodeRegister(GICD_V2_CTLR, { Enable: state.enabled })

export const readGicdV2Typer = ({ state, cpuCount }: GicV2Parts): bigint =>
  encodeRegister(GICD_V2_TYPER, { ITLinesNumber: state.nrIrqs / 32 - 1, CPUNumber: cpuCount - 1 })

/** The CPUs that a GICD_SGIR names, a bit each; `undefined`: the filter is reserved. */
const sgiTargets = (value: bigint, all: number, self: number): number | undefined => {
  switch (Number(decodeField(GICD_SGIR, 'TargetListFilter', value))) {
    case SGI_FILTER.list:
      return Number(decodeField(GICD_SGIR, 'CPUTargetList', value)) & all
    case SGI_FILTER.allButSelf:
      return all & ~self
    case SGI_FILTER.self:
      return self
    default:
      return undefined
  }
}

/** vgic_mmio_write_sgir(): the targets are indexes, the sources ids. */
const sendSgi = (parts: GicV2Parts, writer: number, value: bigint): void => {
  const { state, cpuCount } = parts
  const intid = Number(decodeField(GICD_SGIR, 'SGIINTID', value))
  const self = 1 << parts.id(writer)
  const targets = sgiTargets(value, (1 << cpuCount) - 1, self)
  if (targets === undefined) return
  for (let cpu = 0; cpu < cpuCount; cpu++) {
    const irq = (targets & (1 << cpu)) === 0 ? undefined : state.privateIrq(cpu, intid)
    if (irq !== undefined) state.pendFrom(irq, self)
  }
  parts.sgiSent(writer, value, intid, targets)
}

export const distributorV2Frame = (parts: GicV2Parts): RegisterFrame<GicdV2Name> => {
  const { state, cpuCount } = parts
  const bank = banks(state, (cpu, intid) => state.irq(cpu, intid))
  const { read, write, strobe } = bank.by
  const implemented = (1 << cpuCount) - 1
  /** Userspace that knows GICD_IIDR knows that interrupts are in Group 0, and may say otherwise. */
  let groupsWritable = false

  // Userspace reads what the guest reads: a level that is up is pending (vgic-mmio.c: vgic_uaccess_read_pending()).
  /** An SGI's pending state is GICD_SPENDSGIR's and GICD_CPENDSGIR's business; of its sources, userspace can name one. */
  const pend = strobe((irq) => isSgi(irq) || state.pend(irq))
  const unpend = strobe((irq) => isSgi(irq) || state.unpend(irq))
  const userPend = strobe((irq, cpu) => (isSgi(irq) ? state.pendFrom(irq, 1 << parts.id(cpu)) : state.pend(irq)))
  const userUnpend = strobe((irq) => (isSgi(irq) ? state.unpendFrom(irq, irq.source) : state.unpend(irq)))

  const handlers: Partial<Record<GicdV2Name, Handler>> = {
    GICD_CTLR: {
      read: () => readGicdV2Ctlr(parts),
      write: (_, value) => state.setForwarding(decodeField(GICD_V2_CTLR, 'Enable', value) === 1n),
    },
    GICD_TYPER: { read: () => readGicdV2Typer(parts) },
    GICD_IIDR: {
      read: () => readGicdIidr(parts),
      userWrite: (_, value) => {
        const answer = writeGicdIidr(parts, value)
        groupsWritable ||= answer.ok
        return answer
      },
    },
    GICD_IGROUPR: {
      ...bank.group,
      userWrite: (access, value) => {
        if (groupsWritable) bank.group.write(access, value)
        return DONE
      },
    },
    GICD_ISENABLER: bank.setEnable,
    GICD_ICENABLER: bank.clearEnable,
    GICD_ISPENDR: { read: bank.setPending.read, write: pend, userWrite: always(userPend) },
    GICD_ICPENDR: { read: bank.clearPending.read, write: unpend, userWrite: always(userUnpend) },
    GICD_ISACTIVER: bank.setActive,
    GICD_ICACTIVER: bank.clearActive,
    GICD_IPRIORITYR: bank.priority,
    // The lowest CPU of the mask is the only target; an empty mask means the first.
    GICD_ITARGETSR: {
      read: read(8, (irq) => irq.targets),
      write: write(8, (irq, mask) => {
        const targets = mask & implemented
        if (irq.intid >= PRIVATE_COUNT) state.setTargets(irq, targets, targets === 0 ? 0 : lowestBit(targets))
      }),
    },
    GICD_ICFGR: bank.config,
    GICD_SGIR: { write: ({ cpu }, value) => sendSgi(parts, cpu, value) },
    GICD_CPENDSGIR: {
      read: read(8, (irq) => irq.source),
      write: write(8, (irq, sources) => state.unpendFrom(irq, sources)),
    },
    GICD_SPENDSGIR: {
      read: read(8, (irq) => irq.source),
      write: write(8, (irq, sources) => state.pendFrom(irq, sources)),
    },
  }
  return new RegisterFrame(gicdV2Frame, handlers, state.nrIrqs)
}
