/** ICC_* as MRS and MSR at EL1 reach them. */
import { FIRST_LPI, SPURIOUS } from '../../pure/arch/intid.ts'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import type { IccName, SgiRegisterName } from '../../pure/arch/sysregs/gic-cpu.ts'
import type { SysregPort } from '../bus/sysreg-port.ts'
import type { CpuInterfaces } from './cpu-interface.ts'
import type { IccControls } from './icc-control.ts'

/** SRE, DFB and DIB: system registers, and no bypass (12.2.24). */
export const ICC_SRE_VALUE = 7n

interface Row {
  readonly read?: (cpu: number) => bigint
  readonly write?: (cpu: number, value: bigint) => void
  /** Whether this implementation has the register at all. */
  readonly present?: boolean
}

/** INTIDs are 24 bits wide in these registers. */
const intidOf = (value: bigint): number => Number(BigInt.asUintN(24, value))

const ignored = (): void => {}

export const guestSysregs = (
  cpus: CpuInterfaces,
  controls: IccControls,
  sendSgi: (cpu: number, register: SgiRegisterName, value: bigint) => void,
): SysregPort => {
  const { scheme } = cpus
  const activePriorities = (group: 0 | 1, word: number): Row => ({
    present: word < scheme.apWords,
    read: (cpu) => BigInt(cpus.at(cpu).active[group][word] ?? 0),
    write: (cpu, value) => {
      cpus.at(cpu).active[group][word] = Number(BigInt.asUintN(32, value))
      cpus.signal(cpu)
    },
  })
  const group = (g: 0 | 1) => ({
    acknowledge: {
      read: (cpu: number) => {
        const irq = cpus.acknowledgeable(cpu)
        if (irq?.group !== g) return BigInt(SPURIOUS)
        cpus.acknowledge(cpu, irq)
        return BigInt(irq.intid)
      },
    },
    end: { write: (cpu: number, value: bigint) => cpus.endOfInterrupt(cpu, intidOf(value), g) },
    highest: {
      read: (cpu: number) => {
        const irq = cpus.highestPending(cpu)
        return BigInt(irq?.group === g ? irq.intid : SPURIOUS)
      },
    },
    enable: {
      read: (cpu: number) => (cpus.at(cpu).groupEnabled[g] ? 1n : 0n),
      write: (cpu: number, value: bigint) => {
        cpus.at(cpu).groupEnabled[g] = (value & 1n) === 1n
        cpus.signal(cpu)
      },
    },
  })
  const groups = [group(0), group(1)] as const
  const sgi = (register: SgiRegisterName): Row => ({ write: (cpu, value) => sendSgi(cpu, register, value) })

  const rows: Record<IccName, Row> = {
    ICC_PMR_EL1: {
      read: (cpu) => BigInt(cpus.at(cpu).pmr),
      write: (cpu, value) => {
        cpus.at(cpu).pmr = Number(value & 0xffn) & scheme.priorityMask
        cpus.signal(cpu)
      },
    },
    ICC_IAR0_EL1: groups[0].acknowledge,
    ICC_EOIR0_EL1: groups[0].end,
    ICC_HPPIR0_EL1: groups[0].highest,
    ICC_BPR0_EL1: {
      read: (cpu) => BigInt(scheme.bpr0(cpus.at(cpu))),
      write: (cpu, value) => {
        cpus.at(cpu).bpr0 = Number(value & 7n)
        cpus.signal(cpu)
      },
    },
    ICC_AP0R0_EL1: activePriorities(0, 0),
    ICC_AP0R1_EL1: activePriorities(0, 1),
    ICC_AP0R2_EL1: activePriorities(0, 2),
    ICC_AP0R3_EL1: activePriorities(0, 3),
    ICC_AP1R0_EL1: activePriorities(1, 0),
    ICC_AP1R1_EL1: activePriorities(1, 1),
    ICC_AP1R2_EL1: activePriorities(1, 2),
    ICC_AP1R3_EL1: activePriorities(1, 3),
    ICC_DIR_EL1: {
      write: (cpu, value) => {
        const intid = intidOf(value)
        if (intid < FIRST_LPI) cpus.deactivate(cpu, intid)
      },
    },
    ICC_RPR_EL1: { read: (cpu) => BigInt(scheme.running(cpus.at(cpu))) },
    ICC_SGI1R_EL1: sgi('ICC_SGI1R_EL1'),
    ICC_ASGI1R_EL1: sgi('ICC_ASGI1R_EL1'),
    ICC_SGI0R_EL1: sgi('ICC_SGI0R_EL1'),
    ICC_IAR1_EL1: groups[1].acknowledge,
    ICC_EOIR1_EL1: groups[1].end,
    ICC_HPPIR1_EL1: groups[1].highest,
    ICC_BPR1_EL1: {
      read: (cpu) => BigInt(scheme.bpr1(cpus.at(cpu))),
      write: (cpu, value) => {
        const at = cpus.at(cpu)
        if (at.cbpr) return
        at.bpr1 = Number(value & 7n)
        cpus.signal(cpu)
      },
    },
    ICC_CTLR_EL1: { read: (cpu) => controls.read(cpu), write: (cpu, value) => controls.write(cpu, value) },
    ICC_SRE_EL1: { read: () => ICC_SRE_VALUE, write: ignored },
    ICC_IGRPEN0_EL1: groups[0].enable,
    ICC_IGRPEN1_EL1: groups[1].enable,
  }
  const byEncoding = new Map<number, Row>()
  const encodings = new Map<string, number>(Object.entries(ICC))
  for (const [name, row] of Object.entries<Row>(rows)) {
    const encoding = encodings.get(name)
    if (encoding !== undefined) byEncoding.set(encoding, row)
  }
  const reach = (reg: number, el: number): Row | undefined => {
    const row = el === 0 ? undefined : byEncoding.get(reg)
    return row?.present === false ? undefined : row
  }
  return {
    registers: Object.values(ICC),
    traced: true,
    read: (cpu, reg, el) => reach(reg, el)?.read?.(cpu),
    write: (cpu, reg, value, el) => {
      const write = reach(reg, el)?.write
      if (write === undefined) return false
      write(cpu, value)
      return true
    },
  }
}
