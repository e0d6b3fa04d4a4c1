import { affinityLevels, affinityText } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'

const COLOURS = ['a3', 'a2', 'a1', 'a0'] as const

/** `1.0.0.2` with a colour for each level. */
export const AffinityText = ({ affinity }: { readonly affinity: Affinity }) => (
  <span className="mono affinity">
    {affinityText(affinity)
      .split('.')
      .map((level, i) => (
        <span key={COLOURS[i]}>
          {i > 0 && <span className="faint">.</span>}
          <span className={COLOURS[i]}>{level}</span>
        </span>
      ))}
  </span>
)

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
