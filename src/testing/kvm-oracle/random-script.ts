/**
 * Writes a script of random steps: `npx tsx src/testing/kvm-oracle/random-script.ts gicv3 SEED STEPS`. What a guest and a
 * VMM may do with interrupts of a GICv3 or GICv2 (`gicv3`, `gicv2`), with an ITS (`its`), or with a GIC that is being
 * made (`device`). The
 * guest ends what it acknowledged last, which our own machine knows; what it does otherwise is hardware's affair and not
 * KVM's.
 */
import type { Env } from '../kvm-cases/kvm-case.ts'
import { seeded } from '../seeded.ts'
import { Performer } from './performer.ts'
import { STOCK, STOCK_V2 } from './stock.ts'

type Below = (n: number) => number

const hex = (value: number | bigint): string => `0x${value.toString(16)}`
const pickFrom = (below: Below) => {
  return <T>(...all: readonly [T, ...T[]]): T => all[below(all.length)] ?? all[0]
}

const SPIS = [32, 33, 34, 35, 36, 37] as const
const SGIS = [0, 1, 2] as const
const PPIS = [17, 20] as const
const ISENABLER = 0x100
const ISPENDR = 0x200
/** And ICENABLER, ICPENDR, ISACTIVER, ICACTIVER. */
const BANKS = [ISENABLER, 0x180, ISPENDR, 0x280, 0x300, 0x380] as const
const CPUS = 4

interface Acknowledged {
  readonly intid: number
  readonly text: string
}

/** A step and the interrupt it touches, or several. */
type Move = readonly [step: string, touched?: number] | (() => number | undefined)

/** A script that knows what its guest has acknowledged. */
class Walk {
  readonly steps: string[] = []
  private readonly machine: Performer
  /** By CPU, last one last. */
  readonly active: Acknowledged[][] = Array.from({ length: CPUS }, () => [])
  /** Priority drop and deactivation are two things. */
  readonly split: boolean[] = Array.from({ length: CPUS }, () => false)

  constructor(env: Env) {
    this.machine = new Performer(env)
  }

  do(step: string): string {
    this.steps.push(step)
    return this.machine.perform(step)
  }

  /** The interrupt that was touched. */
  play(move: Move | undefined): number | undefined {
    if (typeof move === 'function') return move()
    const [step, touched] = move ?? ['settle']
    this.do(step)
    return touched
  }
}

/** What both models have: enables, latches, lines, configuration. */
const bankStep = (walk: Walk, below: Below, frame: (cpu: number, intid: number) => string, user: string): number => {
  const pick = pickFrom(below)
  const cpu = below(CPUS)
  const intid = pick(...SPIS, ...SPIS, ...SGIS, ...PPIS)
  const bank = pick(...BANKS, ISENABLER, ISPENDR, ISPENDR) + (intid < 32 ? 0 : 4)
  const bits = hex((1 << (intid % 32)) >>> 0)
  if (below(4) === 0) walk.do(userWrite(user, cpu, intid, bank, bits))
  else walk.do(`w32 ${cpu} ${frame(cpu, intid)}+${hex(bank)} ${bits}`)
  return intid
}

const userWrite = (user: string, cpu: number, intid: number, offset: number, bits: string): string => {
  if (user === 'dist2') return `dist2= ${cpu} ${hex(offset)} ${bits}`
  return intid < 32 ? `rd= ${cpu} ${hex(0x10000 + offset)} ${bits}` : `dist= ${hex(offset)} ${bits}`
}

const lineStep = (walk: Walk, below: Below): number => {
  const pick = pickFrom(below)
  const cpu = below(CPUS)
  const intid = pick(...SPIS, ...SPIS, ...PPIS)
  walk.do(intid < 32 ? `line 2 ${cpu} ${intid} ${below(2)}` : `line 1 0 ${intid} ${below(2)}`)
  return intid
}

const V3_AFFINITIES = [0, 1, 2, 3, 0x100, 0x1_0000_0001] as const

const v3Step = (walk: Walk, below: Below): number | undefined => {
  const pick = pickFrom(below)
  const cpu = below(CPUS)
  const frame = (of: number, intid: number): string => (intid < 32 ? `SGI${of}` : 'GICD')
  const spi = pick(...SPIS)
  const active = walk.active[cpu] ?? []
  const route = 0x6000 + 8 * spi
  const moves: readonly Move[] = [
    ...Array.from({ length: 8 }, () => () => bankStep(walk, below, frame, 'dist')),
    ...Array.from({ length: 3 }, () => () => lineStep(walk, below)),
    [`w8 ${cpu} GICD+${hex(0x400 + spi)} ${hex(8 * below(32))}`, spi],
    [`w8 ${cpu} SGI${cpu}+${hex(0x400 + pick(...SGIS, ...PPIS))} ${hex(below(256))}`],
    [`w32 ${cpu} GICD+0xc08 ${hex(BigInt(below(0x10000)) * 0x10001n)}`, spi],
    [`w32 ${cpu} GICD+0x84 ${pick('0xffffffff', '0xffffffff', hex(below(0x10000) + 0xffff0000))}`, spi],
    [`w32 ${cpu} SGI${cpu}+0x80 ${pick('0xffffffff', hex(below(0x10000) + 0xffff0000))}`],
    [`w64 ${cpu} GICD+${hex(route)} ${hex(pick(...V3_AFFINITIES))}`, spi],
    [`w32 ${cpu} GICD+${hex(route + pick(0, 0, 4))} ${hex(pick(0, 1, 2, 3))}`, spi],
    [`dist= ${hex(route + pick(0, 0, 4))} ${hex(pick(0, 1, 2, 3, 0x100))}`, spi],
    [`level= ${cpu} ${pick(0, 32, 32)} ${hex(below(0x40) * pick(1, 0x10000))}`, spi],
    [`level ${cpu} ${pick(0, 32)}`],
    () => {
      const list = below(16)
      const value = (pick(0n, 0n, 0n, 1n) << 40n) | (BigInt(pick(...SGIS)) << 24n) | (pick(0n, 0n, 1n) << 16n)
      walk.do(`msr ${cpu} ICC_${pick('SGI1R', 'SGI1R', 'SGI1R', 'ASGI1R', 'SGI0R')}_EL1 ${hex(value | BigInt(list))}`)
      return pick(...SGIS)
    },
    ...Array.from({ length: 6 }, () => () => {
      const group = pick(1, 1, 1, 0)
      const got = Number.parseInt(walk.do(`mrs ${cpu} ICC_IAR${group}_EL1`), 16)
      if (got >= 1020) return undefined
      active.push({ intid: got, text: `ICC_EOIR${group}_EL1` })
      return got
    }),
    ...Array.from({ length: 6 }, () => () => {
      const last = active.pop()
      if (last === undefined) return undefined
      walk.do(`msr ${cpu} ${last.text} ${last.intid}`)
      if (walk.split[cpu] === true && below(4) !== 0) walk.do(`msr ${cpu} ICC_DIR_EL1 ${last.intid}`)
      return last.intid
    }),
    [`msr ${cpu} ICC_PMR_EL1 ${hex(pick(0xff, 0xff, 0xff, 8 * below(32)))}`],
    [`msr ${cpu} ICC_IGRPEN${pick(0, 1, 1)}_EL1 ${pick(1, 1, 0)}`],
    () => {
      if (active.length > 0) return undefined
      walk.do(`msr ${cpu} ICC_BPR${pick(0, 1)}_EL1 ${below(8)}`)
      return undefined
    },
    () => {
      if (active.length > 0) return undefined
      const mode = below(4)
      walk.split[cpu] = mode >= 2
      walk.do(`msr ${cpu} ICC_CTLR_EL1 ${mode}`)
      return undefined
    },
    [pick(`w32 ${cpu} GICD ${pick(2, 2, 2, 0)}`, `dist= 0x0 ${pick(2, 2, 0)}`), spi],
    [`mpidr ${cpu} ${hex(0x8000_0000 + pick(0, 1, 2, 3, 0x100))}`],
    [`mrs ${cpu} ICC_${pick('HPPIR1', 'HPPIR0', 'RPR', 'CTLR', 'BPR1', 'AP1R0', 'AP0R0')}_EL1`],
    [`sys ${cpu} ICC_${pick('CTLR', 'BPR0', 'BPR1', 'PMR', 'AP1R0', 'IGRPEN1')}_EL1`],
    [`r32 ${cpu} GICD+${hex(pick(...BANKS) + 4)}`],
    [`r32 ${cpu} SGI${below(CPUS)}+${hex(pick(...BANKS))}`],
    [`dist ${hex(pick(...BANKS) + 4)}`],
    [`r64 ${cpu} RD${below(CPUS)}+0x8`],
    ['settle', spi],
  ]
  return walk.play(moves[below(moves.length)])
}

const v2Step = (walk: Walk, below: Below): number | undefined => {
  const pick = pickFrom(below)
  const cpu = below(CPUS)
  const spi = pick(...SPIS)
  const active = walk.active[cpu] ?? []
  const moves: readonly Move[] = [
    ...Array.from({ length: 8 }, () => () => bankStep(walk, below, () => 'GICD', 'dist2')),
    ...Array.from({ length: 3 }, () => () => lineStep(walk, below)),
    [`w8 ${cpu} GICD+${hex(0x400 + pick(...SPIS, ...SGIS, ...PPIS))} ${hex(8 * below(32))}`, spi],
    [`w32 ${cpu} GICD+0xc08 ${hex(BigInt(below(0x10000)) * 0x10001n)}`, spi],
    [`w8 ${cpu} GICD+${hex(0x800 + spi)} ${hex(below(16))}`, spi],
    [`dist2= 0 ${hex(0x820)} ${hex(below(0x100000) * 0x101)}`, spi],
    () => {
      const value = (pick(0, 0, 0, 1, 2, 3) << 24) | (below(16) << 16) | pick(...SGIS)
      walk.do(`w32 ${cpu} GICD+0xf00 ${hex(value)}`)
      return value & 3
    },
    [`w8 ${cpu} GICD+${hex(pick(0xf10, 0xf20) + pick(...SGIS))} ${hex(below(16))}`, pick(...SGIS)],
    ...Array.from({ length: 6 }, () => () => {
      const got = Number.parseInt(walk.do(`r32 ${cpu} GICC+0xc`), 16)
      if ((got & 0x3ff) >= 1020) return undefined
      active.push({ intid: got & 0x3ff, text: hex(got) })
      return got & 0x3ff
    }),
    ...Array.from({ length: 6 }, () => () => {
      const last = active.pop()
      if (last === undefined) return undefined
      walk.do(`w32 ${cpu} GICC+0x10 ${last.text}`)
      if (walk.split[cpu] === true && below(4) !== 0) walk.do(`w32 ${cpu} GICC+0x1000 ${last.text}`)
      return last.intid
    }),
    [`w32 ${cpu} GICC+0x4 ${hex(pick(0xff, 0xff, 0xff, 8 * below(32)))}`],
    () => {
      if (active.length > 0) return undefined
      walk.split[cpu] = below(2) === 1
      walk.do(`w32 ${cpu} GICC+0x0 ${hex(pick(1, 1, 0) + (walk.split[cpu] === true ? 0x200 : 0))}`)
      return undefined
    },
    () => {
      if (active.length === 0) walk.do(`w32 ${cpu} GICC+0x8 ${below(8)}`)
      return undefined
    },
    [pick(`w32 ${cpu} GICD ${pick(1, 1, 1, 0)}`, `dist2= 0 0x0 ${pick(1, 1, 0)}`), spi],
    [`cpu2 ${cpu} ${hex(pick(0, 4, 8, 0x1c, 0xd0))}`],
    [`r32 ${cpu} GICC+${hex(pick(0, 4, 8, 0x14))}`],
    [`r32 ${cpu} GICD+${hex(pick(...BANKS) + pick(0, 4))}`],
    [`dist2 ${cpu} ${hex(pick(...BANKS) + pick(0, 4))}`],
    [`r32 ${cpu} GICD+${hex(pick(0xf10, 0xf20, 0x800, 0x820))}`],
    ['settle', spi],
  ]
  return walk.play(moves[below(moves.length)])
}

/** A VM in the making: what is refused, and what there is at last. */
const deviceWalk = (walk: Walk, below: Below): void => {
  const pick = pickFrom(below)
  const base = (): bigint => {
    const at = pick(0x8000000, 0x8010000, 0x80a0000, 0x80c0000, 0x80e0000, 0x8100000, 0x8120000, 0x8140000, 0x7fe0000)
    const odd = pick(2n ** 44n - 0x20000n, 2n ** 40n - 0x20000n, BigInt(at + 0x1000))
    return pick(BigInt(at), odd, BigInt(at))
  }
  const region = (): bigint =>
    (BigInt(pick(1, 1, 2, 2, 3, 4, 0)) << 52n) | base() | BigInt(pick(0, 0, 1, 1, 2, 3, 0x100, 0x1000))
  let regions = 0
  const moves = (): readonly Move[] => [
    [`vcpu ${below(6)}`],
    [`device ${pick(7, 7, 7, 5, 8, 3)}`],
    [`set 0 2 ${hex(base())}`],
    [`set 0 3 ${hex(base())}`],
    ...Array.from({ length: 4 }, () => () => {
      // Mostly the index that is next.
      const value = below(3) === 0 ? region() : (region() & ~0xfffn) | BigInt(regions)
      if (walk.do(`set 0 5 ${hex(value)}`) === '0') regions++
      return undefined
    }),
    [`get 0 ${pick(2, 3, 5)} ${hex(below(4))}`],
    [`set 3 0 ${pick(64, 96, 256, 992, 1024, 33, 32)}`],
    ['get 3 0'],
    [`set 4 ${pick(0, 0, 0, 1, 3)} 0`],
    [`get 5 ${hex((BigInt(below(6)) << 32n) | 8n)}`],
    [`has ${pick(1, 5, 6, 7)} ${hex(pick(0, 4, 8, 0x104, 0x200, 0x10100, 0xc664, 0x20, 0x21, 0x420, 0x6100, 3))}`],
    [`dist ${hex(pick(0, 4, 8, 0x104, 0x110))}`],
    [`level 0 ${pick(0, 32, 33, 992)}`],
    [`line ${pick(1, 1, 2, 0)} ${below(3)} ${pick(16, 27, 31, 32, 95, 255, 256)} ${below(2)}`],
    [`mpidr 0 ${hex(0x8000_0000 + below(5))}`],
  ]
  walk.do(`bare ${pick('0', '0 1', '0 1 2', '3 0', '2 1 0')}`)
  for (let i = 0; i < 18; i++) {
    const all = moves()
    walk.play(all[below(all.length)])
  }
  if (below(2) === 0) walk.do('set 4 0 0')
  walk.do('run 0')
  walk.do('run 0')
  for (let frame = 0; frame < 4; frame++)
    walk.do(`r64 0 ${hex(pick(0x80a0008, 0x80c0008, 0x80e0008, 0x8100008, 0x8120008))}`)
  walk.do('r32 0 GICD+0x8')
}

const ALL_SPIS = SPIS.join(' ')
/** An interrupt walk: how many steps one VM lives. */
const LIFE = 150

const interruptWalk = (walk: Walk, below: Below, gic: 2 | 3): void => {
  walk.do(gic === 3 ? 'vm 0 1 2 3' : 'vm2 0 1 2 3')
  if (gic === 3) walk.do('open')
  else {
    walk.do('w32 0 GICD 1')
    for (let cpu = 0; cpu < CPUS; cpu++) {
      walk.do(`w32 ${cpu} GICC+0x4 0xff`)
      walk.do(`w32 ${cpu} GICC+0x0 0x1`)
    }
  }
  walk.do('w32 0 GICD+0x104 0x3f')
  for (const list of walk.active) list.length = 0
  walk.split.fill(false)
  for (let i = 0; i < LIFE; i++) {
    const touched = gic === 3 ? v3Step(walk, below) : v2Step(walk, below)
    if (touched !== undefined) walk.do(`irqs ${below(CPUS)} ${touched}`)
    if (i % 15 === 14) walk.do(`irqs ${below(CPUS)} 0 1 2 17 20 ${ALL_SPIS}`)
  }
}

/** Offsets in RAM of an ITS's tables: configuration and pending LPIs, devices, collections, the ring, events. */
const TABLES = {
  config: 0x5_0000,
  pending: 0x6_0000,
  devices: 0x3_0000,
  collections: 0x4_0000,
  ring: 0x2_0000,
  itt: 0x10_0000,
}
const GUEST_RAM = 0x4000_0000
const FIRST_LPI = 8192
const VALID = 1n << 63n

const itsStep = (walk: Walk, below: Below): void => {
  const pick = pickFrom(below)
  const cpu = below(CPUS)
  const device = BigInt(pick(0, 0, 1, 7))
  const event = BigInt(pick(0, 0, 1, 2, 3, 31, 32))
  const lpi = pick(8192, 8193, 8193, 8194, 8200, 65535, 8191, 40)
  const icid = BigInt(pick(0, 0, 1, 2, 9))
  const target = BigInt(pick(0, 1, 2, 3, 3, 4))
  const valid = below(4) === 0 ? 0n : VALID
  const itt = BigInt(GUEST_RAM + TABLES.itt) + (device << 12n)
  const command = (code: number, word1: bigint, word2 = 0n, word3 = 0n): Move => [
    `cmd ${hex(BigInt(code) | (device << 32n))} ${hex(word1)} ${hex(word2)} ${hex(word3)}`,
  ]
  const moves: readonly Move[] = [
    command(0x08, BigInt(pick(4, 4, 0, 15)), itt | valid),
    command(0x09, 0n, icid | (target << 16n) | valid),
    command(0x09, 0n, icid | (target << 16n) | valid),
    ...Array.from({ length: 3 }, () => command(0x0a, event | (BigInt(lpi) << 32n), icid)),
    command(0x0b, BigInt(lpi), icid),
    command(0x01, event, icid),
    command(0x0e, 0n, target << 16n, BigInt(below(CPUS)) << 16n),
    command(0x0f, event),
    command(0x0c, event),
    command(0x0d, 0n, icid),
    ...Array.from({ length: 3 }, () => command(0x03, event)),
    command(0x04, event),
    command(pick(0x05, 0x00, 0x2a), event),
    ...Array.from({ length: 4 }, (): Move => [`msi ${device} ${event}`]),
    [`byte= RAM+${hex(TABLES.config + Math.max(lpi, FIRST_LPI) - FIRST_LPI)} ${hex(4 * below(64) + below(4))}`],
    ...Array.from({ length: 4 }, (): Move => [`ack ${cpu}`]),
    [`rd= ${cpu} 0x0 ${pick(1, 1, 0)}`],
    [`w32 ${cpu} RD${cpu}+0xa0 ${hex(lpi)}`],
    [`w32 ${cpu} RD${cpu}+0xb0 0x0`],
    [`msr ${cpu} ICC_PMR_EL1 ${hex(pick(0xff, 0xff, 8 * below(32)))}`],
    [`mrs ${cpu} ICC_HPPIR1_EL1`],
    [`w32 0 GICD ${pick(2, 2, 2, 0)}`],
    ['pending'],
    [`byte RAM+${hex(TABLES.pending + cpu * 0x1_0000 + (FIRST_LPI >> 3) + below(2))}`],
    [`byte= RAM+${hex(TABLES.pending + cpu * 0x1_0000 + (FIRST_LPI >> 3) + below(2))} ${hex(below(256))}`],
    [`its-set 4 ${pick(1, 1, 2, 2, 4)} 0`],
    [`its-set 8 0x0 ${pick(1, 1, 1, 0)}`],
    [`its-get 8 ${hex(pick(0, 0x80, 0x88, 0x90, 0x100, 0x108))}`],
    [`mem RAM+${hex(pick(TABLES.devices, TABLES.collections, TABLES.itt) + 8 * below(3))}`],
    () => {
      if (below(6) === 0) walk.do(`its-set 8 0x100 ${hex(valid | BigInt(GUEST_RAM + TABLES.devices))}`)
      return undefined
    },
  ]
  walk.play(moves[below(moves.length)])
}

const itsWalk = (walk: Walk, below: Below): void => {
  for (const step of ['vm 0 1 2 3', 'open', 'device 8', 'place 0x8080000', 'its-set 4 0 0']) walk.do(step)
  for (let i = 0; i < 10; i++) walk.do(`byte= RAM+${hex(TABLES.config + i)} 0xa1`)
  for (let cpu = 0; cpu < CPUS; cpu++) {
    walk.do(`rd= ${cpu} 0x70 ${hex(GUEST_RAM + TABLES.config + 15)}`)
    walk.do(`rd= ${cpu} 0x78 ${hex(GUEST_RAM + TABLES.pending + cpu * 0x1_0000)}`)
    walk.do(`rd= ${cpu} 0x0 1`)
  }
  walk.do(`its-set 8 0x100 ${hex(VALID | BigInt(GUEST_RAM + TABLES.devices))}`)
  walk.do(`its-set 8 0x108 ${hex(VALID | BigInt(GUEST_RAM + TABLES.collections))}`)
  walk.do(`its-set 8 0x80 ${hex(VALID | BigInt(GUEST_RAM + TABLES.ring))}`)
  walk.do('its-set 8 0x0 1')
  for (let i = 0; i < LIFE; i++) {
    itsStep(walk, below)
    if (i % 3 === 2) walk.do('lpis')
  }
}

const [kind = 'gicv3', seed = '1', steps = '1000'] = process.argv.slice(2)
const host = kind === 'gicv2' ? STOCK_V2 : STOCK
const walk = new Walk({ ruleSet: 'mainline', base: '6.12', host })
const below = seeded(Number(seed))
while (walk.steps.length < Number(steps)) {
  if (kind === 'device') deviceWalk(walk, below)
  else if (kind === 'its') itsWalk(walk, below)
  else interruptWalk(walk, below, kind === 'gicv2' ? 2 : 3)
}
process.stdout.write(`${walk.steps.join('\n')}\n`)
