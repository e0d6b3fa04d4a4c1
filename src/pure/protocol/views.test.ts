import { describe, expect, it } from 'vitest'
import { resetMpidr } from '../arch/affinity.ts'
import { mergeMachine } from './views.ts'
import type { CpuView, MachineUpdate } from './views.ts'

const cpu = (index: number, instructions: number): CpuView => ({
  index,
  mpidr: resetMpidr(index),
  state: 'waiting',
  instructions,
  pc: 0n,
  el: 1,
  frozen: false,
  priorityMask: 0,
  igrpen1: false,
  pending: [],
  active: [],
  enabled: [],
  apList: [],
  listRegisters: [],
  vmcr: 0,
  hcr: 0,
})

const update = (change: Partial<MachineUpdate>): MachineUpdate => ({
  machine: 1,
  virtualNs: 0,
  gicdCtlr: 0,
  gicdTyper: 0,
  cpus: [],
  ...change,
})

describe('a view made of updates', () => {
  const first = mergeMachine(
    undefined,
    update({ cpus: [cpu(0, 1), cpu(1, 1)], frames: [{ base: 0x080a0000, cpu: 0, typer: 0n, waker: 0 }], spis: [] }),
  )

  it('changes the rows that came and keeps the others as they are', () => {
    const next = mergeMachine(first, update({ virtualNs: 5, cpus: [cpu(1, 2)] }))
    expect(next.cpus[0]).toBe(first.cpus[0])
    expect(next.cpus[1]?.instructions).toBe(2)
    expect(next.frames).toBe(first.frames)
    expect(next.virtualNs).toBe(5)
  })

  it('keeps the list when no row came', () => {
    expect(mergeMachine(first, update({})).cpus).toBe(first.cpus)
  })
})
