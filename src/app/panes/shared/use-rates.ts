/** How fast each vCPU runs. */
import { useEffect, useState } from 'react'
import type { CpuView } from '../../../pure/protocol/views.ts'
import { useSession } from '../../session-context.ts'

const NONE: readonly CpuView[] = []
const SAMPLE_MS = 500

/** Million instructions a second of wall time, for each vCPU. */
export const useRates = (): readonly number[] => {
  const { store } = useSession()
  const [rates, setRates] = useState<readonly number[]>([])
  useEffect(() => {
    const look = (): readonly CpuView[] => store.getState().machine?.cpus ?? NONE
    let before = look()
    let at = performance.now()
    const timer = setInterval(() => {
      const now = performance.now()
      const micros = (now - at) * 1000
      const [earlier, cpus] = [before, look()]
      const executed = ({ index, instructions }: CpuView): number =>
        Math.max(0, instructions - (earlier[index]?.instructions ?? instructions))
      setRates(cpus.map((cpu) => executed(cpu) / micros))
      before = cpus
      at = now
    }, SAMPLE_MS)
    return () => clearInterval(timer)
  }, [store])
  return rates
}
