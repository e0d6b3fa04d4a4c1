import { describe, expect, it } from 'vitest'
import type { CpuView } from '../../../pure/protocol/views.ts'
import { cpuView } from '../../../testing/cpu-view.ts'
import { routeText } from './route.ts'
import type { IrqRow } from './rows.ts'

const cpus = (...affinities: readonly number[]): readonly CpuView[] =>
  affinities.map((affinity, index) => cpuView(index, affinity))

const row = (intid: number, target: number | undefined, irouter = 0n): IrqRow => ({
  intid,
  name: '',
  enabled: true,
  latch: false,
  line: false,
  active: false,
  edge: false,
  group: 1,
  priority: 0xa0,
  target,
  irouter,
  pending: false,
  listRegister: undefined,
  why: undefined,
})

describe('why an interrupt goes to its vCPU and to no other', () => {
  it.each<[string, IrqRow, readonly CpuView[], string]>([
    ['one is there', row(40, 1, 1n), cpus(0, 1), 'vCPU 1 has the affinity 0.0.0.1, and no other has it.'],
    ['two are there', row(40, 2, 0n), cpus(0, 1, 0), 'so has vCPU 0, and one is found'],
    ['nobody is there', row(40, undefined, 7n), cpus(0, 1), 'No vCPU has the affinity 0.0.0.7.'],
    ['one came late', row(40, undefined, 1n), cpus(0, 1), 'vCPU 1 came to 0.0.0.1 after the route was written'],
    ['one has left', row(40, 1, 1n), cpus(0, 5), 'vCPU 1 was at 0.0.0.1 when the route was written'],
    ['the route is for any', row(40, 0, 1n << 31n), cpus(0, 1), 'Interrupt_Routing_Mode is 1'],
    ['it is private', row(27, undefined), cpus(0, 1), 'this is that of vCPU 1'],
    ['its collection leads nowhere', row(8192, undefined), cpus(0), 'leads to no redistributor'],
  ])('%s', (_, irq, all, says) => expect(routeText(irq, 1, all, 3)).toContain(says))

  it('is the mask of a GICv2, not a route', () => {
    expect(routeText(row(40, 1), 0, cpus(0, 1), 2)).toContain('GICD_ITARGETSR')
  })
})
