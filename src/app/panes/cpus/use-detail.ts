/** What the worker answers about vCPUs. */
import { useCallback } from 'react'
import type { CpuDetail } from '../../../pure/protocol/cpu-detail.ts'
import type { Session } from '../../session/session.ts'
import { useAsked } from '../shared/use-asked.ts'

export const useDetail = (cpu: number): CpuDetail | undefined => {
  const ask = useCallback((session: Session) => session.inspectCpu(cpu), [cpu])
  const detail = useAsked(ask)
  return detail?.cpu === cpu ? detail : undefined
}

const MAX_NAMED = 512
const askNames = async (session: Session): Promise<ReadonlyMap<bigint, string>> => {
  const addresses = [...new Set((session.store.getState().machine?.cpus ?? []).map(({ pc }) => pc))].slice(0, MAX_NAMED)
  const names = await session.symbolsAt(addresses)
  return new Map(
    addresses.flatMap((address, i) => {
      const name = names[i]
      return name === undefined ? [] : [[address, name] as const]
    }),
  )
}

/** The symbols at the PCs of all vCPUs. */
export const useNames = (): ReadonlyMap<bigint, string> => useAsked(askNames) ?? NO_NAMES

const NO_NAMES: ReadonlyMap<bigint, string> = new Map()
