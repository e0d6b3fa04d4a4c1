/** A vCPU as the page sees it: it runs and has nothing to do with interrupts just now. */
import { mpidrOf } from '../pure/arch/affinity.ts'
import type { CpuView } from '../pure/protocol/views.ts'

export const cpuView = (index: number, affinity: number, change: Partial<CpuView> = {}): CpuView => ({
  index,
  mpidr: mpidrOf(affinity),
  state: 'running',
  instructions: 0,
  pc: 0n,
  el: 1,
  frozen: false,
  priorityMask: 0xf0,
  igrpen1: true,
  pending: [],
  active: [],
  enabled: [],
  apList: [],
  listRegisters: [],
  vmcr: 0,
  hcr: 0,
  ...change,
})
