/** One register: its bits to click, what each field means, who wrote it last, and ways to take it along. */
import { Copy as CopyIcon } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { useState } from 'react'
import type { KvmAnswer } from '../../../pure/uapi/calls.ts'
import { useSession } from '../../session-context.ts'
import { copy } from '../../session/clipboard.ts'
import { Answer } from '../../widgets/answer.tsx'
import { LastWriter } from './last-writer.tsx'
import { COPIES, copyText, differs, explained, fieldAt } from './values.ts'
import type { RegisterValue } from './values.ts'

interface DetailProps {
  readonly value: RegisterValue
  readonly cpu: number
  /** Who reads it beside the guest. */
  readonly other: string
}

const NO_CALL = "No KVM call reaches it: it is the VMM's own device, or only the guest's."

export const Detail = ({ value, cpu, other }: DetailProps) => {
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
        <p className="dim">{other === 'host' ? 'No KVM call reaches it: KVM writes it by itself.' : NO_CALL}</p>
      )}
      {row.unread !== undefined && <p className="dim">{row.unread}</p>}
      {row.plain !== undefined && <p className="dim">{row.plain}</p>}
      {differs(value) && (
        <p className="warn">
          The guest reads 0x{guest?.toString(16)}, {other} 0x{user?.toString(16)}.
        </p>
      )}
      {answer !== undefined && <Answer answer={answer} effective={user} />}
      {other !== 'host' && <LastWriter row={row} cpu={cpu} />}
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
              onSelect={() => void copy(session, copyText(row, value, as), `${row.name} is 0x${value.toString(16)}.`)}
            >
              Copy as {as}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
