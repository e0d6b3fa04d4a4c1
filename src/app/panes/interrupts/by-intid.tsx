/** Interrupt by interrupt, as the selected vCPU has them, and the queue from which its list registers are filled. */
import { useEffect, useMemo } from 'react'
import { irouterAffinity } from '../../../pure/arch/affinity.ts'
import { irqKind, irqName } from '../../../pure/arch/intid.ts'
import type { CpuView } from '../../../pure/protocol/views.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { AffinityText } from '../../widgets/affinity-text.tsx'
import { VirtualList } from '../../widgets/virtual-list.tsx'
import { Inject } from './inject.tsx'
import { routeText } from './route.ts'
import { filterRows, inUse, irqRows, registerOf, STATE_WORDS } from './rows.ts'
import type { IrqRow, ListRegister } from './rows.ts'

/** How many of those that wait behind the list registers are named. */
const SHOWN_BEHIND = 12

export const ByIntid = ({ all, filter }: { readonly all: boolean; readonly filter: string }) => {
  const session = useSession()
  const cpu = useSessionState((state) => state.selected)
  const machine = useSessionState((state) => state.machine)
  const chosen = useSessionState((state) => state.intid)
  useEffect(() => {
    session.watchInterrupts(cpu)
    return () => session.watchInterrupts(undefined)
  }, [session, cpu])
  const view = machine?.interrupts
  const rows = useMemo(
    () => (view === undefined || machine === undefined ? [] : irqRows(view, machine)),
    [view, machine],
  )
  if (view === undefined || view.cpu !== cpu) {
    return <p className="empty">The interrupts of vCPU {cpu} appear here as soon as its machine runs.</p>
  }
  // What somebody pointed at is there, in use or not.
  const wanted = (row: IrqRow): boolean => inUse(row) || row.intid === chosen
  const shown = filterRows(all || filter !== '' ? rows : rows.filter(wanted), filter)
  const detail = rows.find(({ intid }) => intid === chosen)
  return (
    <>
      <VirtualList
        label={`Interrupts of vCPU ${cpu}`}
        count={shown.length}
        estimate={30}
        show={chosen === undefined ? undefined : shown.findIndex(({ intid }) => intid === chosen)}
        head={
          <div className="grid-row head irq-row">
            <span>INTID</span>
            <span title="Enabled">on</span>
            <span title="Pending: latch (written, an edge) or line (the wire is up); active">state</span>
            <span title="Priority: lower is more urgent">prio</span>
            <span title="Group">grp</span>
            <span title="Edge or level">cfg</span>
            <span title="Where it goes">to</span>
          </div>
        }
        renderRow={(place) => {
          const row = shown[place]
          if (row === undefined) return null
          const { intid } = row
          return (
            <Irq
              row={row}
              cpu={cpu}
              chosen={intid === chosen}
              onChoose={() => session.lookAtIrq(intid === chosen ? undefined : intid)}
            />
          )
        }}
      />
      {shown.length === 0 && <p className="empty">No interrupt is like that. Words: {STATE_WORDS.join(', ')}.</p>}
      {detail !== undefined && (
        <Detail key={`${cpu} ${detail.intid}`} row={detail} cpu={cpu} cpus={machine?.cpus ?? []} />
      )}
      {machine?.cpus[cpu] !== undefined && <Queue cpu={machine.cpus[cpu]} />}
    </>
  )
}

const stateText = ({ latch, line, active, edge }: IrqRow): string =>
  [active && '● active', latch && '◌ latch', line && (edge ? 'line up' : '◌ line')].filter(Boolean).join(' ')

const Irq = (props: {
  readonly row: IrqRow
  readonly cpu: number
  readonly chosen: boolean
  readonly onChoose: () => void
}) => {
  const { row, cpu, chosen } = props
  const own = irqKind(row.intid) === 'SGI' || irqKind(row.intid) === 'PPI'
  const to = own ? cpu : row.target
  return (
    <div className={chosen ? 'grid-row irq-row selected' : 'grid-row irq-row'}>
      <button className="link-button" aria-expanded={chosen} onClick={props.onChoose}>
        <b>{row.intid}</b> <span className="dim">{row.name}</span>
      </button>
      <span className={row.enabled ? 'ok' : 'faint'} role="img" aria-label={row.enabled ? 'enabled' : 'disabled'}>
        {row.enabled ? '●' : '○'}
      </span>
      <span className={row.active ? 'ok' : row.pending ? 'warn' : 'dim'}>{stateText(row) || '–'}</span>
      <span className="mono">{row.priority.toString(16).padStart(2, '0')}</span>
      <span>{row.group}</span>
      <span className="dim">{row.edge ? 'edge' : 'level'}</span>
      <span>
        {row.why === undefined ? null : (
          <span className="bad" role="img" aria-label="held up" title={row.why}>
            ✕{' '}
          </span>
        )}
        {to === undefined ? <span className="bad">nobody</span> : `vCPU ${to}`}
      </span>
    </div>
  )
}

const Detail = ({
  row,
  cpu,
  cpus,
}: {
  readonly row: IrqRow
  readonly cpu: number
  readonly cpus: readonly CpuView[]
}) => {
  const gic = useSessionState((state) => state.running?.gic ?? 3)
  return (
    <div className="detail" role="group" aria-label={`INTID ${row.intid}`}>
      <div className="line">
        <b>
          {row.intid}, {row.name}
        </b>
        {row.irouter !== undefined && gic === 3 && (
          <span>
            GICD_IROUTER <AffinityText affinity={irouterAffinity.decode(row.irouter)} />
          </span>
        )}
        {row.listRegister !== undefined && <span className="mono">ICH_LR{row.listRegister}_EL2</span>}
        {row.queuedOn !== undefined && row.listRegister === undefined && <span>queued on vCPU {row.queuedOn}</span>}
      </div>
      <p className="dim">{routeText(row, cpu, cpus, gic)}</p>
      {row.why !== undefined && (
        <p>
          <b className="bad">✕</b> {row.why}
        </p>
      )}
      <Inject intid={row.intid} cpu={cpu} />
    </div>
  )
}

/** What the CPU interface of the guest sees, and what waits behind it. */
const Queue = ({ cpu }: { readonly cpu: CpuView }) => {
  const registers = cpu.listRegisters.map(registerOf)
  const held = new Set(registers.flatMap((lr) => (lr === undefined ? [] : [lr.intid])))
  const behind = cpu.apList.filter((intid) => !held.has(intid))
  return (
    <div className="queue" role="group" aria-label={`List registers of vCPU ${cpu.index}`}>
      <span className="dim">list registers</span>
      {registers.map((lr, i) => (
        <Register key={i} place={i} register={lr} />
      ))}
      <span className="dim">ap_list {cpu.apList.length}</span>
      {behind.length > 0 && <span className="warn">behind: {behind.slice(0, SHOWN_BEHIND).join(', ')}</span>}
    </div>
  )
}

const Register = ({ place, register }: { readonly place: number; readonly register: ListRegister | undefined }) => {
  if (register === undefined) {
    return (
      <span className="irq faint" title={`ICH_LR${place}_EL2 is empty`}>
        –
      </span>
    )
  }
  const { intid, active, pending } = register
  const state = [active && 'active', pending && 'pending'].filter(Boolean).join(' and ')
  return (
    <span
      className={`irq ${active ? 'active' : 'pending'}`}
      title={`ICH_LR${place}_EL2: ${irqName(intid)} is ${state}`}
    >
      {active ? '● ' : '◌ '}
      {intid}
    </span>
  )
}
