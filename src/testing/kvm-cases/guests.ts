/** What guests meet: vgic-state, GICv2, AArch32 at EL1, PSCI, the device tree. */
import { affinityOf } from '../../pure/arch/affinity.ts'
import { PSCI, SMC64 } from '../../pure/arch/psci.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { deviceTree } from '../../pure/blueprint/device-tree.ts'
import { parseFdt } from '../../pure/blueprint/fdt.ts'
import { gv, hex, psci, who } from './answers.ts'
import { CaseVm } from './case-vm.ts'
import type { Env, KvmCase } from './kvm-case.ts'
import { GICC, GICD, IR, RAM } from './places.ts'
import { four, fourWithout, vcpus } from './set-ups.ts'
import { sgi1r } from './sgi.ts'

const { H1, H2, HC } = HOST_PRESETS

const CPU_ON = PSCI.CPU_ON.id
const AFFINITY_INFO = PSCI.AFFINITY_INFO.id | SMC64

const cellsOfCpus = (): string => {
  const tree = parseFdt(
    deviceTree({
      cpu: defaultBlueprint.cpu,
      gic: defaultBlueprint.gic,
      its: false,
      affinities: [0, affinityOf({ aff3: 1, aff2: 0, aff1: 0, aff0: 1 }), 2, 3],
      memory: 2 ** 28,
      bootargs: '',
    }),
  )
  const cpus = tree.ok ? tree.root.children.find(({ name }) => name === 'cpus') : undefined
  return cpus?.properties.find(({ name }) => name === '#address-cells')?.value.join('') ?? 'none'
}

/** GICC_CTLR, GICC_PMR, GICC_IAR and GICC_EOIR (IHI 0048, 4.4). */
const openV2 = (vm: CaseVm): CaseVm => {
  for (const vcpu of vm.ids.keys()) vm.w32(vcpu, GICC + 4, 0xff).w32(vcpu, GICC, 1)
  return vm.w32(0, GICD, 1)
}

const takeV2 = (vm: CaseVm, intid: number): { readonly takers: readonly number[]; readonly source: number } => {
  let source = 0
  const takers = [...vm.ids.keys()].filter((vcpu) => {
    const iar = Number(vm.r32(vcpu, GICC + 12))
    if ((iar & 0x3ff) < 1020) vm.w32(vcpu, GICC + 16, iar)
    if ((iar & 0x3ff) !== intid) return false
    source = (iar >> 10) & 7
    return true
  })
  return { takers, source }
}

const fourV2 = (env: Env): CaseVm => {
  const vm = vcpus(env, 4)
  return vm.must(vm.v2())
}

export const guestCases: readonly KvmCase[] = [
  {
    id: 'C111',
    title: 'the device tree with a CPU that has Aff3',
    host: H1,
    run: cellsOfCpus,
    mainline: '0002',
  },
  {
    id: 'C114',
    title: 'the TARGET column of vgic-state',
    host: H1,
    run: (env) => {
      const vm = four(env).w64(0, IR(40), 0x1_0000_0002n)
      const line = vm.stateLine(40)
      return `\`${line.slice(40, 48)}\` in [${line}]`
    },
    mainline: '`       2` in [       SPI   40      2 0000001        0        2   0   0      -1 ]',
    patch: '`10000000` in [       SPI   40     -1 0000001        0 100000002   0   0      -1 ]',
    full: '` 1000002` in [       SPI   40     -1 0000001        0  1000002   0   0      -1 ]',
  },
  {
    id: 'C115',
    title: 'a GICv2 routes to the lowest CPU of the mask',
    host: H2,
    run: (env) => {
      const vm = openV2(fourV2(env))
        .write(0, 1, GICD + 0x828, 6)
        .spiOn(40)
        .spiPend(40)
      return `${who(takeV2(vm, 40).takers)}; ${hex(vm.read(0, 1, GICD + 0x828), 2)}`
    },
    mainline: 'delivered to vCPU 1; 06',
  },
  // Recorded on a GICv2 host, as QEMU has none with both.
  ...[
    { id: 'C116', host: H2 },
    { id: 'C116 on HC', host: HC },
  ].map((where) => ({
    ...where,
    title: 'a GICv2 does not ask for affinity',
    run: (env: Env) => {
      const vm = fourV2(env)
      vm.setMpidr(1, 0x1_8000_0001n)
      const { takers, source } = takeV2(openV2(vm).w32(0, GICD + 0xf00, (2 << 16) | 5), 5)
      return `${who(takers)}, source ${hex(source)}`
    },
    mainline: 'delivered to vCPU 1, source 0',
  })),
  {
    id: 'C117',
    title: 'an SGI of an AArch32 guest to a CPU with a hidden Aff3',
    host: H1,
    run: (env) => {
      const vm = four(env, 'EL1_32BIT')
      const set = vm.setMpidr(1, 0x1_8000_0001n)
      vm.listening()
      vm.msr(0, 'ICC_SGI1R_EL1', sgi1r({ id: 5, list: 2 }))
      const plain = gv(vm.mrs(1, 'ICC_IAR1_EL1'))
      vm.msr(0, 'ICC_SGI1R_EL1', sgi1r({ aff3: 1, id: 6, list: 2 }))
      const hidden = gv(vm.mrs(1, 'ICC_IAR1_EL1'))
      return `SET ${set}: SGI 5 IAR on vCPU 1 = ${plain}; with Aff3=1, SGI 6 IAR = ${hidden}; guest MPIDR ${gv(vm.guestMpidr(1))}`
    },
    mainline: 'SET 0: SGI 5 IAR on vCPU 1 = 3ff; with Aff3=1, SGI 6 IAR = 6; guest MPIDR 80000001',
    patch: 'SET 0: SGI 5 IAR on vCPU 1 = 5; with Aff3=1, SGI 6 IAR = 3ff; guest MPIDR 80000001',
    full: 'SET EINVAL: SGI 5 IAR on vCPU 1 = 5; with Aff3=1, SGI 6 IAR = 3ff; guest MPIDR 80000001',
  },
  {
    id: 'C118',
    title: 'CPU_ON with bit 31',
    host: H1,
    run: (env) => psci(four(env).hvc(0, CPU_ON | SMC64, 0x8000_0001, RAM)),
    mainline: 'INVALID_PARAMS',
  },
  {
    id: 'C119',
    title: 'CPU_ON with 32-bit arguments of a CPU with Aff3',
    host: H1,
    run: (env) => {
      const vm = fourWithout(env, 1)
      vm.setMpidr(1, 0x1_8000_0001n)
      return psci(vm.hvc(0, CPU_ON, 1, RAM))
    },
    mainline: 'INVALID_PARAMS',
  },
  {
    id: 'C120',
    title: 'AFFINITY_INFO of levels 1 and 4',
    host: H1,
    run: (env) => {
      const vm = four(env)
      return `${gv(vm.hvc(0, AFFINITY_INFO, 0, 1))} ; ${psci(vm.hvc(0, AFFINITY_INFO, 0, 4))}`
    },
    mainline: '0 ; INVALID_PARAMS',
  },
]
