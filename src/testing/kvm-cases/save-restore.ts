/** Saving and restoring by hand, as the oracle's program does: few registers, in the order of its image. */
import { mpidrAffinity } from '../../pure/arch/affinity.ts'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import type { HostProfile } from '../../pure/blueprint/host.ts'
import { hex } from './answers.ts'
import { CaseVm } from './case-vm.ts'
import type { Env, KvmCase } from './kvm-case.ts'
import { AT, G, IR, IROUTER } from './places.ts'
import { four, vcpus } from './set-ups.ts'

const { H0, H1 } = HOST_PRESETS

const IIDR = 8
const DIST = [0x084, 0x104, 0x204, 0x304, 0x428, 0x42c, 0xc08, 0xc0c, 0x0] as const
const REDIST = [0x10080, 0x10100, 0x10200, 0x10300, 0x10400, 0x10c04, 0x0] as const
const SYSREGS = [
  ICC.ICC_CTLR_EL1,
  ICC.ICC_SRE_EL1,
  ICC.ICC_PMR_EL1,
  ICC.ICC_BPR0_EL1,
  ICC.ICC_BPR1_EL1,
  ICC.ICC_IGRPEN0_EL1,
  ICC.ICC_IGRPEN1_EL1,
] as const

interface CpuImage {
  readonly mpidr: bigint
  readonly redist: readonly bigint[]
  readonly sysregs: readonly bigint[]
}

interface Image {
  readonly iidr: bigint
  readonly cpus: readonly CpuImage[]
  readonly dist: readonly bigint[]
  /** SPIs 32 to 63, low word and high word in turn. */
  readonly routes: readonly bigint[]
}

const SPIS = Array.from({ length: 32 }, (_, i) => 32 + i)

export const saveImage = (vm: CaseVm): Image => ({
  iidr: vm.ud(IIDR),
  cpus: vm.ids.map((_, vcpu) => {
    const mpidr = vm.mpidrValue(vcpu)
    const affinity = mpidrAffinity.decode(mpidr)
    return {
      mpidr,
      redist: REDIST.map((offset) => vm.ur(affinity, offset)),
      sysregs: SYSREGS.map((encoding) => vm.us(affinity, encoding)),
    }
  }),
  dist: DIST.map((offset) => vm.ud(offset)),
  routes: SPIS.flatMap((intid) => [vm.ud(IROUTER(intid)), vm.ud(IROUTER(intid) + 4)]),
})

interface Restored {
  readonly vm: CaseVm
  /** The first error and where, if there was one. */
  readonly stopped: string | undefined
}

/** A VMM may address a vCPU by the affinity it asked for, or by the one it has; this one asks what it has. */
export const restoreImage = (env: Env, image: Image): Restored => {
  const vm = vcpus(env, 4)
  const at = (vcpu: number, offset: number): bigint => AT(mpidrAffinity.decode(vm.mpidrValue(vcpu)), offset)
  const steps: (readonly [where: string, step: () => string])[] = [
    ...image.cpus.map(({ mpidr }, vcpu) => ['MPIDR', () => vm.setMpidr(vcpu, mpidr)] as const),
    ['gic', () => vm.v3()],
    ['IIDR', () => vm.set(G.DIST_REGS, IIDR, image.iidr)],
    ...image.cpus.flatMap(({ redist }, vcpu) =>
      REDIST.map((offset, i) => ['redist', () => vm.set(G.REDIST_REGS, at(vcpu, offset), redist[i] ?? 0n)] as const),
    ),
    ...DIST.map((offset, i) => ['dist', () => vm.set(G.DIST_REGS, offset, image.dist[i] ?? 0n)] as const),
    ...image.routes.map((value, i) => ['IROUTER', () => vm.set(G.DIST_REGS, IROUTER(32) + 4 * i, value)] as const),
    ...image.cpus.flatMap(({ sysregs }, vcpu) =>
      SYSREGS.map(
        (encoding, i) =>
          [
            `sysreg ${hex(encoding)} of vCPU ${vcpu}`,
            () => vm.set(G.CPU_SYSREGS, at(vcpu, encoding), sysregs[i] ?? 0n),
          ] as const,
      ),
    ),
  ]
  for (const [where, step] of steps) {
    const error = step()
    if (error !== '0') return { vm, stopped: `${error} at ${where}` }
  }
  return { vm, stopped: undefined }
}

const text = (image: Image): string =>
  JSON.stringify(image, (_, value) => (typeof value === 'bigint' ? `${value}` : value))

const saved = (env: Env, mpidr: bigint): Image => {
  const vm = vcpus(env, 4)
  vm.setMpidr(1, mpidr)
  return saveImage(vm.must(vm.v3()).listening().w32(0, IR(40), 2).spiOn(40))
}

/** Saved on one host, restored on another (or the same), and saved again. */
const migrate = (env: Env, from: HostProfile, to: HostProfile, mpidr: bigint): string => {
  const image = saved({ ...env, host: from }, mpidr)
  const { vm, stopped } = restoreImage({ ...env, host: to }, image)
  if (stopped !== undefined) return `${stopped} (MPIDR of vCPU 1 ${vm.mpidr(1)})`
  const same = text(saveImage(vm)) === text(image) ? 'equal' : 'differs'
  return `${same} (TGT_ID ${vm.tgt(40)}, IROUTER(40) ${hex(vm.ud(IROUTER(40)))})`
}

export const saveRestoreCases: readonly KvmCase[] = [
  {
    id: 'C106',
    title: 'a route without Aff3 on the same host',
    host: H1,
    run: (env) => migrate(env, env.host, env.host, 0x8000_0001n),
    mainline: 'equal (TGT_ID 2, IROUTER(40) 2)',
    patch: 'differs (TGT_ID 0, IROUTER(40) 0)',
    full: 'equal (TGT_ID 2, IROUTER(40) 2)',
  },
  {
    id: 'C107',
    title: 'without Aff3, from a host with A3V to one without',
    host: H0,
    run: (env) => migrate(env, H1, H0, 0x8000_0001n),
    mainline: 'EINVAL at sysreg c664 of vCPU 0 (MPIDR of vCPU 1 80000001)',
    full: 'equal (TGT_ID 2, IROUTER(40) 2)',
  },
  {
    id: 'C108',
    title: 'with Aff3, from a host with A3V to one without',
    host: H0,
    run: (env) => migrate(env, H1, H0, 0x1_8000_0001n),
    mainline: 'EINVAL at sysreg c664 of vCPU 0 (MPIDR of vCPU 1 180000001)',
    patch: 'EINVAL at sysreg c664 of vCPU 0 (MPIDR of vCPU 1 80000001)',
    full: 'equal (TGT_ID 2, IROUTER(40) 2)',
  },
  {
    id: 'C109',
    title: 'an image of mainline on a host with A3V',
    host: H1,
    run: (env) => {
      const from = four({ ruleSet: 'mainline', base: env.base, host: H1 })
      const { vm, stopped } = restoreImage(env, saveImage(from))
      if (stopped !== undefined) return stopped
      const a3v = (value: bigint, bit: bigint): string => `${(value >> bit) & 1n}`
      const typer = a3v(vm.ud(4), 24n)
      const ctlr = a3v(vm.us(0, ICC.ICC_CTLR_EL1), 15n)
      const high = vm.w32(0, IR(40) + 4, 1).r32(0, IR(40) + 4)
      return `IIDR ${hex(vm.ud(IIDR))}; GICD_TYPER.A3V ${typer}; ICC_CTLR.A3V ${ctlr}; IROUTER hi ${hex(high)}`
    },
    mainline: 'IIDR 4b00343b; GICD_TYPER.A3V 0; ICC_CTLR.A3V 1; IROUTER hi 0',
  },
  {
    id: 'C110',
    title: 'a route restored before the affinity it names',
    host: H1,
    run: (env) => {
      const vm = four(env)
      vm.must(vm.set(G.DIST_REGS, IROUTER(40), 9))
      vm.must(vm.set(G.DIST_REGS, IROUTER(40) + 4, 7))
      vm.setMpidr(1, 0x7_8000_0009n)
      const target = vm.tgt(40)
      return `${target < 0 ? `none (${target})` : target}; ${hex(vm.r64(0, IR(40)))}`
    },
    mainline: 'none (-1); 9',
    patch: 'none (-1); 7',
    full: '1; 700000009',
  },
]
