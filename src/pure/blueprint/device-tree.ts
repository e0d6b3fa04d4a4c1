/** The device tree of the machine: QEMU's `virt` (hw/arm/virt.c), as far as its devices are modelled. */
import { aff3Of, mpidrAffinity } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { CPU_MODELS } from '../arch/cpu/models.ts'
import type { CpuModelId } from '../arch/cpu/models.ts'
import { GICR_SIZE } from '../arch/gic/gicr.ts'
import { SGI_COUNT } from '../arch/intid.ts'
import { cells, flag, parseFdt, strings, wide, writeFdt } from './fdt.ts'
import type { FdtNode } from './fdt.ts'
import type { GicVersion } from './blueprint.ts'
import { memoryMap } from './memory-map.ts'

export interface DeviceTreeOptions {
  readonly cpu: CpuModelId
  readonly gic: GicVersion
  readonly its: boolean
  /** The overflow interrupt of the CPUs' performance monitors, a PPI's INTID; without it, the guest has none. */
  readonly pmu?: number | undefined
  /** One per vCPU, in their order. */
  readonly affinities: readonly Affinity[]
  /** Bytes of RAM. */
  readonly memory: number
  readonly bootargs: string
  /** Physical addresses; `end` is the first one after it. */
  readonly initrd?: { readonly start: number; readonly end: number }
}

/** The `interrupts` cells of arm,gic-v3 (Documentation/devicetree/bindings/interrupt-controller/arm,gic-v3.yaml). */
const IRQ = { spi: 0, ppi: 1, levelHigh: 4 } as const
/** arm,arch_timer.yaml: secure, non-secure, virtual and hypervisor timer, as PPI numbers. */
const TIMER_PPIS = [13, 14, 11, 10] as const
const UART_CLOCK_HZ = 24_000_000
/**
 * What the guest's random numbers begin with, as QEMU gives it (of 32 bytes too): digits of pi, as the same machine shall do
 * the same in each run. A kernel without it hashes its whole pool for every random number until it has gathered enough,
 * which is some at each system call, for the place of its stack.
 */
const RNG_SEED = [
  0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0x082efa98, 0xec4e6c89,
] as const
const PHANDLE = { gic: 1, clock: 2 } as const

/** `reg` of a node whose bus has two cells for addresses and two for sizes. */
const region = (base: number, size: number): readonly number[] => [...wide(base), ...wide(size)]

const node = (name: string, properties: FdtNode['properties'], children: readonly FdtNode[] = []): FdtNode => ({
  name,
  properties,
  children,
})

const nodeAt = (name: string, address: number): string => `${name}@${address.toString(16)}`

const UART = nodeAt('pl011', memoryMap.pl011.base)

/** Documentation/devicetree/bindings/arm/cpus.yaml: `reg` is MPIDR_EL1's affinity; two cells carry Aff3. */
const cpus = ({ cpu: model, affinities }: DeviceTreeOptions): FdtNode => {
  const withAff3 = affinities.some((affinity) => aff3Of(affinity) !== 0)
  const cpu = (affinity: Affinity): FdtNode => {
    const mpidr = Number(mpidrAffinity.encode(affinity))
    const [high, low] = wide(mpidr)
    return node(nodeAt('cpu', mpidr), [
      strings('device_type', 'cpu'),
      strings('compatible', CPU_MODELS[model].compatible),
      strings('enable-method', 'psci'),
      withAff3 ? cells('reg', high, low) : cells('reg', low),
    ])
  }
  return node('cpus', [cells('#address-cells', withAff3 ? 2 : 1), cells('#size-cells', 0)], affinities.map(cpu))
}

/** A GICv2's PPI names the CPUs that have it, from bit 8 on. */
const ppiFlags = ({ gic, affinities }: DeviceTreeOptions): number =>
  IRQ.levelHigh | (gic === 2 ? ((1 << affinities.length) - 1) << 8 : 0)

/** Documentation/devicetree/bindings/interrupt-controller/arm,gic.yaml. */
const gicV2 = (): FdtNode => {
  const { gicd, gicc } = memoryMap
  return node(nodeAt('intc', gicd.base), [
    strings('compatible', 'arm,cortex-a15-gic'),
    cells('#interrupt-cells', 3),
    cells('#address-cells', 0),
    flag('interrupt-controller'),
    cells('reg', ...region(gicd.base, gicd.size), ...region(gicc.base, gicc.size)),
    cells('phandle', PHANDLE.gic),
  ])
}

/** Documentation/devicetree/bindings/interrupt-controller/arm,gic-v3.yaml: its@. */
const its = (): FdtNode =>
  node(nodeAt('its', memoryMap.its.base), [
    strings('compatible', 'arm,gic-v3-its'),
    flag('msi-controller'),
    cells('#msi-cells', 1),
    cells('reg', ...region(memoryMap.its.base, memoryMap.its.size)),
  ])

/** The redistributor regions that the device tree of so many vCPUs names: those that hold one, whole. */
export const describedRegions = (vcpus: number): readonly { readonly base: number; readonly frames: number }[] => {
  const [first, ...others] = memoryMap.redistributors
  return vcpus > first.frames ? [first, ...others] : [first]
}

const gicV3 = (vcpus: number, withIts: boolean): FdtNode => {
  const regions = describedRegions(vcpus)
  const { gicd } = memoryMap
  // What is inside has addresses of its own, which are those of the bus.
  const inside = withIts
    ? [cells('#address-cells', 2), cells('#size-cells', 2), flag('ranges')]
    : [cells('#address-cells', 0)]
  const properties = [
    strings('compatible', 'arm,gic-v3'),
    cells('#interrupt-cells', 3),
    ...inside,
    flag('interrupt-controller'),
    cells('#redistributor-regions', regions.length),
    cells(
      'reg',
      ...region(gicd.base, gicd.size),
      ...regions.flatMap(({ base, frames }) => region(base, frames * GICR_SIZE)),
    ),
    cells('phandle', PHANDLE.gic),
  ]
  return node(nodeAt('intc', gicd.base), properties, withIts ? [its()] : [])
}

const primecell = (name: keyof typeof memoryMap & ('pl011' | 'pl031'), clockNames: readonly string[]): FdtNode => {
  const { base, size, spi } = memoryMap[name]
  return node(nodeAt(name, base), [
    strings('compatible', `arm,${name}`, 'arm,primecell'),
    cells('reg', ...region(base, size)),
    cells('interrupts', IRQ.spi, spi, IRQ.levelHigh),
    cells('clocks', ...clockNames.map(() => PHANDLE.clock)),
    strings('clock-names', ...clockNames),
  ])
}

type Chosen = Pick<DeviceTreeOptions, 'bootargs' | 'initrd'>

/** What the boot loader tells (Devicetree Specification v0.4, 3.6; Documentation/arch/arm64/booting.rst). */
const bootProperties = ({ bootargs, initrd }: Chosen): FdtNode['properties'] => [
  strings('bootargs', bootargs),
  ...(initrd === undefined
    ? []
    : [cells('linux,initrd-start', ...wide(initrd.start)), cells('linux,initrd-end', ...wide(initrd.end))]),
]

export const deviceTree = (options: DeviceTreeOptions): Uint8Array =>
  writeFdt(
    node(
      '',
      [
        cells('#address-cells', 2),
        cells('#size-cells', 2),
        strings('compatible', 'linux,dummy-virt'),
        strings('model', 'linux,dummy-virt'),
        cells('interrupt-parent', PHANDLE.gic),
      ],
      [
        node('chosen', [
          strings('stdout-path', `/${UART}`),
          cells('rng-seed', ...RNG_SEED),
          ...bootProperties(options),
        ]),
        node(nodeAt('memory', memoryMap.ram.base), [
          strings('device_type', 'memory'),
          cells('reg', ...region(memoryMap.ram.base, options.memory)),
        ]),
        cpus(options),
        node('psci', [strings('compatible', 'arm,psci-1.0', 'arm,psci-0.2'), strings('method', 'hvc')]),
        node('timer', [
          strings('compatible', 'arm,armv8-timer'),
          cells('interrupts', ...TIMER_PPIS.flatMap((ppi) => [IRQ.ppi, ppi, ppiFlags(options)])),
          flag('always-on'),
        ]),
        ...(options.pmu === undefined
          ? []
          : [
              node('pmu', [
                strings('compatible', 'arm,armv8-pmuv3'),
                cells('interrupts', IRQ.ppi, options.pmu - SGI_COUNT, ppiFlags(options)),
              ]),
            ]),
        options.gic === 2 ? gicV2() : gicV3(options.affinities.length, options.its),
        node('apb-pclk', [
          strings('compatible', 'fixed-clock'),
          cells('#clock-cells', 0),
          cells('clock-frequency', UART_CLOCK_HZ),
          strings('clock-output-names', 'clk24mhz'),
          cells('phandle', PHANDLE.clock),
        ]),
        primecell('pl011', ['uartclk', 'apb_pclk']),
        primecell('pl031', ['apb_pclk']),
      ],
    ),
  )

export type WithChosen = { readonly ok: true; readonly dtb: Uint8Array } | { readonly ok: false; readonly what: string }

/** A person's own tree, with the command line and the initrd of this boot in its /chosen, as QEMU's loader does it. */
export const withChosen = (dtb: Uint8Array, chosen: Chosen): WithChosen => {
  const parsed = parseFdt(dtb)
  if (!parsed.ok) return parsed
  const { root } = parsed
  const told = bootProperties(chosen).filter(({ name }) => name !== 'bootargs' || chosen.bootargs !== '')
  const before = root.children.find(({ name }) => name === 'chosen') ?? node('chosen', [])
  const kept = before.properties.filter(({ name }) => !told.some((property) => property.name === name))
  const after = node('chosen', [...kept, ...told], before.children)
  const others = root.children.filter((child) => child !== before)
  return { ok: true, dtb: writeFdt(node('', root.properties, [...others, after])) }
}
