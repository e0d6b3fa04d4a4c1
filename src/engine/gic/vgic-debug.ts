/** The file vgic-state that KVM has in debugfs for each VM, to the letter (arch/arm64/kvm/vgic/vgic-debug.c). */
import { irqKind, PRIVATE_COUNT } from '../../pure/arch/intid.ts'
import type { VgicRules } from '../../pure/rules/points.ts'
import { NONE } from './irq.ts'
import type { VgicIrq } from './irq.ts'
import { isMapped } from './list-registers.ts'
import type { InterruptState } from './state.ts'

export interface VgicDebug {
  readonly rules: VgicRules
  readonly model: 2 | 3
  readonly state: InterruptState
  readonly cpuCount: number
  /** The id a CPU was created with. */
  id(cpu: number): number
  /** The affinity of a CPU, in the form of GICR_TYPER. */
  affinity(cpu: number): number
}

const LEGEND = ['P=pending_latch, L=line_level, A=active', 'E=enabled, H=hw, C=config (level=1, edge=0)', 'G=group']
const COLUMNS = ' TYP   ID TGT_ID PLAEHCG     HWID   TARGET SRC PRI VCPU_ID'
const RULE = '-'.repeat(64)

const decimal = (value: number, width: number): string => `${value}`.padStart(width)
const hex = (value: number, width: number): string => value.toString(16).padStart(width)
const flag = (value: boolean): string => (value ? '1' : '0')

const distributorLines = ({ model, state }: VgicDebug): string[] => {
  let lpis = 0
  state.forEachLpi(() => lpis++)
  return [
    'Distributor',
    '===========',
    `vgic_model:\tGICv${model}`,
    `nr_spis:\t${state.nrIrqs - PRIVATE_COUNT}`,
    ...(model === 3 ? [`nr_lpis:\t${lpis}`] : []),
    `enabled:\t${flag(state.enabled)}`,
    '',
    ...LEGEND,
  ]
}

const header = (title: string, id: number): string[] => ['', `${title}${decimal(id, 2)}${COLUMNS}`, RULE]

const irqLine = (o: VgicDebug, irq: Readonly<VgicIrq>): string => {
  const { rules } = o
  const column = (cpu: number): number => {
    if (cpu === NONE || cpu >= o.cpuCount) return NONE
    return rules.vgicDebugCpu.decide() === 'id' ? o.id(cpu) : cpu
  }
  const hw = isMapped(irq)
  const { affinity: atInit, owner } = irq
  const affinity = owner === NONE ? atInit : rules.privateIrqAffinity.decide({ atInit, now: o.affinity(owner) })
  // A union in the record: a GICv2 has a mask of CPUs where a GICv3 has an affinity.
  const target = o.model === 2 ? hex(irq.targets, 8) : rules.vgicDebugTarget.decide({ affinity })
  const flags = [irq.latch, irq.line, irq.active, irq.enabled, hw, !irq.edge, irq.group === 1].map(flag).join('')
  return (
    `       ${irqKind(irq.intid)} ${decimal(irq.intid, 4)}     ${decimal(column(irq.target), 2)} ${flags} ` +
    `${decimal(hw ? irq.intid : 0, 8)} ${target}  ${hex(irq.source, 2)} ${decimal(irq.priority, 3)}` +
    `      ${decimal(column(irq.queuedOn), 2)} `
  )
}

export const vgicState = (o: VgicDebug): string => {
  const { state, rules } = o
  const lines = distributorLines(o)
  const show = (irq: Readonly<VgicIrq>): void => void lines.push(irqLine(o, irq))
  for (let cpu = 0; cpu < o.cpuCount; cpu++) {
    lines.push(...header('VCPU', rules.vgicDebugCpu.decide() === 'id' ? o.id(cpu) : cpu))
    for (let intid = 0; intid < PRIVATE_COUNT; intid++) {
      const irq = state.privateIrq(cpu, intid)
      if (irq !== undefined) show(irq)
    }
  }
  lines.push(...header('SPI ', 0))
  for (const irq of state.allSpis()) show(irq)
  state.forEachLpi(show)
  return `${lines.join('\n')}\n`
}
