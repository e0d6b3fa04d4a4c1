import { affinityLevels, affinityText, parseAffinity } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'

const COLOURS = ['a3', 'a2', 'a1', 'a0'] as const

/** `1.0.0.2` with a colour for each level; a level that is not the wanted one got lost on the way. */
export const AffinityText = (props: { readonly affinity: Affinity; readonly wanted?: Affinity | undefined }) => {
  const wanted = affinityText(props.wanted ?? props.affinity).split('.')
  return (
    <span className="mono affinity">
      {affinityText(props.affinity)
        .split('.')
        .map((level, i) => (
          <span key={COLOURS[i]}>
            {i > 0 && <span className="faint">.</span>}
            <span className={level === wanted[i] ? COLOURS[i] : `${COLOURS[i]} lost-byte`}>{level}</span>
          </span>
        ))}
    </span>
  )
}

const AFFINITIES = /\b([0-9a-f]{1,2}(?:\.[0-9a-f]{1,2}){3})\b/

/** A sentence in which affinities have their colours. */
export const WithAffinities = (props: { readonly text: string; readonly wanted?: Affinity | undefined }) => {
  // Split by a group, a text and what matched it take turns.
  const parts = props.text.split(AFFINITIES)
  return (
    <>
      {parts.map((part, i) => {
        const parsed = i % 2 === 0 ? undefined : parseAffinity(part)
        return parsed?.ok === true ? (
          <AffinityText key={`${i} ${part}`} affinity={parsed.affinity} wanted={props.wanted} />
        ) : (
          part
        )
      })}
    </>
  )
}

export interface HexPart {
  readonly text: string
  readonly level?: 3 | 2 | 1 | 0
}

const hex2 = (value: number): string => value.toString(16).padStart(2, '0')

/** The 16 digits of a 64-bit register in which these bits carry the levels. */
export const hexParts = (value: bigint, lsb: Partial<Record<'aff3' | 'aff2' | 'aff1' | 'aff0', number>>): HexPart[] => {
  const parts: HexPart[] = []
  for (let byte = 7; byte >= 0; byte--) {
    const at = byte * 8
    const level = ([3, 2, 1, 0] as const).find((one) => lsb[`aff${one}`] === at)
    const text = hex2(Number((value >> BigInt(at)) & 0xffn))
    parts.push(level === undefined ? { text } : { text, level })
    if (byte === 4) parts.push({ text: '_' })
  }
  return parts
}

export const HexText = (props: {
  readonly parts: readonly HexPart[]
  /** The level that was lost on the way. */
  readonly lost?: HexPart['level'] | undefined
}) => (
  <span className="mono">
    {props.parts.map(({ text, level }, i) => (
      <span key={i} className={level === undefined ? 'faint' : `a${level}${level === props.lost ? ' lost-byte' : ''}`}>
        {text}
      </span>
    ))}
  </span>
)

/** The four bytes as GICR_TYPER[63:32] has them. */
export const PackedAffinity = ({ affinity }: { readonly affinity: Affinity }) => {
  const { aff3, aff2, aff1, aff0 } = affinityLevels(affinity)
  return (
    <span className="mono">
      <span className="a3">{hex2(aff3)}</span>
      <span className="a2">{hex2(aff2)}</span>
      <span className="a1">{hex2(aff1)}</span>
      <span className="a0">{hex2(aff0)}</span>
    </span>
  )
}
