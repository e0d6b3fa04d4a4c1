/** What the page asks about a machine. Nothing here changes it. */
import type { AnswerTo, Command } from '../../pure/protocol/commands.ts'
import { symbolText } from '../vmm/inspect-cpu.ts'
import type { Vmm } from '../vmm/vmm.ts'

/** What of a virtual machine is asked. */
export type Asked = Pick<Vmm, 'kernelLog' | 'vgicState' | 'peek' | 'lastWrite' | 'inspectCpu' | 'symbols' | 'stats'>

export type QuestionName = 'kernelLog' | 'vgicState' | 'peek' | 'lastWrite' | 'cpu' | 'symbol' | 'symbolsAt' | 'stats'

const addressesOf = (vmm: Asked, name: string): AnswerTo<'symbol'> => {
  const found = vmm.symbols()
  if (!found.ok) return found
  const addresses = [...found.symbols.find(name)]
  return addresses.length === 0 ? { ok: false, what: `The kernel has no symbol "${name}".` } : { ok: true, addresses }
}

export const answerTo = (vmm: Asked, question: Extract<Command, { command: QuestionName }>): AnswerTo<QuestionName> => {
  switch (question.command) {
    case 'kernelLog':
      return vmm.kernelLog()
    case 'vgicState':
      return { ok: true, text: vmm.vgicState() }
    case 'peek':
      return { ok: true, values: [...vmm.peek(question.cpu, question.what)] }
    case 'lastWrite': {
      const write = vmm.lastWrite(question.cpu, question.encoding)
      return write === undefined ? { ok: true } : { ok: true, write }
    }
    case 'cpu': {
      const detail = vmm.inspectCpu(question.cpu)
      if (detail === undefined) return { ok: false, what: `There is no CPU ${question.cpu}.` }
      return { ok: true, detail: { ...detail, code: [...detail.code], stack: [...detail.stack] } }
    }
    case 'symbol':
      return addressesOf(vmm, question.name)
    case 'symbolsAt': {
      const found = vmm.symbols()
      if (!found.ok) return found
      return { ok: true, names: question.addresses.map((address) => symbolText(found.symbols.at(address))) }
    }
    case 'stats':
      return { ok: true, stats: { ...vmm.stats() } }
    default:
      return question satisfies never
  }
}
