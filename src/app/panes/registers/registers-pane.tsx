/** Every register of the machine: as the guest reads it, as userspace does, field by field, to be changed bit by bit. */
import { Copy as CopyIcon } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { useCallback, useMemo, useState } from 'react'
import { mpidrAffinity } from '../../../pure/arch/affinity.ts'
import { GICD_TYPER } from '../../../pure/arch/gic/gicd.ts'
import { decodeField } from '../../../pure/arch/register.ts'
import { eventText } from '../../../pure/trace/events.ts'
import type { KvmAnswer } from '../../../pure/uapi/calls.ts'
import { bookRows, BOOKS, booksOf } from '../../../pure/uapi/register-book.ts'
import type { BookId } from '../../../pure/uapi/register-book.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import type { Session } from '../../session/session.ts'
import type { RegistersView } from '../../session/state.ts'
import { Answer } from '../../widgets/answer.tsx'
import { Segments } from '../../widgets/choice.tsx'
import { VirtualList } from '../../widgets/virtual-list.tsx'
import { useAsked } from '../shared/use-asked.ts'
import { COPIES, copyText, differs, explained, fieldAt, found, hex, peeksOf, valuesOf } from './values.ts'
import type { RegisterValue } from './values.ts'
import '../../style/registers.css'

const COLUMNS = { gridTemplateColumns: 'minmax(130px, 1fr) 156px 156px' } as const
const PRIVATE_ONLY = 32

const RegistersPane = () => {
  const gic = useSessionState((state) => state.running?.gic ?? 3)
  const its = useSessionState((state) => state.running?.its ?? false)
  const there = useSessionState((state) => state.machine !== undefined)
  const books = useMemo(() => booksOf(gic, its), [gic, its])
  const { book: chosen, words, selected } = useSessionState((state) => state.registers)
  const session = useSession()
  const look = (to: Partial<RegistersView>): void => session.lookAtRegisters(to)
  const book = books.includes(chosen) ? chosen : (books[0] ?? 'EL1')
  if (!there) return <p className="empty">The registers of the running machine appear here.</p>
  return (
    <div className="registers-pane">
      <div className="registers-tools" role="toolbar" aria-label="Registers">
        <Segments
          label="Book of registers"
          mono
          value={book}
          options={books.map((value) => ({ value, title: BOOKS[value].title }))}
          onChange={(value) => look({ book: value, selected: undefined })}
        />
        <input
          className="field"
          type="search"
          placeholder="Search"
          aria-label="Search registers and fields"
          value={words}
          onChange={({ target }) => look({ words: target.value })}
        />
      </div>
      <Book book={book} words={words} selected={selected} onSelect={(name) => look({ selected: name })} />
    </div>
  )
}

interface BookProps {
  readonly book: BookId
  readonly words: string
  readonly selected: string | undefined
  readonly onSelect: (name: string) => void
}

const useBook = (book: BookId, cpu: number): readonly RegisterValue[] => {
  const mpidr = useSessionState((state) => state.machine?.cpus[cpu]?.mpidr ?? 0n)
  const typer = useSessionState((state) => state.machine?.gicdTyper ?? 0)
  const rows = useMemo(() => {
    const lines = Number(decodeField(GICD_TYPER, 'ITLinesNumber', BigInt(typer)))
    return bookRows(book, { cpu, affinity: mpidrAffinity.decode(mpidr), nrIrqs: PRIVATE_ONLY * (lines + 1) })
  }, [book, cpu, mpidr, typer])
  const ask = useCallback(
    async (session: Session) => ({ rows, answers: await session.peek(cpu, peeksOf(rows)) }),
    [rows, cpu],
  )
  const told = useAsked(ask)
  return useMemo(() => valuesOf(rows, told?.rows === rows ? told.answers : []), [rows, told])
}

const Book = ({ book, words, selected, onSelect }: BookProps) => {
  const cpu = useSessionState((state) => state.selected)
  const all = useBook(book, cpu)
  const values = useMemo(() => found(all, words), [all, words])
  const { says, perCpu } = BOOKS[book]
  const one = all.find(({ row }) => row.name === selected)
  return (
    <>
      <div className="registers-list">
        <VirtualList
          label={says}
          count={values.length}
          estimate={24}
          head={
            <div className="grid-row head" style={COLUMNS}>
              <span>{perCpu ? `${says}, vCPU ${cpu}` : says}</span>
              <span>guest</span>
              <span title="Where it is not the guest's">userspace</span>
            </div>
          }
          renderRow={(place) => {
            const value = values[place]
            if (value === undefined) return null
            const { row, guest, user, refused } = value
            const other = differs(value) || guest === undefined
            return (
              <div className={row.name === selected ? 'grid-row selected' : 'grid-row'} style={COLUMNS}>
                <button
                  className="link-button mono"
                  aria-current={row.name === selected}
                  onClick={() => onSelect(row.name)}
                >
                  {row.name}
                </button>
                <span className={guest === 0n ? 'mono faint' : 'mono'} title={row.unread}>
                  {guest === undefined ? '–' : hex(guest, row.bytes)}
                </span>
                <span className={differs(value) ? 'mono warn' : 'mono dim'}>
                  {!other ? '' : user === undefined ? (refused ?? '') : hex(user, row.bytes)}
                </span>
              </div>
            )
          }}
        />
      </div>
      {one === undefined ? (
        <p className="empty">Choose a register to see its fields, who wrote it last, and to change its bits.</p>
      ) : (
        <Detail key={`${book} ${one.row.name} ${cpu}`} value={one} cpu={cpu} />
      )}
    </>
  )
}

const Detail = ({ value, cpu }: { readonly value: RegisterValue; readonly cpu: number }) => {
  const session = useSession()
  const { row, guest, user } = value
  const [answer, setAnswer] = useState<KvmAnswer>()
  const shown = user ?? guest
  const readBack = row.user[0] ?? row.guest

  const flip = (bit: number): void => {
    if (row.write === undefined || shown === undefined) return
    const calls = row.write(shown ^ (1n << BigInt(bit)))
    session
      .call(calls, readBack?.kind === 'call' ? readBack.call : undefined)
      .then(setAnswer, (error: unknown) => session.report(String(error)))
  }

  return (
    <div className="pane-body registers-detail" tabIndex={0} role="region" aria-label={row.name}>
      <div className="registers-name">
        <strong className="mono">{row.name}</strong>
        <CopyMenu value={value} />
      </div>
      {shown !== undefined && <Bits value={value} shown={shown} onFlip={flip} />}
      {row.write === undefined && (
        <p className="dim">No KVM call reaches it: it is the VMM's own device, or only the guest's.</p>
      )}
      {row.unread !== undefined && <p className="dim">{row.unread}</p>}
      {differs(value) && (
        <p className="warn">
          The guest reads {guest?.toString(16)}, userspace {user?.toString(16)}.
        </p>
      )}
      {answer !== undefined && <Answer answer={answer} effective={user} />}
      <LastWriter value={value} cpu={cpu} />
      {shown !== undefined && row.fields.length > 0 && (
        <table className="fields">
          <tbody>
            {explained(row, shown).map(({ field, bits, text, value: part }) => (
              <tr key={`${field} ${bits}`} className={part === 0n ? 'faint' : undefined}>
                <td className="mono num">{bits}</td>
                <th scope="row">{field}</th>
                <td className="mono">{text}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

const Bits = (props: {
  readonly value: RegisterValue
  readonly shown: bigint
  readonly onFlip: (bit: number) => void
}) => {
  const { row } = props.value
  const count = row.bytes * 8
  return (
    <div className="bits" role="group" aria-label={`Bits of ${row.name}`}>
      {Array.from({ length: count / 8 }, (_, byte) => (
        <span key={byte} className="bits-byte">
          <span className="faint">{count - 8 * byte - 1}</span>
          <span>
            {Array.from({ length: 8 }, (__, i) => {
              const bit = count - 8 * byte - 1 - i
              const set = ((props.shown >> BigInt(bit)) & 1n) === 1n
              const name = fieldAt(row, bit)?.name
              return (
                <button
                  key={bit}
                  className={set ? 'bit set' : 'bit'}
                  disabled={row.write === undefined}
                  aria-pressed={set}
                  aria-label={`Bit ${bit}${name === undefined ? '' : `, ${name}`}`}
                  title={`${bit}${name === undefined ? '' : ` ${name}`}`}
                  data-field={name !== undefined || undefined}
                  onClick={() => props.onFlip(bit)}
                >
                  {set ? 1 : 0}
                </button>
              )
            })}
          </span>
        </span>
      ))}
    </div>
  )
}

const LastWriter = ({ value: { row }, cpu }: { readonly value: RegisterValue; readonly cpu: number }) => {
  const session = useSession()
  const { trace } = session
  const number = trace.writers.of(row.place, row.bytes, cpu)
  const last = number === undefined ? undefined : trace.log.at(number)
  if (last === undefined || last.number !== number) {
    return <p className="dim">The trace has no write of it by the guest.</p>
  }
  const pc = 'pc' in last.event ? last.event.pc : undefined
  return (
    <p className="writer">
      Last written at <span className="mono num">{(last.time / 1e9).toFixed(9)} s</span>: {eventText(last.event)}
      {pc !== undefined && <span className="mono dim">, PC 0x{pc.toString(16)}</span>}{' '}
      <button className="link-button" onClick={() => session.showMoment(last.time)}>
        on the timeline
      </button>
    </p>
  )
}

const CopyMenu = ({ value: { row, guest, user } }: { readonly value: RegisterValue }) => {
  const session = useSession()
  const value = user ?? guest
  if (value === undefined) return null
  const ways = COPIES.filter((as) => as !== 'KVM call' || row.write !== undefined)
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="button icon tiny quiet" aria-label={`Copy ${row.name}`}>
        <CopyIcon size={13} aria-hidden />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="popover" align="end" sideOffset={4}>
          {ways.map((as) => (
            <DropdownMenu.Item
              key={as}
              className="item"
              onSelect={() => {
                navigator.clipboard
                  .writeText(copyText(row, value, as))
                  .catch(() => session.report('The browser does not let the page copy.'))
              }}
            >
              Copy as {as}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

export default RegistersPane
