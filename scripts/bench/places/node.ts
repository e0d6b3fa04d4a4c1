/** Ours under Node: the headless runner. */
import { join } from 'node:path'
import { ROOT } from '../../lib/steps.mjs'
import { isMainThread } from './cpu-clock.ts'
import { MEMORY, listenTo } from './place.ts'
import type { BenchGuest } from './place.ts'
import type { Hearer } from './listener.ts'

export const inNode = (
  { vcpus, memory = MEMORY, kernel, initrd, append }: BenchGuest,
  hearer: Hearer,
): Promise<void> => {
  const root = initrd === undefined ? [] : ['--initrd', initrd]
  const parameters = append === undefined ? [] : ['--append', append]
  const options = ['--smp', String(vcpus), '--memory', `${memory}M`, '--kernel', kernel, ...root, ...parameters]
  const program = ['--import', 'tsx', join(ROOT, 'src/cli/main.ts'), ...options]
  return listenTo(hearer, process.execPath, program, isMainThread)
}
