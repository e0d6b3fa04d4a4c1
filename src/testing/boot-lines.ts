/** What Debian's kernels print of their interrupt controller and their CPUs on a machine as it should be. */
import type { GicVersion } from '../pure/blueprint/blueprint.ts'

export interface BootedMachine {
  readonly vcpus: number
  readonly gic: GicVersion
  readonly its?: boolean
}

export const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

const cpus = (count: number): readonly number[] => Array.from({ length: count }, (_, cpu) => cpu)

export const redistributorLine = (cpu: number): string =>
  `GICv3: CPU${cpu}: found redistributor ${cpu} region 0:0x${hex(0x080a_0000 + cpu * 0x20000, 16)}`

/** drivers/irqchip/irq-gic-v3.c; irq-gic.c has nothing to say. */
const GIC_LINES = {
  2: [],
  3: [
    'CPU features: detected: GIC system register CPU interface',
    'GICv3: 256 SPIs implemented',
    'GICv3: 0 Extended SPIs implemented',
  ],
} as const satisfies Record<GicVersion, readonly string[]>

/** drivers/irqchip/irq-gic-v3-its.c, as on QEMU's virt machine; `@`: an address that is the kernel's own choice. */
const itsLines = (vcpus: number): readonly string[] => [
  'ITS [mem 0x08080000-0x0809ffff]',
  'ITS@0x0000000008080000: allocated 8192 Devices @ (indirect, esz 8, psz 64K, shr 1)',
  'ITS@0x0000000008080000: allocated 8192 Interrupt Collections @ (flat, esz 8, psz 64K, shr 1)',
  'GICv3: using LPI property table @',
  ...cpus(vcpus).map((cpu) => `GICv3: CPU${cpu}: using allocated LPI pending table @`),
]

/** Up to the last CPU's start. */
export const smpLines = ({ vcpus, gic, its = false }: BootedMachine): readonly string[] => [
  'Root IRQ handler: gic_handle_irq',
  ...GIC_LINES[gic],
  ...(gic === 3 ? cpus(vcpus).map(redistributorLine) : []),
  ...(its ? itsLines(vcpus) : []),
  ...cpus(vcpus)
    .slice(1)
    .map((cpu) => `CPU${cpu}: Booted secondary processor 0x${hex(cpu, 10)} [0x411fd070]`),
  `smp: Brought up 1 node, ${vcpus} CPU${vcpus === 1 ? '' : 's'}`,
]

const ADDRESS = / @0?x?[0-9a-f]{8,}/g

/** The lines that a log has not. */
export const missingLines = (lines: readonly string[], logged: readonly string[]): readonly string[] => {
  const there = new Set(logged.map((line) => line.replaceAll(ADDRESS, ' @')))
  return lines.filter((line) => !there.has(line))
}

/** What no boot of a machine as it should be says. */
export const COMPLAINT = /WARNING:|BUG:|Oops|Call trace|has no re-distributor|ITS queue|Kernel panic/
