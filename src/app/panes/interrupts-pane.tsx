/** Every vCPU: whether it runs, how fast, and which interrupts it has. */
import { useEffect, useRef, useState } from 'react'
import { irqName } from '../../pure/arch/intid.ts'
import type { CpuView } from '../../pure/protocol/views.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { VirtualList } from '../widgets/virtual-list.tsx'

const NONE: readonly CpuView[] = []
const SAMPLE_MS = 500
const COLUMNS = { gridTemplateColumns: '62px 84px 58px 62px minmax(120px, 1fr)' } as const

const STATES = {
  running: { mark: '●', className: 'ok', title: 'runs' },
  waiting: { mark: '◐', className: 'dim', title: 'waits' },
  off: { mark: '○', className: 'dim', title: 'off' },
} as const

/** Million instructions a second of wall time, for each vCPU. */
const useRates = (cpus: readonly CpuView[]): readonly number[] => {
  const latest = useRef(cpus)
  latest.current = cpus
  const [rates, setRates] = useState<readonly number[]>([])
  useEffect(() => {
    let before = latest.current
    let at = performance.now()
    const timer = setInterval(() => {
      const now = performance.now()
      const micros = (now - at) * 1000
      const earlier = before
      setRates(latest.current.map(({ index, instructions }) => {
        return Math.max(0, instructions - (earlier[index]?.instructions ?? instructions)) / micros
      }))
      before = latest.current
      at = now
    }, SAMPLE_MS)
    return () => clearInterval(timer)
  }, [])
  return rates
}

export const InterruptsPane = () => {
  const cpus = useSessionState((state) => state.machine?.cpus ?? NONE)
  const selected = useSessionState((state) => state.selected)
  const rates = useRates(cpus)
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
          <span>interrupts: solid enabled, dashed pending, green active</span>
        </div>
      }
      row={(place) => {
        const cpu = cpus[place]
        return cpu === undefined ? null : <Cpu cpu={cpu} rate={rates[place] ?? 0} selected={selected === place} />
      }}
    />
  )
}

const Cpu = ({ cpu, rate, selected }: { readonly cpu: CpuView; readonly rate: number; readonly selected: boolean }) => {
  const session = useSession()
  const { mark, className, title } = STATES[cpu.state]
  const all = [...new Set([...cpu.active, ...cpu.pending, ...cpu.enabled])]
  return (
    <div
      className={selected ? 'grid-row selected' : 'grid-row'}
      style={{ ...COLUMNS, height: 30 }}
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
        {cpu.priorityMask.toString(16).padStart(2, '0')} {cpu.igrpen1 ? '' : <span className="warn">grp off</span>}
      </span>
      <span className="irqs">
        {all.map((intid) => (
          <Irq key={intid} intid={intid} pending={cpu.pending.includes(intid)} active={cpu.active.includes(intid)} />
        ))}
      </span>
    </div>
  )
}

const Irq = ({ intid, pending, active }: { intid: number; pending: boolean; active: boolean }) => {
  const state = active ? 'active' : pending ? 'pending' : 'enabled'
  return (
    <span className={`irq ${active ? 'active' : ''} ${pending ? 'pending' : ''}`} title={`INTID ${intid}, ${state}`}>
      {irqName(intid)}
      {active ? ' ●' : pending ? ' ◌' : ''}
    </span>
  )
}
