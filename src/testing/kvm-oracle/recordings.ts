/** The results of the oracle's program, by what they were recorded on. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import type { HostProfile, KernelBase, RuleSetId } from '../../pure/blueprint/host.ts'

/** The machine had 44 bits of physical address. */
const recordedOn = (host: HostProfile): HostProfile => ({ ...host, ipaBits: 44 })

const HOSTS: Readonly<Record<string, HostProfile>> = {
  H1: recordedOn(HOST_PRESETS.H1),
  H0: recordedOn(HOST_PRESETS.H0),
  H2: recordedOn(HOST_PRESETS.H2),
}

const FILES = [
  ['results-6.1.txt', 'mainline', '6.1'],
  ['results-6.12.txt', 'mainline', '6.12'],
  ['results-patch-v1-on-6.1.txt', 'patch-v1', '6.1'],
  ['results-patch-v1-on-6.12.txt', 'patch-v1', '6.12'],
] as const satisfies readonly (readonly [string, RuleSetId, KernelBase])[]

export interface RecordedLine {
  readonly ruleSet: RuleSetId
  readonly base: KernelBase
  readonly hostName: string
  readonly host: HostProfile
  /** `C17`, `X03`; `host` for the line that describes the host. */
  readonly id: string
  readonly text: string
}

const linesOf = (file: string, ruleSet: RuleSetId, base: KernelBase): readonly RecordedLine[] => {
  const lines: RecordedLine[] = []
  let hostName = ''
  for (const line of readFileSync(join(import.meta.dirname, file), 'utf8').split('\n')) {
    hostName = /^## host (H\d)/.exec(line)?.[1] ?? hostName
    const host = HOSTS[hostName]
    const [, id, text] = /^([CX]\d+)\t(.*)$/.exec(line) ?? /^#\t(host) (.*)$/.exec(line) ?? []
    if (host !== undefined && id !== undefined && text !== undefined) {
      lines.push({ ruleSet, base, hostName, host, id, text: text.trimEnd() })
    }
  }
  return lines
}

export const recordedLines: readonly RecordedLine[] = FILES.flatMap(([file, ruleSet, base]) =>
  linesOf(file, ruleSet, base),
)
