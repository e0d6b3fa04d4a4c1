import { describe, expect, it } from 'vitest'
import type { IccName } from '../../pure/arch/sysregs/gic-cpu.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { missingGicTools, runOnQemu } from '../../testing/oracle/gic.ts'
import type { GicAccess } from '../../testing/oracle/gic.ts'
import { seeded } from '../../testing/seeded.ts'
import { TestVgic } from '../../testing/test-vgic.ts'

/** Does one access to a GIC of ours; a read gives its value. */
const runner = (): ((access: GicAccess) => number[]) => {
  // QEMU's interface is hardware's: it has no list registers that could be too few.
  const t = new TestVgic({ ids: [0], host: { ...HOST_PRESETS.H1, listRegs: 16 } })
  return (access) => {
    switch (access.do) {
      case 'read':
        return [Number(t.dist(access.offset))]
      case 'write':
        t.setDist(access.offset, access.value)
        return []
      case 'mrs':
        return [Number(t.mrs(0, access.register))]
      case 'msr':
        t.msr(0, access.register, access.value)
        return []
      case 'isr':
        return [Number(t.irq[0])]
    }
  }
}

/** SPIs 40 to 47, edges, each with a priority of its own: which of two equals comes first is nobody's promise. */
const FIRST = 40
const COUNT = 8
const bit = (intid: number): number => 1 << (intid % 32)
const setUp: readonly GicAccess[] = [
  { do: 'write', offset: 0, value: 0x10 },
  { do: 'write', offset: 0, value: 0x12 },
  { do: 'write', offset: 0x84, value: 0xffff_ffff },
  { do: 'write', offset: 0xc08, value: 0xaaaa_aaaa },
  { do: 'write', offset: 0x400 + FIRST, value: 0x5060_7080 },
  { do: 'write', offset: 0x404 + FIRST, value: 0x5868_b8c8 },
  { do: 'write', offset: 0x104, value: 0xff00 },
  { do: 'msr', register: 'ICC_PMR_EL1', value: 0xf8 },
  { do: 'msr', register: 'ICC_IGRPEN1_EL1', value: 1 },
]

const look: readonly GicAccess[] = [
  { do: 'isr' },
  { do: 'mrs', register: 'ICC_RPR_EL1' },
  { do: 'mrs', register: 'ICC_AP1R0_EL1' },
  { do: 'mrs', register: 'ICC_HPPIR1_EL1' },
  { do: 'read', offset: 0x204 },
  { do: 'read', offset: 0x304 },
]

const mrs = (register: IccName): GicAccess => ({ do: 'mrs', register })
const msr = (register: IccName, value: number): GicAccess => ({ do: 'msr', register, value })

/**
 * A guest that keeps to the rules: it ends what it acknowledged last, and changes the binary point while nothing is
 * active. (What an interface does for a guest that does not is its own affair.)
 */
const randomWalk = (seed: number, steps: number): { accesses: GicAccess[]; values: number[] } => {
  const below = seeded(seed)
  const ours = runner()
  const acknowledged: number[] = []
  const intid = () => FIRST + below(COUNT)
  const strobe = (offset: number): GicAccess => ({ do: 'write', offset, value: bit(intid()) })
  const actions: readonly (() => GicAccess)[] = [
    () => strobe(0x204),
    () => strobe(0x204),
    () => strobe(0x284),
    () => strobe(0x104),
    () => strobe(0x104),
    () => strobe(0x184),
    () => strobe(0x384),
    () => mrs('ICC_IAR1_EL1'),
    () => mrs('ICC_IAR1_EL1'),
    () => mrs('ICC_IAR1_EL1'),
    () => msr('ICC_EOIR1_EL1', acknowledged.pop() ?? 1023),
    () => msr('ICC_EOIR1_EL1', acknowledged.pop() ?? 1023),
    () => msr('ICC_DIR_EL1', intid()),
    () => msr('ICC_PMR_EL1', below(3) === 0 ? below(0x100) : 0xf8),
    () => (acknowledged.length === 0 ? msr('ICC_BPR1_EL1', below(7)) : mrs('ICC_BPR1_EL1')),
    () => mrs('ICC_PMR_EL1'),
    () => msr('ICC_CTLR_EL1', below(2) * 2),
  ]
  const accesses = [...setUp]
  const values = setUp.flatMap(ours)
  for (let i = 0; i < steps; i++) {
    const action = actions[below(actions.length)]?.() ?? { do: 'isr' }
    const [value] = ours(action)
    if (value !== undefined) values.push(value)
    if (action.do === 'mrs' && action.register === 'ICC_IAR1_EL1' && value !== undefined && value !== 1023) {
      acknowledged.push(value)
    }
    accesses.push(action, ...look)
    values.push(...look.flatMap(ours))
  }
  return { accesses, values }
}

describe.skipIf(missingGicTools().length > 0)('the CPU interface', () => {
  it('answers as the one of QEMU, step by step', { timeout: 120_000 }, () => {
    for (const seed of [1, 2, 3, 4]) {
      const { accesses, values } = randomWalk(seed, 600)
      const reads = accesses.filter((access) => access.do !== 'write' && access.do !== 'msr')
      const told = (all: readonly number[]) =>
        all.map((value, i) => `${i} ${JSON.stringify(reads[i])} 0x${value.toString(16)}`)
      expect(told(values)).toEqual(told(runOnQemu(accesses)))
    }
  })
})
