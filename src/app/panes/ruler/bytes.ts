/** The eight bytes of a form, highest first, and which level each carries. */
import { affinityLevels } from '../../../pure/arch/affinity.ts'
import type { Affinity } from '../../../pure/arch/affinity.ts'
import type { AffinityForm } from '../../../pure/arch/affinity-forms.ts'

export interface FormByte {
  /** `63:56`. */
  readonly bits: string
  readonly text: string
  readonly level: 3 | 2 | 1 | 0 | undefined
}

const BYTES = 8
const LEVELS = [3, 2, 1, 0] as const
const LIST_BYTES = 2

export const bytesOf = (form: AffinityForm, affinity: Affinity): readonly FormByte[] => {
  const value = form.encode(affinity)
  // Where Aff0 is a bit of a list, the byte with that bit carries it.
  const list = form.bytes.aff0 === undefined ? Math.floor((affinityLevels(affinity).aff0 % 16) / 8) : undefined
  return Array.from({ length: BYTES }, (_, i): FormByte => {
    const lsb = (BYTES - 1 - i) * 8
    const inList = lsb < LIST_BYTES * 8 && lsb / 8 === list ? (0 as const) : undefined
    return {
      bits: `${lsb + 7}:${lsb}`,
      text: Number((value >> BigInt(lsb)) & 0xffn)
        .toString(16)
        .padStart(2, '0'),
      level: LEVELS.find((level) => form.bytes[`aff${level}`] === lsb) ?? inList,
    }
  })
}
