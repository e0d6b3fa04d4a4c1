/**
 * An order of restoring as text, a line for each stage; the parts of a stage that goes from vCPU to vCPU are indented:
 *
 *     vcpus
 *     affinities
 *     gic
 *     distributor: GICD_IIDR, GICD_CTLR
 *     each vcpu:
 *       redistributor: GICR_PROPBASER where not 0, clear GICR_ISENABLER0, GICR_ISENABLER0
 *       interface: ICC_CTLR_EL1, ICC_PMR_EL1
 *       registers
 *       power
 *     its
 *
 * `clear` writes all ones to what clears a bank, or `with what was saved`. `#` begins a comment.
 */
import { Wrong, readWith } from '../../base/reader.ts'
import type { NotRead } from '../../base/reader.ts'
import type { Order, Stage, VcpuPart, Write } from './order.ts'
import { isCleared, gicWords } from './registers.ts'
import type { GicWord, Part } from './registers.ts'

const SAVED = ' with what was saved'
const WHERE = ' where '
const CONDITIONS = ['not 0', 'LPIs'] as const

const writeText = (write: Write): string => {
  if (typeof write === 'string') return write
  if ('clear' in write) return `clear ${write.clear}${write.with === 'saved' ? SAVED : ''}`
  return `${write.bank}${WHERE}${write.where}`
}

const writesText = (writes: readonly Write[]): string => writes.map(writeText).join(', ')

const partText = (part: VcpuPart): string =>
  part.part === 'registers' || part.part === 'power' ? part.part : `${part.part}: ${writesText(part.writes)}`

const stageText = (stage: Stage): readonly string[] => {
  switch (stage.do) {
    case 'distributor':
      return [`distributor: ${writesText(stage.writes)}`]
    case 'each vcpu':
      return ['each vcpu:', ...stage.parts.map((part) => `  ${partText(part)}`)]
    default:
      return [stage.do]
  }
}

/** With its title and source as comments. */
export const orderText = ({ title, source, stages }: Order): string =>
  [`# ${title}`, `# ${source}`, ...stages.flatMap(stageText), ''].join('\n')

/** More interrupts than any machine has: their banks are the same. */
const IRQS = 992
/** ICC_CTLR_EL1 of a CPU interface with as many active priorities as there can be. */
const WIDEST_CTLR = 0x600n

const wordsOf = (version: 2 | 3, part: Part): readonly GicWord[] => {
  const words = gicWords[version]
  if (part === 'distributor') return words.distributor(IRQS)
  return part === 'redistributor' ? words.redistributor : words.interface(WIDEST_CTLR)
}

const banksOf = (version: 2 | 3, part: Part): readonly string[] => [
  ...new Set(wordsOf(version, part).map(({ bank }) => bank)),
]

const readWrite = (text: string, version: 2 | 3, part: Part): Write => {
  const [, clear, bank = '', rest = ''] = /^(clear )?(\w+)(.*)$/.exec(text) ?? []
  const banks = banksOf(version, part)
  if (!banks.includes(bank)) {
    throw new Wrong(
      `"${bank === '' ? text : bank}" is not saved of a GICv${version}'s ${part}; these are: ${banks.join(', ')}.`,
    )
  }
  if (clear !== undefined) {
    if (!isCleared(bank)) throw new Wrong(`nothing clears ${bank}: it is written as it is.`)
    if (rest !== '' && rest !== SAVED) throw new Wrong(`"${rest.trim()}" says nothing; "${SAVED.trim()}" would.`)
    return { clear: bank, with: rest === '' ? 'ones' : 'saved' }
  }
  if (rest === '') return bank
  const where = CONDITIONS.find((condition) => rest === `${WHERE}${condition}`)
  if (where === undefined)
    throw new Wrong(`"${rest.trim()}" is no condition; there are "where not 0" and "where LPIs".`)
  return { bank, where }
}

const readWrites = (text: string, version: 2 | 3, part: Part): readonly Write[] =>
  text.split(',').map((write) => readWrite(write.trim().replaceAll(/\s+/g, ' '), version, part))

const STAGES = ['vcpus', 'affinities', 'gic', 'its'] as const
const VCPU_STAGE = 'each vcpu:'

const readStage = (text: string, version: 2 | 3): Stage => {
  const simple = STAGES.find((stage) => stage === text)
  if (simple !== undefined) return { do: simple }
  if (text.startsWith('distributor:')) {
    return { do: 'distributor', writes: readWrites(text.slice('distributor:'.length), version, 'distributor') }
  }
  throw new Wrong(`"${text}" is no stage; there are ${[...STAGES, 'distributor: …', VCPU_STAGE].join(', ')}.`)
}

const readPart = (text: string, version: 2 | 3): VcpuPart => {
  if (text === 'registers' || text === 'power') return { part: text }
  const [, part, writes = ''] = /^(redistributor|interface):(.*)$/.exec(text) ?? []
  if (part === 'redistributor' || part === 'interface') return { part, writes: readWrites(writes, version, part) }
  throw new Wrong(`"${text}" is no part of a vCPU; there are redistributor: …, interface: …, registers, power.`)
}

/** Names the line in what a reader throws. */
const atLine = <T>(number: number, read: () => T): T => {
  try {
    return read()
  } catch (error) {
    if (error instanceof Wrong) throw new Wrong(`Line ${number}: ${error.message}`)
    throw error
  }
}

const readStages = (text: string, version: 2 | 3): readonly Stage[] => {
  const stages: Stage[] = []
  let parts: VcpuPart[] | undefined
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.replace(/#.*/, '').trimEnd()
    const content = line.trim()
    if (content === '') continue
    atLine(i + 1, () => {
      if (/^\s/.test(line)) {
        if (parts === undefined) throw new Wrong(`an indented line belongs to an "${VCPU_STAGE}" before it.`)
        parts.push(readPart(content, version))
        return
      }
      parts = content === VCPU_STAGE ? [] : undefined
      stages.push(parts === undefined ? readStage(content, version) : { do: 'each vcpu', parts })
    })
  }
  if (stages.length === 0) throw new Wrong('The order has no stage.')
  return stages
}

/** Reads an order for machines with a version of the GIC; what is wrong is told with its line. */
export const parseOrder = (
  text: string,
  version: 2 | 3,
  source: string,
): { readonly ok: true; readonly order: Order } | NotRead =>
  readWith(() => ({ ok: true, order: { title: 'an own order', source, stages: readStages(text, version) } }) as const)
