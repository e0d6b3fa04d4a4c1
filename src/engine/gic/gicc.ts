/**
 * A GICv2's CPU interface: the host's virtual interface (GICV) that a guest finds at GICC's address, which works on
 * the list registers without KVM, and what KVM lets userspace see of it (arch/arm64/kvm/vgic/vgic-mmio-v2.c).
 */
import { GICC_CTLR, GICC_IAR, GICC_IIDR, GICC_PRIORITY_LSB, giccFrame } from '../../pure/arch/gic/gicc.ts'
import type { GiccName } from '../../pure/arch/gic/gicc.ts'
import { IIDR_VALUES } from '../../pure/arch/gic/iidr.ts'
import { GROUP_1_PENDING, PRIVATE_COUNT, SPURIOUS } from '../../pure/arch/intid.ts'
import { decodeField, encodeRegister } from '../../pure/arch/register.ts'
import type { CpuInterfaces } from './cpu-interface.ts'
import type { VgicIrq } from './irq.ts'
import { RegisterFrame } from './register-frame.ts'
import type { Access, Handler } from './register-frame.ts'

/** A GIC-400, r0p1 (its Technical Reference Manual, 3.4). */
const GIC_400 = encodeRegister(GICC_IIDR, {
  Implementer: IIDR_VALUES.Implementer,
  Revision: 1n,
  Architecture_version: 2n,
  ProductID: 0x20n,
})
/** What KVM tells userspace instead. */
const KVM_IIDR = encodeRegister(GICC_IIDR, { ...IIDR_VALUES, Architecture_version: 2n })

const PMR_MASK = 0xff & (-1 << GICC_PRIORITY_LSB)
const INTID_MASK = 0x3ffn
const CPUID_LSB = GICC_IAR.fields[1].lsb

/** The INTID, and of an SGI the CPU it came from. */
const acknowledged = ({ intid, activeSource }: Readonly<VgicIrq>): bigint =>
  BigInt(intid < PRIVATE_COUNT ? intid | (activeSource << CPUID_LSB) : intid)

const intidOf = (value: bigint): number => Number(value & INTID_MASK)

/** What guest and userspace see alike. */
const shared = (cpus: CpuInterfaces) => {
  const binaryPoint = (name: 'bpr0' | 'bpr1') => ({
    write: ({ cpu }: Access, value: bigint): void => {
      cpus.at(cpu)[name] = Number(value & 7n)
      cpus.signal(cpu)
    },
  })
  return {
    GICC_CTLR: {
      read: ({ cpu }: Access): bigint => {
        const { groupEnabled, ackCtl, fiqEn, cbpr, eoiMode } = cpus.at(cpu)
        return encodeRegister(GICC_CTLR, {
          EnableGrp0: groupEnabled[0],
          EnableGrp1: groupEnabled[1],
          AckCtl: ackCtl,
          FIQEn: fiqEn,
          CBPR: cbpr,
          EOImode: eoiMode,
        })
      },
      write: ({ cpu }: Access, value: bigint): void => {
        const at = cpus.at(cpu)
        const bit = (name: (typeof GICC_CTLR.fields)[number]['name']) => decodeField(GICC_CTLR, name, value) === 1n
        at.groupEnabled[0] = bit('EnableGrp0')
        at.groupEnabled[1] = bit('EnableGrp1')
        at.ackCtl = bit('AckCtl')
        at.fiqEn = bit('FIQEn')
        at.cbpr = bit('CBPR')
        at.eoiMode = bit('EOImode')
        cpus.signal(cpu)
      },
    },
    bpr0: binaryPoint('bpr0'),
    bpr1: binaryPoint('bpr1'),
    // One register of active priorities for both groups.
    GICC_APR: {
      read: ({ cpu, offset }: Access): bigint => {
        const [group0, group1] = cpus.at(cpu).active
        return offset === 0 ? BigInt(((group0[0] ?? 0) | (group1[0] ?? 0)) >>> 0) : 0n
      },
      write: ({ cpu, offset }: Access, value: bigint): void => {
        if (offset !== 0) return
        const [group0, group1] = cpus.at(cpu).active
        group0[0] = 0
        group1[0] = Number(value)
        cpus.signal(cpu)
      },
    },
  }
}

/** GICV. */
export const giccGuestFrame = (cpus: CpuInterfaces): RegisterFrame<GiccName> => {
  const { scheme } = cpus
  const { GICC_CTLR: control, GICC_APR, bpr0, bpr1 } = shared(cpus)
  /** GICC_IAR and GICC_HPPIR tell of an interrupt of Group 1 without its number, unless AckCtl says otherwise. */
  const hidden = (cpu: number, irq: Readonly<VgicIrq>): boolean => irq.group === 1 && !cpus.at(cpu).ackCtl
  const acknowledge = (cpu: number, irq: VgicIrq): bigint => {
    cpus.acknowledge(cpu, irq)
    return acknowledged(irq)
  }
  const pending = (irq: Readonly<VgicIrq> | undefined): bigint => {
    if (irq === undefined) return BigInt(SPURIOUS)
    // Not acknowledged yet: it would come from its lowest source.
    const source = irq.source === 0 ? 0 : 31 - Math.clz32(irq.source & -irq.source)
    return BigInt(irq.intid | (source << CPUID_LSB))
  }

  const handlers: Record<GiccName, Handler> = {
    GICC_CTLR: control,
    GICC_PMR: {
      read: ({ cpu }) => BigInt(cpus.at(cpu).pmr),
      write: ({ cpu }, value) => {
        cpus.at(cpu).pmr = Number(value) & PMR_MASK
        cpus.signal(cpu)
      },
    },
    GICC_BPR: { read: ({ cpu }) => BigInt(scheme.bpr0(cpus.at(cpu))), write: bpr0.write },
    GICC_ABPR: { read: ({ cpu }) => BigInt(scheme.bpr1(cpus.at(cpu))), write: bpr1.write },
    GICC_IAR: {
      read: ({ cpu }) => {
        const irq = cpus.acknowledgeable(cpu)
        if (irq === undefined) return BigInt(SPURIOUS)
        return hidden(cpu, irq) ? BigInt(GROUP_1_PENDING) : acknowledge(cpu, irq)
      },
    },
    GICC_AIAR: {
      read: ({ cpu }) => {
        const irq = cpus.acknowledgeable(cpu)
        return irq?.group === 1 ? acknowledge(cpu, irq) : BigInt(SPURIOUS)
      },
    },
    GICC_EOIR: { write: ({ cpu }, value) => cpus.endOfInterrupt(cpu, intidOf(value)) },
    GICC_AEOIR: { write: ({ cpu }, value) => cpus.endOfInterrupt(cpu, intidOf(value), 1) },
    GICC_DIR: { write: ({ cpu }, value) => cpus.deactivate(cpu, intidOf(value)) },
    GICC_RPR: { read: ({ cpu }) => BigInt(scheme.running(cpus.at(cpu))) },
    GICC_HPPIR: {
      read: ({ cpu }) => {
        const irq = cpus.highestPending(cpu)
        return irq !== undefined && hidden(cpu, irq) ? BigInt(GROUP_1_PENDING) : pending(irq)
      },
    },
    GICC_AHPPIR: {
      read: ({ cpu }) => {
        const irq = cpus.highestPending(cpu)
        return pending(irq?.group === 1 ? irq : undefined)
      },
    },
    GICC_APR,
    GICC_IIDR: { read: () => GIC_400 },
  }
  return new RegisterFrame(giccFrame, handlers, PRIVATE_COUNT)
}

/** KVM_DEV_ARM_VGIC_GRP_CPU_REGS: GICC_PMR is five bits there. */
export const giccUserFrame = (cpus: CpuInterfaces): RegisterFrame<GiccName> => {
  const { GICC_CTLR: control, GICC_APR, bpr0, bpr1 } = shared(cpus)
  const handlers: Partial<Record<GiccName, Handler>> = {
    GICC_CTLR: control,
    GICC_PMR: {
      read: ({ cpu }) => BigInt(cpus.at(cpu).pmr >>> GICC_PRIORITY_LSB),
      write: ({ cpu }, value) => {
        cpus.at(cpu).pmr = (Number(value) << GICC_PRIORITY_LSB) & PMR_MASK
        cpus.signal(cpu)
      },
    },
    GICC_BPR: { read: ({ cpu }) => BigInt(cpus.at(cpu).bpr0), write: bpr0.write },
    GICC_ABPR: { read: ({ cpu }) => BigInt(cpus.at(cpu).bpr1), write: bpr1.write },
    GICC_APR,
    GICC_IIDR: { read: () => KVM_IIDR },
  }
  return new RegisterFrame(giccUserRegisters, handlers, PRIVATE_COUNT)
}

/** vgic_v2_cpu_registers. */
const USER_NAMES: readonly GiccName[] = ['GICC_CTLR', 'GICC_PMR', 'GICC_BPR', 'GICC_ABPR', 'GICC_APR', 'GICC_IIDR']
export const giccUserRegisters = giccFrame.filter(({ name }) => USER_NAMES.some((known) => known === name))
