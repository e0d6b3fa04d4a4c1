/** The code around a PC, by our own disassembler; a click sets a breakpoint or takes it away. */
import { useMemo } from 'react'
import { disassemble } from '../../../pure/arch/a64/disassembler.ts'
import type { CpuDetail } from '../../../pure/protocol/cpu-detail.ts'
import { useSession, useSessionState } from '../../session-context.ts'

interface Line {
  readonly address: bigint
  readonly word: string
  readonly text: string
  /** Where a function begins, its name. */
  readonly label: string | undefined
}

export const linesOf = (code: CpuDetail['code']): readonly Line[] =>
  code.map(({ address, word, symbol }) => ({
    address,
    word: word === undefined ? '' : word.toString(16).padStart(8, '0'),
    text: word === undefined ? 'nothing is mapped here' : disassemble(word, address),
    label: symbol === undefined || symbol.includes('+') ? undefined : symbol,
  }))

export const Code = ({ detail }: { readonly detail: CpuDetail }) => {
  const session = useSession()
  const breakpoints = useSessionState((state) => state.breakpoints)
  const lines = useMemo(() => linesOf(detail.code), [detail.code])
  const pc = detail.registers['PC'] ?? 0n
  const toggle = (address: bigint, on: boolean): void =>
    session.setBreakpoints(on ? breakpoints.filter((one) => one !== address) : [...breakpoints, address])
  return (
    <div className="code" role="list" aria-label="Code around PC">
      {lines.map(({ address, word, text, label }) => {
        const on = breakpoints.includes(address)
        return (
          <div key={`${address}`} role="listitem">
            {label !== undefined && <div className="code-label">{label}:</div>}
            <div className={address === pc ? 'code-line here' : 'code-line'} aria-current={address === pc || undefined}>
              <button
                className={on ? 'break on' : 'break'}
                aria-label={`${on ? 'Take away the breakpoint' : 'Break'} at 0x${address.toString(16)}`}
                aria-pressed={on}
                onClick={() => toggle(address, on)}
              />
              <span className="dim">{address.toString(16)}</span>
              <span className="word faint">{word}</span>
              <span>{text}</span>
            </div>
          </div>
        )
      })}
    </div>
  )
}
