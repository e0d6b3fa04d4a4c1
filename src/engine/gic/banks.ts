/**
 * The registers that have some bits for each interrupt, shared by distributor and redistributor
 * (arch/arm64/kvm/vgic/vgic-mmio.c).
 */
import { FIRST_SPI } from '../../pure/arch/intid.ts'
import { isPending } from './irq.ts'
import type { VgicIrq } from './irq.ts'
import { DONE } from './register-frame.ts'
import type { Access, Handler } from './register-frame.ts'
import type { InterruptState } from './state.ts'

/** The interrupt an access covers, or `undefined` where the bank has none (its bits read as zero). */
export type IrqAt = (cpu: number, intid: number) => VgicIrq | undefined

const count = (access: Access, bits: number): number => (access.width * 8) / bits

const gather = (irqAt: IrqAt, access: Access, bits: 1 | 2 | 8, of: (irq: VgicIrq) => number): bigint => {
  let word = 0
  for (let i = 0; i < count(access, bits); i++) {
    const irq = irqAt(access.cpu, access.intid + i)
    if (irq !== undefined) word |= of(irq) << (i * bits)
  }
  return BigInt(word >>> 0)
}

const scatter = (
  irqAt: IrqAt,
  access: Access,
  bits: 1 | 2 | 8,
  value: bigint,
  to: (irq: VgicIrq, part: number, cpu: number) => void,
): void => {
  const word = Number(value)
  const mask = (1 << bits) - 1
  for (let i = 0; i < count(access, bits); i++) {
    const irq = irqAt(access.cpu, access.intid + i)
    if (irq !== undefined) to(irq, (word >>> (i * bits)) & mask, access.cpu)
  }
}

/** Userspace's write of a bank that refuses nothing. */
export const always =
  (write: (access: Access, value: bigint) => void): NonNullable<Handler['userWrite']> =>
  (access, value) => {
    write(access, value)
    return DONE
  }

/** Every bank there is, over the interrupts that `irqAt` finds. */
export const banks = (state: InterruptState, irqAt: IrqAt) => {
  const read =
    (bits: 1 | 2 | 8, of: (irq: VgicIrq) => number) =>
    (access: Access): bigint =>
      gather(irqAt, access, bits, of)
  const write =
    (bits: 1 | 2 | 8, to: (irq: VgicIrq, part: number, cpu: number) => void) =>
    (access: Access, value: bigint): void =>
      scatter(irqAt, access, bits, value, to)
  /** Where a written 1 acts and a 0 does not; `cpu`: whose frame it is. */
  const strobe = (to: (irq: VgicIrq, cpu: number) => void) => write(1, (irq, bit, cpu) => bit === 1 && to(irq, cpu))

  const enabled = read(1, (irq) => Number(irq.enabled))
  const pending = read(1, (irq) => Number(isPending(irq)))
  const active = read(1, (irq) => Number(irq.active))
  const assignLatch = write(1, (irq, bit) => (bit === 1 ? state.pend(irq) : state.unpend(irq)))

  return {
    /** What the banks are made of, for those that differ between the models. */
    by: { read, write, strobe },
    group: {
      read: read(1, (irq) => irq.group),
      write: write(1, (irq, bit) => state.setGroup(irq, bit === 1 ? 1 : 0)),
    },
    setEnable: { read: enabled, write: strobe((irq) => state.setEnabled(irq, true)) },
    clearEnable: { read: enabled, write: strobe((irq) => state.setEnabled(irq, false)) },
    // Userspace sees and assigns what was latched; the level of the wire it has in KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO.
    setPending: {
      read: pending,
      write: strobe((irq) => state.pend(irq)),
      userRead: read(1, (irq) => Number(irq.latch)),
      userWrite: always(assignLatch),
    },
    clearPending: {
      read: pending,
      write: strobe((irq) => state.unpend(irq)),
      userRead: () => 0n,
      userWrite: () => DONE,
    },
    setActive: { read: active, write: strobe((irq) => state.setActive(irq, true)) },
    clearActive: { read: active, write: strobe((irq) => state.setActive(irq, false)) },
    priority: {
      read: read(8, (irq) => irq.priority),
      write: write(8, (irq, priority) => state.setPriority(irq, priority)),
    },
    // Private interrupts cannot be configured: SGIs are edges and PPIs are levels.
    config: {
      read: read(2, (irq) => Number(irq.edge) << 1),
      write: write(2, (irq, part) => irq.intid >= FIRST_SPI && state.setEdge(irq, (part & 2) !== 0)),
    },
  } as const
}
