/** What a VMM and its guest may do next: one step of a fuzz, as data, and how it is done. */
import { attributeAffinity } from '../../pure/arch/affinity.ts'
import { PSCI, SMC64 } from '../../pure/arch/psci.ts'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { IRQ_TYPE } from '../../pure/uapi/irq-line.ts'
import { gv, hex, psci } from '../kvm-cases/answers.ts'
import { CaseVm } from '../kvm-cases/case-vm.ts'
import type { Env } from '../kvm-cases/kvm-case.ts'
import { A, AT, G, GICD, GICR, IR, IROUTER, RAM, RD, SGI } from '../kvm-cases/places.ts'

/** vCPU ids in the order of their creation. */
export const IDS = [0, 3, 1] as const
export const CPUS = IDS.length
/** The SGIs, PPIs and SPIs that take part. */
export const SGIS = [0, 1, 2, 3] as const
const PPIS = [17, 20] as const
export const PRIVATES = [...SGIS, ...PPIS] as const
export const SPIS = [32, 33, 34, 35, 36, 37] as const
export const NR_IRQS = 64

/** Affinities that vCPUs and routes take, packed. */
const AFFINITIES = [0, 1, 2, 3, 0x0100_0001, 0x0100_0002, 0x0001_0203, 0x0200_0000] as const

export type Bank = 'ISENABLER' | 'ICENABLER' | 'ISPENDR' | 'ICPENDR' | 'ISACTIVER' | 'ICACTIVER'
export type WideBank = 'IGROUPR' | 'IPRIORITYR' | 'ICFGR'

export type Operation =
  | { readonly do: 'set MPIDR'; readonly cpu: number; readonly affinity: number; readonly odd: boolean }
  | { readonly do: 'init again'; readonly cpu: number }
  | { readonly do: 'set IIDR'; readonly revision: number }
  | { readonly do: 'set CTLR'; readonly cpu: number; readonly value: number }
  | { readonly do: 'run'; readonly cpu: number }
  | { readonly do: 'GICD_CTLR'; readonly by: Hand; readonly on: boolean }
  | { readonly do: 'bits'; readonly by: Hand; readonly bank: Bank; readonly intid: number; readonly cpu: number }
  | { readonly do: 'group'; readonly by: Hand; readonly intid: number; readonly cpu: number; readonly group: 0 | 1 }
  | { readonly do: 'priority'; readonly intid: number; readonly cpu: number; readonly priority: number }
  | { readonly do: 'config'; readonly intid: number; readonly edge: boolean }
  | { readonly do: 'route'; readonly by: Hand; readonly intid: number; readonly half: Half; readonly value: bigint }
  | { readonly do: 'line'; readonly cpu: number; readonly intid: number; readonly level: boolean }
  | { readonly do: 'levels'; readonly intid: number; readonly level: boolean }
  | { readonly do: 'SGI'; readonly cpu: number; readonly register: 1 | 0; readonly value: bigint }
  | { readonly do: 'acknowledge'; readonly cpu: number; readonly group: Group }
  | { readonly do: 'deactivate'; readonly cpu: number; readonly intid: number }
  | { readonly do: 'complete'; readonly cpu: number }
  | { readonly do: 'PMR'; readonly cpu: number; readonly value: number }
  | { readonly do: 'IGRPEN'; readonly cpu: number; readonly group: Group; readonly on: boolean }
  | { readonly do: 'EOImode'; readonly cpu: number; readonly split: boolean }
  | { readonly do: 'CPU_ON'; readonly target: bigint; readonly wide: boolean }
  | { readonly do: 'attribute'; readonly affinity: number }

export type Hand = 'guest' | 'user'
export type Group = 0 | 1
export type Half = 'low' | 'high' | 'all'

/** mulberry32: the same seed, the same numbers. */
export const random = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export const operation = (next: () => number): Operation => {
  const below = (n: number): number => Math.floor(next() * n)
  const pick = <T>(...all: readonly [T, ...T[]]): T => all[below(all.length)] ?? all[0]
  const cpu = below(CPUS)
  const affinity = pick(...AFFINITIES)
  const spi = pick(...SPIS)
  const intid = pick(...SPIS, ...PRIVATES)
  const by = pick<Hand>('guest', 'guest', 'user')
  const aff3 = BigInt(affinity >>> 24)
  const low = BigInt(affinity & 0xff_ffff)
  const odd = below(8) === 0 ? 0xff00_0000n & ~0xffn : 0n
  const half = pick<Half>('low', 'high', ...(by === 'guest' ? (['all', 'all'] as const) : []))
  const routed = { low: low | odd, high: aff3 | (odd >> 8n), all: (aff3 << 32n) | low | odd }
  const makers: readonly (() => Operation)[] = [
    () => ({ do: 'set MPIDR', cpu, affinity, odd: below(4) === 0 }),
    () => ({ do: 'init again', cpu }),
    () => ({ do: 'set IIDR', revision: pick(2, 3, 4, 7) }),
    () => ({ do: 'set CTLR', cpu, value: pick(0x8400, 0x0400, 0x8300, 0x0300, 0x8700, 0xc400) | pick(0, 0, 2) }),
    () => ({ do: 'run', cpu }),
    () => ({ do: 'GICD_CTLR', by, on: below(4) !== 0 }),
    () => ({ do: 'bits', by, bank: pick<Bank>('ISENABLER', 'ISENABLER', 'ICENABLER'), intid, cpu }),
    () => ({ do: 'bits', by, bank: pick<Bank>('ISPENDR', 'ISPENDR', 'ICPENDR'), intid, cpu }),
    () => ({ do: 'bits', by, bank: pick<Bank>('ISACTIVER', 'ICACTIVER', 'ICACTIVER'), intid, cpu }),
    () => ({ do: 'group', by, intid, cpu, group: pick<0 | 1>(1, 1, 0) }),
    () => ({ do: 'priority', intid, cpu, priority: 8 * below(8) }),
    () => ({ do: 'config', intid: spi, edge: below(2) === 0 }),
    () => ({ do: 'route', by, intid: spi, half, value: routed[half] }),
    () => ({ do: 'route', by, intid: spi, half: 'low', value: BigInt(below(4)) }),
    () => ({ do: 'line', cpu, intid: pick(...SPIS, ...PPIS), level: below(2) === 0 }),
    () => ({ do: 'levels', intid: spi, level: below(2) === 0 }),
    () => ({
      do: 'SGI',
      cpu,
      register: pick<1 | 0>(1, 1, 1, 0),
      value:
        (pick(0n, 0n, 1n) << 48n) |
        (BigInt(below(8) === 0) << 40n) |
        (pick(0n, 0n, 1n) << 44n) |
        (BigInt(below(4)) << 24n) |
        (pick(0n, 0n, 2n) << 16n) |
        BigInt(below(16)),
    }),
    () => ({ do: 'acknowledge', cpu, group: 1 }),
    () => ({ do: 'acknowledge', cpu, group: pick<Group>(1, 0) }),
    () => ({ do: 'deactivate', cpu, intid }),
    () => ({ do: 'complete', cpu }),
    () => ({ do: 'complete', cpu }),
    () => ({ do: 'PMR', cpu, value: pick(0xff, 0xff, 0x20, 0) }),
    () => ({ do: 'IGRPEN', cpu, group: pick<Group>(1, 0), on: below(4) !== 0 }),
    () => ({ do: 'EOImode', cpu, split: below(2) === 0 }),
    () => ({ do: 'CPU_ON', target: (aff3 << 32n) | low | (below(6) === 0 ? 0x8000_0000n : 0n), wide: below(3) !== 0 }),
    () => ({ do: 'attribute', affinity }),
  ]
  return pick(...(makers as readonly [() => Operation, ...(() => Operation)[]]))()
}

/** Whether only a VMM does it: the guest does not run for it. */
export const isUsers = (op: Operation): boolean =>
  ['set MPIDR', 'init again', 'set IIDR', 'set CTLR', 'line', 'levels', 'attribute'].includes(op.do) ||
  ('by' in op && op.by === 'user')

/** What a guest does before interrupts arrive. */
export const OPENING: readonly Operation[] = [
  { do: 'GICD_CTLR', by: 'guest', on: true },
  ...IDS.flatMap((_, cpu): Operation[] => [
    { do: 'PMR', cpu, value: 0xff },
    { do: 'IGRPEN', cpu, group: 1, on: true },
  ]),
  ...SPIS.map((intid): Operation => ({ do: 'bits', by: 'guest', bank: 'ISENABLER', intid, cpu: 0 })),
]

export const newVm = (env: Env): CaseVm => {
  const vm = new CaseVm(env)
  for (const id of IDS) vm.must(vm.add(id))
  vm.must(vm.gic(7))
  vm.must(vm.set(G.NR_IRQS, 0, NR_IRQS))
  vm.must(vm.set(G.ADDR, A.V3_DIST, GICD))
  vm.must(vm.set(G.ADDR, A.V3_REDIST, GICR))
  return vm.must(vm.initGic())
}

const OFFSET = {
  IGROUPR: 0x80,
  ISENABLER: 0x100,
  ICENABLER: 0x180,
  ISPENDR: 0x200,
  ICPENDR: 0x280,
  ISACTIVER: 0x300,
  ICACTIVER: 0x380,
  IPRIORITYR: 0x400,
  ICFGR: 0xc00,
} as const

export const isPrivate = (intid: number): boolean => intid < 32

/** The interrupt each vCPU has acknowledged and not completed, last one last. */
export type Acknowledged = readonly { readonly intid: number; readonly group: Group }[][]
export const nothingYet = (): Acknowledged => IDS.map(() => [])

/** Writes 32 bits where an interrupt's word is, by either hand. */
const writeWord = (
  vm: CaseVm,
  by: Hand,
  cpu: number,
  intid: number,
  offset: number,
  value: bigint | number,
): string => {
  if (by === 'guest') {
    vm.w32(cpu, isPrivate(intid) ? SGI(cpu) + offset : GICD + offset, value)
    return 'done'
  }
  if (!isPrivate(intid)) return vm.set(G.DIST_REGS, offset, value)
  const affinity = BigInt.asUintN(64, attributeOf(vm, cpu))
  return vm.set(G.REDIST_REGS, affinity | BigInt(0x10000 + offset), value)
}

const attributeOf = (vm: CaseVm, cpu: number): bigint => {
  const mpidr = vm.mpidrValue(cpu)
  return attributeAffinity.encode(Number(((mpidr >> 8n) & 0xff00_0000n) | (mpidr & 0xff_ffffn)))
}

const wordOf = (intid: number, bits: 1 | 2 | 8): number => 4 * Math.floor((intid * bits) / 32)

/** What becomes of it, as text. */
export const perform = (vm: CaseVm, acknowledged: Acknowledged, op: Operation): string => {
  switch (op.do) {
    case 'set MPIDR': {
      const bits = op.odd ? 0xffff_ff00_6000_0000n : 0n
      const value = (BigInt(op.affinity >>> 24) << 32n) | BigInt(op.affinity & 0xff_ffff) | 0x8000_0000n | bits
      return vm.setMpidr(op.cpu, value)
    }
    case 'init again':
      return vm.init(op.cpu)
    case 'set IIDR':
      return vm.set(G.DIST_REGS, 8, 0x4b00_043b + op.revision * 0x1000)
    case 'set CTLR':
      return vm.set(G.CPU_SYSREGS, attributeOf(vm, op.cpu) | BigInt(ICC.ICC_CTLR_EL1), op.value)
    case 'run':
      return vm.run(op.cpu)
    case 'GICD_CTLR':
      return writeWord(vm, op.by, 0, 32, 0, op.on ? 2 : 0)
    case 'bits':
      return writeWord(vm, op.by, op.cpu, op.intid, OFFSET[op.bank] + wordOf(op.intid, 1), 1n << BigInt(op.intid % 32))
    case 'group': {
      const at = OFFSET.IGROUPR + wordOf(op.intid, 1)
      const bit = 1n << BigInt(op.intid % 32)
      return writeWord(vm, op.by, op.cpu, op.intid, at, op.group === 1 ? 0xffff_ffffn : 0xffff_ffffn & ~bit)
    }
    case 'priority': {
      const frame = isPrivate(op.intid) ? SGI(op.cpu) : GICD
      vm.write(op.cpu, 1, frame + OFFSET.IPRIORITYR + op.intid, op.priority)
      return 'done'
    }
    case 'config': {
      // The neighbours stay edges.
      const bit = 2n << BigInt((2 * op.intid) % 32)
      vm.w32(0, GICD + OFFSET.ICFGR + wordOf(op.intid, 2), op.edge ? 0xaaaa_aaaan : 0xaaaa_aaaan & ~bit)
      return 'done'
    }
    case 'route': {
      const at = op.half === 'high' ? 4 : 0
      if (op.by === 'user') return vm.set(G.DIST_REGS, IROUTER(op.intid) + at, BigInt.asUintN(32, op.value))
      vm.write(0, op.half === 'all' ? 8 : 4, IR(op.intid) + at, op.value)
      return 'done'
    }
    case 'line':
      return vm.irqLine(isPrivate(op.intid) ? IRQ_TYPE.PPI : IRQ_TYPE.SPI, IDS[op.cpu] ?? 0, op.intid, op.level)
    case 'levels':
      // Of all SPIs: the others' lines go down.
      return vm.set(G.LEVEL_INFO, AT(firstAffinity(vm), 32), op.level ? 1n << BigInt(op.intid - 32) : 0n)
    case 'SGI':
      return gv(vm.msr(op.cpu, op.register === 1 ? 'ICC_SGI1R_EL1' : 'ICC_SGI0R_EL1', op.value))
    case 'acknowledge': {
      const { group } = op
      const got = vm.mrs(op.cpu, group === 1 ? 'ICC_IAR1_EL1' : 'ICC_IAR0_EL1')
      if (typeof got === 'bigint' && got < 1020n) acknowledged[op.cpu]?.push({ intid: Number(got), group })
      return gv(got)
    }
    case 'complete': {
      const last = acknowledged[op.cpu]?.pop()
      if (last === undefined) return 'nothing'
      return gv(vm.msr(op.cpu, last.group === 1 ? 'ICC_EOIR1_EL1' : 'ICC_EOIR0_EL1', last.intid))
    }
    case 'PMR':
      return gv(vm.msr(op.cpu, 'ICC_PMR_EL1', op.value))
    case 'deactivate':
      return gv(vm.msr(op.cpu, 'ICC_DIR_EL1', op.intid))
    case 'IGRPEN':
      return gv(vm.msr(op.cpu, op.group === 1 ? 'ICC_IGRPEN1_EL1' : 'ICC_IGRPEN0_EL1', Number(op.on)))
    case 'EOImode':
      return gv(vm.msr(op.cpu, 'ICC_CTLR_EL1', op.split ? 2 : 0))
    case 'CPU_ON':
      return psci(vm.hvc(0, op.wide ? PSCI.CPU_ON.id | SMC64 : PSCI.CPU_ON.id, op.target, RAM))
    case 'attribute':
      return vm.typ(op.affinity)
  }
}

/** What a step may do to an interrupt, in one number: flags, priority, target, and the list that it is on. */
export const record = ({ latch, line, active, enabled, edge, group, priority, target }: Recorded, on: number): number =>
  Number(latch) |
  (Number(line) << 1) |
  (Number(active) << 2) |
  (Number(enabled) << 3) |
  (Number(edge) << 4) |
  (group << 5) |
  (priority << 6) |
  ((target + 1) << 14) |
  ((on + 1) << 18)

export interface Recorded {
  readonly latch: boolean
  readonly line: boolean
  readonly active: boolean
  readonly enabled: boolean
  readonly edge: boolean
  readonly group: number
  readonly priority: number
  readonly target: number
}

const firstAffinity = (vm: CaseVm): number => Number(attributeOf(vm, 0) >> 32n)

/** Every register in question, as guest and userspace have it, and where interrupts go. */
export const observe = (vm: CaseVm): readonly string[] => {
  const { vgic, facts } = vm.kvm
  const ran = facts.hasRun
  const irq = (cpu: number, intid: number): string => {
    const found = vgic?.irq(cpu, intid)
    if (found === undefined) return 'none'
    const { latch, line, active, enabled, edge, group, priority, target } = found
    const flags = [latch, line && !edge, active, enabled, !edge, group === 1].map(Number).join('')
    return `${intid} ${flags} ${hex(priority)} → ${target}`
  }
  return [
    ...IDS.map((_, cpu) => `MPIDR of ${cpu}: ${vm.mpidr(cpu)}`),
    `IIDR ${hex(vm.ud(8))} TYPER ${hex(vm.ud(4))} CTLR ${hex(vm.ud(0))}`,
    // To look through the guest's eyes is to run it.
    ...(ran
      ? [
          ...IDS.map((_, cpu) => `TYPER of ${cpu}: ${hex(vm.r64(0, RD(cpu) + 8))}`),
          ...IDS.map((_, cpu) => `ICC_CTLR of ${cpu}: ${gv(vm.mrs(cpu, 'ICC_CTLR_EL1'))}`),
        ]
      : []),
    ...SPIS.map(
      (intid) =>
        `IROUTER ${intid}: ${ran ? hex(vm.r64(0, IR(intid))) : hex(vm.ud(IROUTER(intid)))} ${hex(vm.ud(IROUTER(intid) + 4))}`,
    ),
    ...SPIS.map((intid) => irq(0, intid)),
    ...IDS.flatMap((_, cpu) => PRIVATES.map((intid) => `${cpu}: ${irq(cpu, intid)}`)),
  ]
}
