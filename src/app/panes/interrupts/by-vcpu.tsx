/** Every vCPU: whether it runs, how fast, and which interrupts it has. */
import { irqKind, irqName } from '../../../pure/arch/intid.ts'
import type { CpuView } from '../../../pure/protocol/views.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { useRates } from '../shared/use-rates.ts'
import { VirtualList } from '../../widgets/virtual-list.tsx'

const NONE: readonly CpuView[] = []
const COLUMNS = { gridTemplateColumns: '60px 80px 48px 66px minmax(100px, 1fr)' } as const

const STATES = {
  running: { mark: '●', className: 'ok', title: 'runs' },
  waiting: { mark: '◐', className: 'dim', title: 'waits' },
  off: { mark: '○', className: 'dim', title: 'off' },
} as const

export const ByVcpu = () => {
  const cpus = useSessionState((state) => state.machine?.cpus ?? NONE)
  const selected = useSessionState((state) => state.selected)
  const rates = useRates()
  if (cpus.length === 0) return <p className="empty">The interrupts of the running machine appear here.</p>
  return (
    <VirtualList
      label="Interrupts of every vCPU"
      count={cpus.length}
      estimate={30}
      show={selected}
      head={
        <div className="grid-row head" style={COLUMNS}>
          <span>vCPU</span>
          <span>state</span>
          <span>MIPS</span>
          <span title="ICC_PMR_EL1 and ICC_IGRPEN1_EL1">PMR</span>
          <span title="Solid: enabled; dashed: pending; green: active">interrupts</span>
        </div>
      }
      renderRow={(place) => {
        const cpu = cpus[place]
        return cpu === undefined ? null : <Cpu cpu={cpu} rate={rates[place] ?? 0} selected={selected === place} />
      }}
    />
  )
}

const Cpu = ({ cpu, rate, selected }: { readonly cpu: CpuView; readonly rate: number; readonly selected: boolean }) => {
  const session = useSession()
  const { mark, className, title } = STATES[cpu.state]
  return (
    <div
      className={selected ? 'grid-row selected' : 'grid-row'}
      style={COLUMNS}
      onClick={() => session.select(cpu.index)}
    >
      <b>vCPU {cpu.index}</b>
      <span className={className} title={`EL${cpu.el}, PC 0x${cpu.pc.toString(16)}`}>
        {mark} {title} <span className="dim">EL{cpu.el}</span>
      </span>
      <span className="num mono">{rate >= 0.05 ? rate.toFixed(1) : '–'}</span>
      <span
        className="mono"
        title={`Interrupts below priority 0x${cpu.priorityMask.toString(16)} pass; group 1 is ${cpu.igrpen1 ? 'on' : 'off'}`}
      >
        {cpu.priorityMask.toString(16).padStart(2, '0')} {cpu.igrpen1 ? '' : <span className="warn">G1 off</span>}
      </span>
      <span className="irqs">
        {chipsOf(cpu).map((chip) => (
          <span
            key={`${chip.state}-${chip.first}`}
            className={`irq ${chip.state}`}
            title={`INTID ${chip.first}${chip.last === chip.first ? '' : ` to ${chip.last}`}: ${chip.state}`}
          >
            {MARKS[chip.state]}
            {irqName(chip.first)}
            {chip.last === chip.first ? '' : `–${chip.last}`}
          </span>
        ))}
      </span>
    </div>
  )
}

type IrqState = 'active' | 'pending' | 'enabled'

interface Chip {
  readonly state: IrqState
  readonly first: number
  readonly last: number
}

const MARKS: Record<IrqState, string> = { active: '● ', pending: '◌ ', enabled: '' }

const one =
  (state: IrqState) =>
  (intid: number): Chip => ({ state, first: intid, last: intid })

/** What happens comes first; SGIs in a row that are merely enabled share a chip. */
const chipsOf = ({ active, pending, enabled }: CpuView): readonly Chip[] => {
  const busy = new Set([...active, ...pending])
  const runs: Chip[] = []
  for (const intid of enabled) {
    if (busy.has(intid)) continue
    const before = runs.at(-1)
    if (before !== undefined && intid === before.last + 1 && irqKind(intid) === 'SGI') {
      runs[runs.length - 1] = { ...before, last: intid }
    } else runs.push({ state: 'enabled', first: intid, last: intid })
  }
  const waiting = pending.filter((intid) => !active.includes(intid))
  return [...active.map(one('active')), ...waiting.map(one('pending')), ...runs]
}
