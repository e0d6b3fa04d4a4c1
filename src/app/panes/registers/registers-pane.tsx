/** Every register of the machine: as the guest reads it, as userspace does, field by field, to be changed bit by bit. */
import { useCallback, useMemo } from 'react'
import { mpidrAffinity } from '../../../pure/arch/affinity.ts'
import { GICD_TYPER } from '../../../pure/arch/gic/gicd.ts'
import { decodeField } from '../../../pure/arch/register.ts'
import { hasGicV3 } from '../../../pure/blueprint/host.ts'
import { bookRows, BOOKS, booksOf } from '../../../pure/uapi/registers/book.ts'
import type { BookId } from '../../../pure/uapi/registers/book.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import type { Session } from '../../session/session.ts'
import type { RegistersView } from '../../session/state.ts'
import { Segments } from '../../widgets/choice.tsx'
import { VirtualList } from '../../widgets/virtual-list.tsx'
import { useAsked } from '../shared/use-asked.ts'
import { Detail } from './detail.tsx'
import { differs, fieldsText, found, hex, peeksOf, valuesOf } from './values.ts'
import type { RegisterValue } from './values.ts'
import '../../style/registers.css'

/** As wide as the widest value of the book; what is left of the width tells the fields that are not 0. */
const columnsFor = (values: readonly RegisterValue[]) => {
  const value = values.some(({ row }) => row.bytes > 4) ? '136px' : '76px'
  return { gridTemplateColumns: `minmax(130px, 0.6fr) ${value} ${value} minmax(0, 1fr)` }
}
const PRIVATE_ONLY = 32

const RegistersPane = () => {
  const { gic, its, host } = useSessionState((state) => state.running ?? state.draft)
  const there = useSessionState((state) => state.machine !== undefined)
  const hostGicV3 = hasGicV3(host)
  const books = useMemo(() => booksOf({ gic, its, hostGicV3 }), [gic, its, hostGicV3])
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
  const host = useSessionState((state) => (state.running ?? state.draft).host)
  const rows = useMemo(() => {
    const lines = Number(decodeField(GICD_TYPER, 'ITLinesNumber', BigInt(typer)))
    return bookRows(book, {
      cpu,
      affinity: mpidrAffinity.decode(mpidr),
      nrIrqs: PRIVATE_ONLY * (lines + 1),
      host: hasGicV3(host) ? host : undefined,
    })
  }, [book, cpu, mpidr, typer, host])
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
  const { says, perCpu, other } = BOOKS[book]
  const columns = useMemo(() => columnsFor(all), [all])
  const one = all.find(({ row }) => row.name === selected)
  return (
    <>
      <div className="registers-list">
        <VirtualList
          label={says}
          count={values.length}
          estimate={24}
          head={
            <div className="grid-row head" style={columns}>
              <span>{perCpu ? `${says}, vCPU ${cpu}` : says}</span>
              <span>guest</span>
              <span title="Where it is not the guest's">≠ {other}</span>
              <span>fields</span>
            </div>
          }
          renderRow={(place) => {
            const value = values[place]
            if (value === undefined) return null
            const { row, guest, user, refused } = value
            const apart = differs(value) || guest === undefined
            return (
              <div className={row.name === selected ? 'grid-row selected' : 'grid-row'} style={columns}>
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
                  {!apart ? '' : user === undefined ? (refused ?? '') : hex(user, row.bytes)}
                </span>
                <span className="dim">{fieldsText(row, user ?? guest)}</span>
              </div>
            )
          }}
        />
      </div>
      {one === undefined ? (
        <p className="empty">Choose a register to see its fields, who wrote it last, and to change its bits.</p>
      ) : (
        <Detail key={`${book} ${one.row.name} ${cpu}`} value={one} cpu={cpu} other={other} />
      )}
    </>
  )
}

export default RegistersPane
