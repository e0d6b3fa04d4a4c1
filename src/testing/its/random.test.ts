/** Random lives of an ITS beside a model of it: the same LPIs, the same answers, the same interrupts. */
import { describe, expect, it } from 'vitest'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { VGIC_CTRL, VGIC_GROUP } from '../../pure/uapi/vgic-attr.ts'
import { ItsModel } from './its-model.ts'
import type { ModelLpi } from './its-model.ts'
import { AT, table, TestIts } from './test-its.ts'

const STEPS = 2500
const IDS = [3, 1, 0, 2] as const
/** Few of each, so that they meet; some that are nowhere. */
const DEVICES = [0, 0, 0, 0, 1, 1, 8191, 8192, 0xffff_ffff] as const
const EVENTS = [0, 0, 0, 1, 1, 2, 31, 32, 0xffff, 0xffff_ffff] as const
const LPIS = [8192, 8193, 8194, 8200, 9000, 65535] as const
const INTIDS = [...LPIS, ...LPIS, 0, 33, 8191, 65536] as const
const COLLECTIONS = [0, 0, 1, 1, 2, 3, 8191, 8192, 0xffff] as const
const RDBASES = [0, 1, 2, 3, 4, 0xffff_ffff] as const
const ITTS = [AT.itt, AT.itt, AT.itt + 0x1000, AT.itt + 0x2000, 0x407f_ff00, 0x1_0000_0000, 0xf_ffff_ffff_ff00] as const
const PRIORITIES = [0, 0x20, 0x24, 0x80, 0xf0] as const
const inRam = (address: number): boolean => address >= 0x4000_0000 && address < 0x4080_0000

/** xorshift32. */
const randomBy = (seed: number): (<T>(from: readonly T[]) => T) => {
  let x = seed
  return (from) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    const chosen = from[(x >>> 0) % from.length]
    if (chosen === undefined) throw new Error('there is nothing to choose from')
    return chosen
  }
}

type Base = '6.1' | '6.8' | '6.12'

/** The first difference between the ITS and its model, with what came before it; `undefined`: there is none. */
const live = (base: Base, seed: number): string | undefined => {
  const pick = randomBy(seed)
  const t = new TestIts({ base, ids: IDS, setUp: 'lpis' })
  t.setUpIts({ devices: table(AT.devices), collections: table(AT.collections) })
  const configured = new Map<number, number>()
  const configure = (intid: number, priority: number, enabled: boolean): void => {
    configured.set(intid, priority | Number(enabled))
    t.configure(intid, priority, enabled)
  }
  for (const intid of LPIS) configure(intid, 0x80, true)
  const bits = new Set<string>()
  const model = new ItsModel({
    base,
    ids: IDS,
    inRam,
    configuration: (intid) => configured.get(intid) ?? 0,
    tableBit: (cpu, intid) => Number(bits.has(`${cpu} ${intid}`)),
    clearTableBit: (cpu, intid) => bits.delete(`${cpu} ${intid}`),
    deviceSlots: 8192,
    collectionSlots: 8192,
    limit: 65536,
  })
  const happened: string[] = []

  const anyEvent = () => ({ DeviceID: pick(DEVICES), EventID: pick(EVENTS) })
  const steps: readonly (readonly [name: string, step: () => readonly [ours: string, models: string] | void])[] = [
    [
      'MAPD',
      () => {
        const [DeviceID, Size, ITT_addr, V] = [
          pick(DEVICES),
          pick([1, 2, 5, 16, 17, 32]),
          pick(ITTS),
          pick([0, 1, 1, 1]),
        ]
        model.mapd(DeviceID, Size, ITT_addr, V === 1)
        t.command('MAPD', { DeviceID, Size, ITT_addr, V })
      },
    ],
    [
      'MAPC',
      () => {
        const [ICID, RDbase, V] = [pick(COLLECTIONS), pick(RDBASES), pick([0, 1, 1, 1])]
        model.mapc(ICID, RDbase, V === 1)
        t.command('MAPC', { ICID, RDbase, V })
      },
    ],
    [
      'MAPTI',
      () => {
        const [{ DeviceID, EventID }, pINTID, ICID] = [anyEvent(), pick(INTIDS), pick(COLLECTIONS)]
        model.mapti(DeviceID, EventID, pINTID, ICID)
        t.command('MAPTI', { DeviceID, EventID, pINTID, ICID })
      },
    ],
    [
      'MAPI',
      () => {
        const [DeviceID, EventID, ICID] = [pick(DEVICES), pick([...LPIS, 5]), pick(COLLECTIONS)]
        model.mapti(DeviceID, EventID, EventID, ICID)
        t.command('MAPI', { DeviceID, EventID, ICID })
      },
    ],
    [
      'MOVI',
      () => {
        const [{ DeviceID, EventID }, ICID] = [anyEvent(), pick(COLLECTIONS)]
        model.movi(DeviceID, EventID, ICID)
        t.command('MOVI', { DeviceID, EventID, ICID })
      },
    ],
    [
      'MOVALL',
      () => {
        const [RDbase, RDbase2] = [pick(RDBASES), pick(RDBASES)]
        model.movall(RDbase, RDbase2)
        t.command('MOVALL', { RDbase, RDbase2 })
      },
    ],
    [
      'DISCARD',
      () => {
        const at = anyEvent()
        model.discard(at.DeviceID, at.EventID)
        t.command('DISCARD', at)
      },
    ],
    [
      'CLEAR',
      () => {
        const at = anyEvent()
        model.clear(at.DeviceID, at.EventID)
        t.command('CLEAR', at)
      },
    ],
    [
      'INV',
      () => {
        const at = anyEvent()
        model.inv(at.DeviceID, at.EventID)
        t.command('INV', at)
      },
    ],
    [
      'INVALL',
      () => {
        const ICID = pick(COLLECTIONS)
        model.invall(ICID)
        t.command('INVALL', { ICID })
      },
    ],
    [
      'INT',
      () => {
        const at = anyEvent()
        model.happen(at.DeviceID, at.EventID)
        t.command('INT', at)
      },
    ],
    ['rubbish', () => t.raw([BigInt(pick([0, 2, 0x29, 0xff])), -1n & 0xffff_ffff_ffff_ffffn, 0n, 0n])],
    [
      'message',
      () => {
        const { DeviceID, EventID } = anyEvent()
        return [t.msi(DeviceID, EventID), model.happen(DeviceID, EventID)] as const
      },
    ],
    [
      'configuration',
      () => {
        const [intid, priority, enabled] = [pick(LPIS), pick(PRIORITIES), pick([true, true, false])]
        configure(intid, priority, enabled)
      },
    ],
    [
      'pending table',
      () => {
        const [cpu, intid] = [pick([0, 1, 2, 3]), pick(LPIS)]
        bits.add(`${cpu} ${intid}`)
        t.setTableBit(cpu, intid)
      },
    ],
    [
      'GICR_CTLR',
      () => {
        const [cpu, enabled] = [pick([0, 1, 2, 3]), pick([true, true, false])]
        model.enableLpis(cpu, enabled)
        t.setRedist(cpu, 0, BigInt(enabled))
      },
    ],
    [
      'GICR_INVALLR',
      () => {
        const cpu = pick([0, 1, 2, 3])
        if (model.lpisEnabled[cpu] === true) model.invallr(cpu)
        t.setRedist(cpu, 0xb0, 0n)
      },
    ],
    [
      'saving',
      () => {
        t.must(t.setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.SAVE_PENDING_TABLES, 0n))
        for (const [intid, { cpu, pending }] of model.lpis) {
          if (pending && cpu !== undefined) bits.add(`${cpu} ${intid}`)
          else bits.delete(`${cpu} ${intid}`)
        }
        t.save()
      },
    ],
  ]

  const different = (what: string, ours: unknown, models: unknown): string | undefined => {
    const [a, b] = [ours, models].map((value) => JSON.stringify(value))
    return a === b ? undefined : `${what} is ${a}, the model's ${b}, after ${happened.slice(-6).join(', ')}`
  }

  for (let step = 0; step < STEPS; step++) {
    const [name, run] = pick(steps)
    happened.push(`${step} ${name}`)
    const answers = run()
    // The model has no lists to prune.
    t.exit()
    let found = answers && different('the answer', answers[0], answers[1])
    for (const intid of LPIS) {
      const lpi = model.lpis.get(intid)
      found ??= different(`LPI ${intid}`, ourLpi(t, intid), lpi && lpiFields(lpi))
      const models = IDS.map((_, cpu) => Number(bits.has(`${cpu} ${intid}`)))
      found ??= different(
        `the pending bits of LPI ${intid}`,
        IDS.map((_, cpu) => t.tableBit(cpu, intid)),
        models,
      )
    }
    if (step % 7 === 0) found ??= different('what is taken', takenBy(t), model.take())
    if (found !== undefined) return found
  }
  return undefined
}

const lpiFields = ({ enabled, priority, pending, cpu, queued }: ModelLpi) => ({
  enabled,
  priority,
  pending,
  cpu,
  queued,
})

const ourLpi = (t: TestIts, intid: number) => {
  const irq = t.kvm.vgic?.irq(0, intid)
  if (irq === undefined) return undefined
  const { enabled, priority, latch, target, queuedOn } = irq
  if (queuedOn >= 0 && queuedOn !== target) return `queued on ${queuedOn}, where it does not belong`
  return { enabled, priority, pending: latch, cpu: target < 0 ? undefined : target, queued: queuedOn >= 0 }
}

/** Of one priority in any order, as the model has them in that of their INTIDs; -1: not in the order of priority. */
const takenBy = (t: TestIts): number[][] =>
  t.machine.cpus.map(({ index }) => {
    const taken: { intid: number; priority: number }[] = []
    for (;;) {
      const intid = Number(t.machine.mrs(index, ICC.ICC_IAR1_EL1))
      if (intid === 1023) break
      taken.push({ intid, priority: Number(t.machine.mrs(index, ICC.ICC_RPR_EL1)) })
      t.machine.msr(index, ICC.ICC_EOIR1_EL1, BigInt(intid))
    }
    expect(taken.map(({ priority }) => priority)).toEqual(
      taken.map(({ priority }) => priority).toSorted((a, b) => a - b),
    )
    return taken.toSorted((a, b) => a.priority - b.priority || a.intid - b.intid).map(({ intid }) => intid)
  })

describe('an ITS lives as its model does', () => {
  it.each([
    ['6.1', 1],
    ['6.1', 0x5eed],
    ['6.8', 2],
    ['6.12', 3],
    ['6.12', 0xbeef],
    ['6.12', 0x7777_7777],
  ] as const)('on the base %s with seed %d', (base, seed) => {
    expect(live(base, seed)).toBeUndefined()
  })
})
