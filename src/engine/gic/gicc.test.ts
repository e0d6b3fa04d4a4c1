/**
 * A GICv2's CPU interface beside the one of QEMU's virt machine, which is no KVM's: one CPU, both groups. QEMU has no
 * aliased registers: GICC_AIAR and its like are in vgic-v2.test.ts.
 */
import { describe, expect, it } from 'vitest'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { missingGicTools, runOnQemu } from '../../testing/oracle/gic.ts'
import type { GicAccess } from '../../testing/oracle/gic.ts'
import { GICC, TestVgicV2 } from '../../testing/test-vgic-v2.ts'
import { seeded } from '../../testing/seeded.ts'

const CPU_INTERFACE = 0x10000
const { CTLR, PMR, BPR, IAR, EOIR, RPR, HPPIR } = GICC
const DIR = 0x1000
const SPURIOUS = [1022, 1023]

const read = (offset: number): GicAccess => ({ do: 'read', offset })
const write = (offset: number, value: number): GicAccess => ({ do: 'write', offset, value })
const gicc = (offset: number): number => CPU_INTERFACE + offset

const runner = (): ((access: GicAccess) => number[]) => {
  // A hardware's interface has no list registers that could be too few.
  const t = new TestVgicV2({ ids: [0], host: { ...HOST_PRESETS.H2, listRegs: 16 } })
  const inInterface = (offset: number): boolean => offset >= CPU_INTERFACE
  return (access) => {
    if (access.do === 'isr') return [Number(t.irq[0]) | Number(t.fiq[0])]
    if (access.do === 'read') {
      const { offset } = access
      return [inInterface(offset) ? t.gicc(0, offset - CPU_INTERFACE) : t.dist(offset)]
    }
    if (access.do !== 'write') throw new Error(`a GICv2 has no ${access.register}`)
    if (inInterface(access.offset)) t.setGicc(0, access.offset - CPU_INTERFACE, access.value)
    else t.setDist(access.offset, access.value)
    return []
  }
}

/** SPIs 40 to 47, edges, every second one in Group 1, each with a priority of its own. */
const FIRST = 40
const COUNT = 8
/** Both groups, and one binary point for both: QEMU compares what is pending without one. */
const CONTROL = 3 | (1 << 4)
const setUp: readonly GicAccess[] = [
  // Group 1 has an enable of its own in hardware.
  write(0, 3),
  write(0x84, 0xaa00),
  write(0xc08, 0xaaaa_aaaa),
  write(0x400 + FIRST, 0x5060_7080),
  write(0x404 + FIRST, 0x5868_b8c8),
  write(0x104, 0xff00),
  write(gicc(PMR), 0xf8),
  write(gicc(CTLR), CONTROL),
]
/** QEMU's GICC_HPPIR looks at the priority mask, the architecture's does not. */
const look = (masked: boolean): readonly GicAccess[] => [
  { do: 'isr' },
  read(gicc(RPR)),
  ...(masked ? [] : [read(gicc(HPPIR))]),
  read(0x204),
  read(0x304),
]

/**
 * A guest that keeps to the rules: it ends what it acknowledged last, and changes the binary point and the mode of
 * ending while nothing is active.
 */
const randomWalk = (seed: number, steps: number): { accesses: GicAccess[]; values: number[] } => {
  const below = seeded(seed)
  const ours = runner()
  const taken: number[] = []
  let [pmr, control] = [0xf8, CONTROL]
  const bit = (): number => 1 << ((FIRST + below(COUNT)) % 32)
  const end = (): GicAccess => {
    const last = taken.pop()
    return last === undefined ? read(gicc(RPR)) : write(gicc(EOIR), last)
  }
  const whileIdle = (offset: number, value: number): GicAccess =>
    taken.length === 0 ? write(gicc(offset), value) : read(gicc(RPR))
  /** Of an interrupt of Group 1 that may not preempt, QEMU's GICC_IAR tells, and ours does not. */
  const acknowledge = (): GicAccess => read(gicc(taken.length > 0 && (control & 4) === 0 ? RPR : IAR))
  const actions: readonly (() => GicAccess)[] = [
    () => write(0x204, bit()),
    () => write(0x204, bit()),
    () => write(0x284, bit()),
    () => write(0x104, bit()),
    () => write(0x184, bit()),
    acknowledge,
    acknowledge,
    acknowledge,
    end,
    end,
    end,
    () => write(gicc(DIR), FIRST + below(COUNT)),
    () => write(gicc(PMR), below(3) === 0 ? below(0x20) << 3 : 0xf8),
    () => whileIdle(BPR, 2 + below(6)),
    // With or without AckCtl, one way of ending or the other; no FIQ.
    () => whileIdle(CTLR, CONTROL | (below(2) << 2) | (below(2) << 9)),
  ]
  const accesses = [...setUp]
  const values = setUp.flatMap(ours)
  for (let i = 0; i < steps; i++) {
    const action = actions[below(actions.length)]?.() ?? { do: 'isr' }
    const [value] = ours(action)
    if (value !== undefined) values.push(value)
    if (action.do === 'read' && value !== undefined && !SPURIOUS.includes(value)) {
      if (action.offset === gicc(IAR)) taken.push(value)
    }
    if (action.do === 'write' && action.offset === gicc(PMR)) pmr = action.value
    if (action.do === 'write' && action.offset === gicc(CTLR)) control = action.value
    const looks = look(pmr !== 0xf8)
    accesses.push(action, ...looks)
    values.push(...looks.flatMap(ours))
  }
  return { accesses, values }
}

describe.skipIf(missingGicTools().length > 0)("a GICv2's CPU interface", () => {
  it.each([1, 2, 3])('answers as the one of QEMU, step by step (seed %i)', (seed) => {
    const { accesses, values } = randomWalk(seed, 500)
    const steps = accesses.filter((access) => access.do !== 'write')
    const told = (all: readonly number[]) =>
      all.map((value, i) => `${i} ${JSON.stringify(steps[i])} 0x${value.toString(16)}`)
    expect(told(values)).toEqual(told(runOnQemu(accesses, 2)))
  })
})
