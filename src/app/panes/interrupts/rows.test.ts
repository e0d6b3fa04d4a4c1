import { describe, expect, it } from 'vitest'
import { ICH_LR, LR_STATE } from '../../../pure/arch/gic/ich.ts'
import { encodeRegister } from '../../../pure/arch/register.ts'
import type { CpuView, InterruptsView, IrqView, SpiView } from '../../../pure/protocol/views.ts'
import { cpuView } from '../../../testing/cpu-view.ts'
import { filterRows, irqRows, registerOf } from './rows.ts'

const cpu = (index: number, change: Partial<CpuView> = {}): CpuView =>
  cpuView(index, index, {
    apList: [27],
    listRegisters: [encodeRegister(ICH_LR, { vINTID: 27, State: LR_STATE.pending }), 0n],
    ...change,
  })

const irq = (intid: number, change: Partial<IrqView> = {}): IrqView => ({
  intid,
  enabled: true,
  latch: false,
  line: false,
  active: false,
  edge: false,
  group: 1,
  priority: 0xa0,
  target: 0,
  ...change,
})

const spi = (intid: number, irouter: bigint): SpiView => ({
  intid,
  enabled: true,
  pending: true,
  active: false,
  line: true,
  priority: 0xa0,
  edge: false,
  irouter,
})

const GROUP_1 = 2
const world = (change: Partial<CpuView> = {}) => ({ gicdCtlr: GROUP_1, cpus: [cpu(0, change), cpu(1)], spis: [] })
const view = (...irqs: IrqView[]): InterruptsView => ({ cpu: 0, irqs })
const why = (one: IrqView, at: Partial<CpuView> = {}, gicdCtlr = GROUP_1): string | undefined =>
  irqRows(view(one), { ...world(at), gicdCtlr })[0]?.why

describe('why an interrupt does not reach its CPU', () => {
  it.each<[string, IrqView, Partial<CpuView>, RegExp]>([
    ['it is not enabled', irq(40, { line: true, enabled: false }), {}, /not enabled/],
    ['the CPU is off', irq(40, { line: true }), { state: 'off' }, /vCPU 0 is off/],
    ['the group is off at the CPU', irq(40, { latch: true }), { igrpen1: false }, /ICC_IGRPEN1_EL1/],
    ['the mask keeps it', irq(40, { latch: true }), { priorityMask: 0xa0 }, /0xa0 is not below ICC_PMR_EL1 = 0xa0/],
    ['something is active', irq(40, { latch: true }), { active: [27] }, /EL1 virtual timer active/],
  ])('%s', (_, one, at, says) => expect(why(one, at)).toMatch(says))

  it('the distributor has the group off', () => {
    expect(why(irq(40, { latch: true }), {}, 0)).toMatch(/GICD_CTLR.EnableGrp1 is 0/)
  })

  it('nobody is where its route leads', () => {
    const lost = { ...irq(40, { line: true }), target: undefined }
    const [row] = irqRows(view(lost), { ...world(), spis: [spi(40, 0x1_0000_0002n)] })
    expect(row?.why).toMatch(/No vCPU was found at 1\.0\.0\.2/)
  })

  it('is nothing where nothing is pending, and where nothing keeps it', () => {
    expect(why(irq(40))).toBeUndefined()
    expect(why(irq(40, { latch: true }))).toBeUndefined()
    // The level of an edge interrupt pends nothing.
    expect(why(irq(40, { line: true, edge: true, enabled: false }))).toBeUndefined()
  })
})

describe('the filter', () => {
  const rows = irqRows(view(irq(1), irq(27, { latch: true }), irq(33), irq(133, { enabled: false })), world())
  const found = (text: string): readonly number[] => filterRows(rows, text).map(({ intid }) => intid)

  it('takes numbers as INTIDs, words of state as states, and all else as part of a name', () => {
    expect(found('33')).toEqual([33])
    expect(found('pending')).toEqual([27])
    expect(found('timer')).toEqual([27])
    expect(found('spi disabled')).toEqual([133])
    expect(found('')).toHaveLength(4)
  })
})

it('an interrupt in a list register says in which', () => {
  const [, timer] = irqRows(view(irq(1), irq(27)), world())
  expect(timer?.listRegister).toBe(0)
})

describe('a list register', () => {
  const holds = (vINTID: number): number | undefined =>
    registerOf(encodeRegister(ICH_LR, { vINTID, State: LR_STATE.active }))?.intid

  it('tells an SGI of a GICv2 from the source above it, and an LPI from either', () => {
    expect(holds(5 | (3 << 10))).toBe(5)
    expect(holds(8192 + 5)).toBe(8197)
    expect(holds(40)).toBe(40)
  })

  it('is empty where its interrupt is neither pending nor active', () => {
    expect(registerOf(encodeRegister(ICH_LR, { vINTID: 27 }))).toBeUndefined()
  })
})
