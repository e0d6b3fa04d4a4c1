/** Every vCPU at work, and one of them as a debugger shows it. */
import { Pause, Play, Snowflake, StepForward } from 'lucide-react'
import type { CpuView } from '../../../pure/protocol/views.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { Segments } from '../../widgets/choice.tsx'
import { Hint } from '../../widgets/hint.tsx'
import { VirtualList } from '../../widgets/virtual-list.tsx'
import { usePart } from '../shared/use-part.ts'
import { useRates } from '../shared/use-rates.ts'
import { Breakpoints } from './breakpoints.tsx'
import { Code } from './code.tsx'
import { modeText, pstateText, vectorText, wordText } from './pstate.ts'
import { useDetail, useNames } from './use-detail.ts'
import '../../style/cpus.css'

const NONE: readonly CpuView[] = []
const COLUMNS = { gridTemplateColumns: '64px 76px 44px minmax(120px, 1fr) 28px' } as const

const STATES = {
  running: { mark: '●', className: 'ok', title: 'runs' },
  waiting: { mark: '◐', className: 'dim', title: 'waits' },
  off: { mark: '○', className: 'dim', title: 'off' },
} as const

const VIEWS = [
  { value: 'code', title: 'Code' },
  { value: 'registers', title: 'Registers' },
  { value: 'vectors', title: 'Vectors' },
  { value: 'stack', title: 'Stack' },
  { value: 'breakpoints', title: 'Breakpoints' },
] as const
type ViewId = (typeof VIEWS)[number]['value']

const CpusPane = () => {
  const cpus = useSessionState((state) => state.machine?.cpus ?? NONE)
  const selected = useSessionState((state) => state.selected)
  const [view, setView] = usePart('cpus', VIEWS)
  if (cpus.length === 0) return <p className="empty">The vCPUs of the running machine appear here.</p>
  return (
    <div className="cpus">
      <CpuList cpus={cpus} selected={selected} />
      <div className="cpus-tools" role="toolbar" aria-label={`vCPU ${selected}`}>
        <Segments label="Part of the vCPU" value={view} options={VIEWS} onChange={setView} />
        <span className="grow" />
        <RunTools cpu={selected} frozen={cpus[selected]?.frozen ?? false} />
      </div>
      <Detail cpu={selected} view={view} />
    </div>
  )
}

const CpuList = ({ cpus, selected }: { readonly cpus: readonly CpuView[]; readonly selected: number }) => {
  const session = useSession()
  const rates = useRates()
  const names = useNames()
  return (
    <div className="cpus-list">
      <VirtualList
        label="vCPUs"
        count={cpus.length}
        estimate={26}
        show={selected}
        head={
          <div className="grid-row head" style={COLUMNS}>
            <span>vCPU</span>
            <span>state</span>
            <span>MIPS</span>
            <span>PC</span>
            <span aria-hidden />
          </div>
        }
        renderRow={(place) => {
          const cpu = cpus[place]
          if (cpu === undefined) return null
          const { mark, className, title } = STATES[cpu.state]
          const name = names.get(cpu.pc)
          return (
            <div className={place === selected ? 'grid-row selected' : 'grid-row'} style={COLUMNS}>
              <button
                className="link-button"
                aria-current={place === selected}
                aria-label={`Select vCPU ${place}`}
                onClick={() => session.select(place)}
              >
                vCPU {place}
              </button>
              <span>
                <span className={className}>{mark}</span> {cpu.frozen ? 'frozen' : title}
              </span>
              <span className="num dim">{(rates[place] ?? 0) < 0.5 ? '–' : Math.round(rates[place] ?? 0)}</span>
              <span className="mono pc" title={`0x${wordText(cpu.pc)}`}>
                {cpu.state === 'off' ? '' : (name ?? `0x${cpu.pc.toString(16)}`)}
              </span>
              <button
                className="button icon tiny quiet"
                aria-label={cpu.frozen ? `Let vCPU ${place} run` : `Freeze vCPU ${place}`}
                aria-pressed={cpu.frozen}
                data-on={cpu.frozen || undefined}
                onClick={() => session.freeze(place, !cpu.frozen)}
              >
                <Snowflake size={13} aria-hidden />
              </button>
            </div>
          )
        }}
      />
    </div>
  )
}

const RunTools = ({ cpu, frozen }: { readonly cpu: number; readonly frozen: boolean }) => {
  const session = useSession()
  const paused = useSessionState((state) => state.run?.state === 'paused')
  const stop = useSessionState((state) => state.run?.stop)
  return (
    <>
      {stop !== undefined && <span className="warn stop">{stop}</span>}
      <Hint text={paused ? 'Let the machine run (F8)' : 'Stop virtual time (F8)'}>
        <button
          className="button icon tiny quiet"
          aria-label={paused ? 'Resume the machine' : 'Pause the machine'}
          onClick={paused ? session.resume : session.pause}
        >
          {paused ? <Play size={13} aria-hidden /> : <Pause size={13} aria-hidden />}
        </button>
      </Hint>
      <Hint text="One instruction of this vCPU, while the others stand still (F10)">
        <button className="button small quiet" onClick={() => session.step(cpu, 1)}>
          <StepForward size={13} aria-hidden /> <span className="word">step</span>
        </button>
      </Hint>
      <Hint text={frozen ? 'Let this vCPU run with the others' : 'Keep this vCPU from running while the others do'}>
        <button
          className="button small quiet"
          aria-pressed={frozen}
          data-on={frozen || undefined}
          onClick={() => session.freeze(cpu, !frozen)}
        >
          <Snowflake size={13} aria-hidden /> <span className="word">{frozen ? 'frozen' : 'freeze'}</span>
        </button>
      </Hint>
    </>
  )
}

const Detail = ({ cpu, view }: { readonly cpu: number; readonly view: ViewId }) => {
  const detail = useDetail(cpu)
  const off = useSessionState((state) => state.machine?.cpus[cpu]?.state === 'off')
  if (view === 'breakpoints') return <Breakpoints />
  if (detail === undefined) return <p className="empty">vCPU {cpu} is being looked at.</p>
  const pstate = detail.registers['PSTATE'] ?? 0n
  return (
    <div className="pane-body cpus-detail" tabIndex={0} role="region" aria-label={`vCPU ${cpu}: ${view}`}>
      <p className="dim where">
        {off ? 'off, ' : ''}
        {modeText(pstate)} at <span className="mono">0x{(detail.registers['PC'] ?? 0n).toString(16)}</span>{' '}
        <b>{detail.stack[0]?.symbol}</b>
        {detail.noSymbols !== undefined && <span className="faint"> {detail.noSymbols}</span>}
      </p>
      {view === 'code' && <Code detail={detail} />}
      {view === 'stack' && <Stack detail={detail} />}
      {view === 'registers' && <General registers={detail.registers} />}
      {view === 'vectors' && <Vectors registers={detail.registers} />}
    </div>
  )
}

type Registers = Readonly<Record<string, bigint>>

const SPECIAL = ['PC', 'SP_EL0', 'SP_EL1', 'ELR_EL1', 'SPSR_EL1'] as const

const General = ({ registers }: { readonly registers: Registers }) => {
  const pstate = registers['PSTATE'] ?? 0n
  const names = [...Array.from({ length: 31 }, (_, n) => `X${n}`), ...SPECIAL]
  return (
    <dl className="registers">
      {names.map((name) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className={registers[name] === 0n ? 'mono faint' : 'mono'}>{wordText(registers[name] ?? 0n)}</dd>
        </div>
      ))}
      <div>
        <dt>PSTATE</dt>
        <dd className="mono">{pstateText(pstate)}</dd>
      </div>
    </dl>
  )
}

const Vectors = ({ registers }: { readonly registers: Registers }) => (
  <dl className="registers wide">
    {Array.from({ length: 32 }, (_, n) => `V${n}`).map((name) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd className={registers[name] === 0n ? 'mono faint' : 'mono'}>{vectorText(registers[name] ?? 0n)}</dd>
      </div>
    ))}
    {['FPCR', 'FPSR'].map((name) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd className="mono">{(registers[name] ?? 0n).toString(16).padStart(8, '0')}</dd>
      </div>
    ))}
  </dl>
)

const Stack = ({ detail }: { readonly detail: NonNullable<ReturnType<typeof useDetail>> }) => (
  <ol className="stack">
    {detail.stack.map(({ pc, fp, symbol }, i) => (
      <li key={`${i}-${pc}`}>
        <b>{symbol ?? ''}</b>{' '}
        <span className="mono dim">
          0x{pc.toString(16)}
          {fp !== undefined && ` frame 0x${fp.toString(16)}`}
        </span>
      </li>
    ))}
    {detail.stack.length === 1 && <li className="dim">X29 leads to no frame record.</li>}
  </ol>
)

export default CpusPane
