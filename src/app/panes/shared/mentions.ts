/** The CPUs, frames and interrupts that a line of Linux speaks of, so that a person can go to them. */
import { mpidrAffinity } from '../../../pure/arch/affinity.ts'
import { FIRST_SPI } from '../../../pure/arch/intid.ts'

export type Mentioned =
  | { readonly kind: 'cpu'; readonly index: number }
  | { readonly kind: 'affinity'; readonly mpidr: bigint }
  | { readonly kind: 'frame'; readonly base: number }
  | { readonly kind: 'intid'; readonly intid: number }

export interface Mention {
  readonly at: number
  readonly text: string
  readonly of: Mentioned
}

/** Formats of Linux (drivers/irqchip/irq-gic-v3.c, arch/arm64/kernel/smp.c, kernel/printk): one group holds the number. */
const FORMS: readonly { readonly pattern: RegExp; readonly of: (digits: string) => Mentioned | undefined }[] = [
  { pattern: /\bCPU:? ?(\d{1,3})\b/g, of: (digits) => ({ kind: 'cpu', index: Number(digits) }) },
  { pattern: /\bmpidr ([0-9a-f]{1,10})\b/g, of: (digits) => ({ kind: 'affinity', mpidr: BigInt(`0x${digits}`) }) },
  {
    pattern: /\bsecondary processor (0x[0-9a-f]{10})\b/g,
    of: (digits) => ({ kind: 'affinity', mpidr: BigInt(digits) }),
  },
  { pattern: /\bregion \d+:(0x[0-9a-f]{8,16})\b/g, of: (digits) => ({ kind: 'frame', base: Number(digits) }) },
  { pattern: /\b(?:INTID|hwirq) (\d{1,4})\b/g, of: (digits) => ({ kind: 'intid', intid: Number(digits) }) },
  { pattern: /\bSPI (\d{1,3})\b/g, of: (digits) => ({ kind: 'intid', intid: FIRST_SPI + Number(digits) }) },
  // A row of /proc/interrupts: the chip, then its own number.
  {
    pattern: /\bGIC(?:v3|-0) +(\d{1,4}) (?:Level|Edge)\b/g,
    of: (digits) => ({ kind: 'intid', intid: Number(digits) }),
  },
]

/** In the order of the line. */
export const mentionsIn = (line: string): readonly Mention[] =>
  FORMS.flatMap(({ pattern, of }) =>
    [...line.matchAll(pattern)].flatMap((match): Mention[] => {
      const mentioned = of(match[1] ?? '')
      return mentioned === undefined ? [] : [{ at: match.index, text: match[0], of: mentioned }]
    }),
  ).toSorted((a, b) => a.at - b.at)

export interface Whereabouts {
  readonly cpus: readonly { readonly index: number; readonly mpidr: bigint }[]
  readonly frames: readonly { readonly base: number; readonly cpu: number }[]
}

/** The vCPU that is meant; nothing where the machine has none like it, or the line means an interrupt. */
export const cpuOf = (of: Mentioned, { cpus, frames }: Whereabouts): number | undefined => {
  switch (of.kind) {
    case 'cpu':
      return cpus.some(({ index }) => index === of.index) ? of.index : undefined
    case 'affinity': {
      const wanted = mpidrAffinity.decode(of.mpidr)
      return cpus.find(({ mpidr }) => mpidrAffinity.decode(mpidr) === wanted)?.index
    }
    case 'frame':
      return frames.find(({ base }) => base === of.base)?.cpu
    case 'intid':
      return undefined
  }
}

/** A line cut into what is a mention and what is not. */
export const cutLine = (line: string): readonly (string | Mention)[] => {
  const parts: (string | Mention)[] = []
  let end = 0
  for (const mention of mentionsIn(line)) {
    if (mention.at < end) continue
    if (mention.at > end) parts.push(line.slice(end, mention.at))
    parts.push(mention)
    end = mention.at + mention.text.length
  }
  if (end < line.length) parts.push(line.slice(end))
  return parts
}
