/**
 * MPIDR_EL1, GICR_TYPER and GICD_IROUTER as KVM's rule sets have them. What mainline answers (on 6.12 and 6.1), and the
 * patch on both, was recorded on those kernels; an answer that is not listed for a column is mainline's.
 */
import { describe, expect, it } from 'vitest'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import type { KernelBase, RuleSetId } from '../../pure/blueprint/host.ts'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { ONE_REG } from '../../pure/uapi/one-reg.ts'
import { VGIC_GROUP, registerAttr } from '../../pure/uapi/vgic-attr.ts'
import { PSCI, SMC64, psciReturnName } from '../../pure/arch/psci.ts'
import { TestMachine } from '../../testing/test-machine.ts'
import { GICD, GICR, TestVm, irouter, outcome } from '../../testing/test-vm.ts'
import type { TestVmOptions } from '../../testing/test-vm.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import { Kvm } from './kvm.ts'

const { H0, H2, HC } = HOST_PRESETS

const COLUMNS = {
  mainline: ['mainline', '6.12'],
  'mainline 6.1': ['mainline', '6.1'],
  patch: ['patch-v1', '6.8'],
  'patch 6.1': ['patch-v1', '6.1'],
  'patch 6.12': ['patch-v1', '6.12'],
  full: ['full-aff3', '6.12'],
  'full 6.1': ['full-aff3', '6.1'],
} as const satisfies Record<string, readonly [RuleSetId, KernelBase]>
type Column = keyof typeof COLUMNS

/** A column's answer, where it is not mainline's: `patch` and `full` speak for their other bases too. */
type Expected = { readonly mainline: string } & Partial<Record<Column, string>>

const expectedIn = (column: Column, all: Expected): string => {
  const own = all[column]
  if (own !== undefined) return own
  if (column.startsWith('patch')) return all.patch ?? all.mainline
  return column.startsWith('full') ? (all.full ?? all.mainline) : all.mainline
}

type Make = (options?: Omit<TestVmOptions, 'ruleSet' | 'base'>) => TestVm

interface Case {
  readonly id: string
  readonly run: (make: Make, column: Column) => string
  readonly expected: Expected
}

const setGet = (vm: TestVm, vcpu: number, value: bigint): string =>
  `${outcome(vm.setMpidr(vcpu, value))}, ${vm.getMpidr(vcpu)}`

const AFF3 = 0x1_8000_0001n

const withAff3 = (vm: TestVm): TestVm => {
  vm.setMpidr(1, AFF3)
  return vm
}

const duplicate = (make: Make): TestVm => {
  const vm = make()
  vm.must(vm.setMpidr(2, 0x8000_0001n))
  return vm
}

const DIST_IIDR = registerAttr(0, 8)
/** ICC_CTLR_EL1 with 5 priority bits and A3V = 0. */
const NO_A3V = 0x0400n

const mpidrCases: readonly Case[] = [
  {
    id: 'C01 a vCPU starts with its id as affinity',
    run: (make) => {
      const vm = make()
      return [0, 1, 2, 3].map((vcpu) => vm.getMpidr(vcpu)).join(', ')
    },
    expected: { mainline: '80000000, 80000001, 80000002, 80000003' },
  },
  {
    id: 'C02 sixteen vCPUs share an Aff1',
    run: (make) => {
      const vm = make({ ids: [0, 16, 17] })
      return [0, 1, 2].map((vcpu) => vm.getMpidr(vcpu)).join(', ')
    },
    expected: { mainline: '80000000, 80000100, 80000101' },
  },
  {
    id: 'C03 the highest id has Aff2 0 still',
    run: (make) => make({ ids: [0, 511] }).getMpidr(1),
    expected: { mainline: '80001f0f' },
  },
  {
    id: 'C04 there is no id 512',
    run: (make) => outcome(make({ gic: 'none' }).kvm.execute({ call: 'KVM_CREATE_VCPU', id: 512 })),
    expected: { mainline: 'EINVAL' },
  },
  { id: 'C05 Aff3 is stored', run: (make) => setGet(make(), 1, AFF3), expected: { mainline: '0, 180000001' } },
  {
    id: 'C06 Aff3 on a host without A3V',
    run: (make) => setGet(make({ host: H0 }), 1, AFF3),
    expected: { mainline: '0, 180000001', patch: '0, 80000001' },
  },
  {
    id: 'C07 Aff3 with a GICv2 on a GICv2 host',
    run: (make) => setGet(make({ host: H2, ids: [0, 1], gic: 2 }), 1, AFF3),
    expected: { mainline: '0, 180000001', patch: '0, 80000001' },
  },
  {
    id: 'C08 Aff3 with a GICv2 on a GICv3 host',
    run: (make) => setGet(make({ host: HC, gic: 2 }), 1, AFF3),
    expected: { mainline: '0, 180000001' },
  },
  {
    id: 'C09 Aff3 with AArch32 at EL1',
    run: (make) => setGet(make({ el1: 32 }), 1, AFF3),
    expected: { mainline: '0, 180000001', patch: '0, 80000001', full: 'EINVAL, 80000001' },
  },
  {
    id: 'C10 another affinity with AArch32 at EL1',
    run: (make) => outcome(make({ el1: 32, host: H0 }).setMpidr(1, 0x8000_0009n)),
    expected: { mainline: '0' },
  },
  { id: 'C11 bit 31 clear', run: (make) => setGet(make(), 1, 0n), expected: { mainline: '0, 0' } },
  {
    id: 'C12 every bit set',
    run: (make) => setGet(make(), 1, 2n ** 64n - 1n),
    expected: { mainline: '0, ffffffffffffffff' },
  },
  {
    id: 'C13 another affinity after the first run',
    run: (make) => outcome(make().run().setMpidr(1, 0x8000_0009n)),
    expected: { mainline: '0', full: 'EBUSY' },
  },
  {
    id: 'C14 the same affinity after the first run',
    run: (make) => outcome(make().run().setMpidr(1, 0xc000_0001n)),
    expected: { mainline: '0' },
  },
  { id: 'C15 a duplicate', run: (make) => outcome(make().setMpidr(2, 0x8000_0001n)), expected: { mainline: '0' } },
  {
    id: 'C16 who answers to a duplicate before the first run',
    run: (make) => duplicate(make).typerLow(1),
    expected: { mainline: '00000100' },
  },
  {
    id: 'C17 who answers to a duplicate after the first run',
    run: (make) => duplicate(make).run().typerLow(1),
    expected: {
      mainline: '00000200',
      'mainline 6.1': '00000100',
      'patch 6.1': '00000100',
      full: '00000100',
    },
  },
  {
    id: 'C18 MPIDR after a second KVM_ARM_VCPU_INIT',
    run: (make) => {
      const vm = make()
      vm.must(vm.setMpidr(1, 0x8000_0009n))
      vm.must(vm.kvm.execute({ call: 'KVM_ARM_VCPU_INIT', vcpu: 1, features: ['PSCI_0_2'] }))
      return vm.getMpidr(1)
    },
    expected: { mainline: '80000009', 'mainline 6.1': '80000001', patch: '80000001', 'patch 6.12': '80000009' },
  },
  {
    id: 'C19 MPIDR after CPU_ON',
    run: (make) => {
      const vm = make({ off: [1] })
      vm.must(vm.setMpidr(1, 0x8000_0009n))
      vm.run()
      const answer = vm.machine.hvc(0, PSCI.CPU_ON.id | SMC64, 9n, 0x4000_0000n, 7n) ?? 0n
      expect(vm.machine.cpu(1).startedAt).toEqual({ entry: 0x4000_0000n, context: 7n })
      return `${psciReturnName(answer)}, ${vm.machine.cpu(1).mpidr.toString(16)}`
    },
    expected: {
      mainline: 'SUCCESS, 80000009',
      'mainline 6.1': 'SUCCESS, 80000001',
      patch: 'SUCCESS, 80000001',
      'patch 6.12': 'SUCCESS, 80000009',
    },
  },
  {
    id: 'C20 an affinity that changed after the first run',
    run: (make) => {
      const vm = make().run()
      vm.setMpidr(3, 0x8000_0040n)
      return vm.typerLow(0x40)
    },
    expected: {
      mainline: '00000310',
      patch: 'EINVAL',
      'patch 6.1': '00000310',
      'patch 6.12': '00000310',
      full: 'EINVAL',
    },
  },
  {
    id: 'C21 MPIDR of a vCPU that was not initialised',
    run: (_, column) => {
      const [ruleSet, base] = COLUMNS[column]
      const kvm = new Kvm({ hardware: new TestMachine(), rules: rulesFor(ruleSet, base), host: HOST_PRESETS.H1 })
      kvm.execute({ call: 'KVM_CREATE_VCPU', id: 0 })
      return outcome(kvm.execute({ call: 'KVM_GET_ONE_REG', vcpu: 0, reg: ONE_REG.MPIDR_EL1 }))
    },
    expected: { mainline: 'ENOEXEC' },
  },
  {
    id: 'C22 Aff3 in a VM with A3V = 0',
    run: (make) => {
      const vm = make({ host: H0 })
      vm.must(vm.setAttr(VGIC_GROUP.CPU_SYSREGS, registerAttr(0, ICC.ICC_CTLR_EL1), NO_A3V))
      return outcome(vm.setMpidr(1, AFF3))
    },
    expected: { mainline: '0', full: 'EINVAL' },
  },
]

const typerCases: readonly Case[] = [
  {
    id: 'C23 the first and the last redistributor',
    run: (make) => {
      const vm = make().run()
      return `${vm.guestTyper(0)}, ${vm.guestTyper(3)}`
    },
    expected: { mainline: '0000000000000000, 0000000300000310' },
  },
  {
    id: 'C24 a CPU with Aff3',
    run: (make) => withAff3(make()).run().guestTyper(1),
    expected: { mainline: '0000000100000100', patch: '0100000100000100', full: '0100000100000100' },
  },
  {
    id: 'C25 a CPU with Aff3 on a host without A3V',
    run: (make) =>
      withAff3(make({ host: H0 }))
        .run()
        .guestTyper(1),
    expected: { mainline: '0000000100000100', full: '0100000100000100' },
  },
  {
    id: 'C26 a CPU with Aff3 under distributor revision 3',
    run: (make) => {
      const vm = withAff3(make())
      vm.must(vm.setAttr(VGIC_GROUP.DIST_REGS, DIST_IIDR, 0x4b00_343bn))
      return vm.run().guestTyper(1)
    },
    expected: { mainline: '0000000100000100', patch: '0100000100000100', full: '0000000100000100' },
  },
  {
    id: 'C27 the upper word alone',
    run: (make) => {
      const vm = make()
      vm.must(vm.setMpidr(1, 0x8005_0607n))
      return vm
        .run()
        .machine.load(GICR + 0x2000c, 4)
        .toString(16)
        .padStart(8, '0')
    },
    expected: { mainline: '00050607' },
  },
  {
    id: 'C28 userspace writes it',
    run: (make) => {
      const vm = make()
      const writes = [8, 12].map((offset) =>
        outcome(vm.setAttr(VGIC_GROUP.REDIST_REGS, registerAttr(1, offset), 0xffff_ffffn)),
      )
      return `${writes.join(' ')}, ${vm.run().guestTyper(1)}`
    },
    expected: { mainline: '0 0, 0000000100000100' },
  },
  {
    id: 'C29 Last in three regions, of which two touch',
    run: (make) =>
      make({
        ids: [0, 3, 5, 4, 1, 2],
        regions: [
          [2, 0x100000],
          [2, 0x240000],
          [2, 0x200000],
        ],
      }).typerLows([0, 1, 2, 3, 4, 5]),
    expected: { mainline: '000,100,200,310,410,500' },
  },
  {
    id: 'C30 Last in the legacy region',
    run: (make) => make({ ids: [0, 3, 5, 4, 1, 2] }).typerLows([0, 3, 5, 4, 1, 2]),
    expected: { mainline: '000,300,500,400,100,210' },
  },
  {
    id: 'C31 Last before an empty region',
    run: (make) =>
      make({
        ids: [0],
        regions: [
          [1, 0x200000],
          [1, 0x220000],
        ],
      }).typerLows([0]),
    expected: { mainline: '010' },
  },
  {
    id: 'C32 Last before a region in use',
    run: (make) =>
      make({
        ids: [0, 1],
        regions: [
          [1, 0x200000],
          [1, 0x220000],
        ],
      }).typerLows([0, 1]),
    expected: { mainline: '000,110' },
  },
  {
    id: 'C33 accesses of 16 and of 8 bits',
    run: (make) => {
      const { machine } = make().run()
      return `${machine.load(GICR + 0x20008, 2)}, ${machine.load(GICR + 0x20008, 1)}`
    },
    expected: { mainline: '0, 0' },
  },
  {
    id: 'C35 Processor_Number is the id',
    run: (make) =>
      make({ ids: [0, 300] })
        .run()
        .guestTyper(1),
    expected: { mainline: '0000120c00012c10' },
  },
  {
    id: 'C36 the device attribute of a CPU with Aff3',
    run: (make) => {
      const vm = withAff3(make())
      return `${vm.typerLow(0x0100_0001, 3)}; ${vm.typerLow(1, 3)}`
    },
    expected: { mainline: '100; EINVAL' },
  },
  {
    id: 'C37 the same on a host without A3V',
    run: (make) => {
      const vm = withAff3(make({ host: H0 }))
      return `${vm.typerLow(0x0100_0001, 3)}; ${vm.typerLow(1, 3)}`
    },
    expected: { mainline: '100; EINVAL', patch: 'EINVAL; 100' },
  },
  {
    id: 'C38 before the GIC is initialised',
    run: (make) => {
      const vm = make({ ids: [0, 1], init: false })
      return `${vm.typerLow(1)}; ${vm.typerLow(2)}`
    },
    expected: { mainline: 'EBUSY; EINVAL' },
  },
]

const ROUTE = 0x1_0000_0002n

const routerCases: readonly Case[] = [
  {
    id: 'C39 an SPI that was never routed, with no CPU at 0.0.0.0',
    run: (make) => {
      const vm = make({ beforeGic: (early) => early.must(early.setMpidr(0, 0x8000_0005n)) }).run()
      return `${vm.readRouter(40)}; ${vm.target(40)}`
    },
    expected: { mainline: '0; 0', full: '0; -1' },
  },
  {
    id: 'C40 a 64-bit write with Aff3',
    run: (make) => make().run().writeRouter(40, ROUTE).readRouter(40),
    expected: { mainline: '2', patch: '100000002', full: '100000002' },
  },
  {
    id: 'C41 a 64-bit write with Aff3 on a host without A3V',
    run: (make) => {
      const vm = make({ host: H0 }).run().writeRouter(40, ROUTE)
      return `${vm.readRouter(40)}; ${vm.readRouter(40, 'high')}`
    },
    expected: { mainline: '2; 0', patch: '100000002; 0', full: '100000002; 1' },
  },
  {
    id: 'C42 then the low word',
    run: (make) => make().run().writeRouter(40, ROUTE).writeRouter(40, 3n, 'low').readRouter(40),
    expected: { mainline: '3', full: '100000003' },
  },
  {
    id: 'C43 the low word, then the high word',
    run: (make) => make().run().writeRouter(40, 2n, 'low').writeRouter(40, 1n, 'high').readRouter(40),
    expected: { mainline: '2', patch: '1', full: '100000002' },
  },
  {
    id: 'C44 the low word, then a high word of 0',
    run: (make) => make().run().writeRouter(40, 2n, 'low').writeRouter(40, 0n, 'high').readRouter(40),
    expected: { mainline: '2', patch: '0', full: '2' },
  },
  {
    id: 'C45 the same on a host without A3V',
    run: (make) => make({ host: H0 }).run().writeRouter(40, 2n, 'low').writeRouter(40, 0n, 'high').readRouter(40),
    expected: { mainline: '2' },
  },
  {
    id: 'C46 Interrupt_Routing_Mode',
    run: (make) => make().run().writeRouter(40, 0x8000_0001n, 'low').readRouter(40, 'low'),
    expected: { mainline: '1' },
  },
  {
    id: 'C47 no such CPU',
    run: (make) => {
      const vm = make().run().writeRouter(40, 0x77n, 'low')
      return `${vm.readRouter(40)}; ${vm.target(40)}, ${vm.targetColumn(40).trim()}`
    },
    expected: { mainline: '77; -1, 77' },
  },
  {
    id: 'C48 an interrupt for no CPU stays pending',
    run: (make) => {
      const vm = make().run().listen(40).writeRouter(40, 0x77n, 'low').pend(40)
      return `${vm.delivered(40)}, ISPENDR ${vm.pendingBit(40)}`
    },
    expected: { mainline: 'not delivered, ISPENDR 1' },
  },
  {
    id: 'C49 then it is routed to a CPU',
    run: (make) => {
      const vm = make().run().listen(40).writeRouter(40, 0x77n, 'low').pend(40).writeRouter(40, 1n, 'low')
      return `${vm.delivered(40)}, TGT_ID ${vm.target(40)}`
    },
    expected: { mainline: 'not delivered, TGT_ID 1', full: 'delivered to vCPU 1, TGT_ID 1' },
  },
  {
    id: 'C50 then it is enabled again',
    run: (make) =>
      make()
        .run()
        .listen(40)
        .writeRouter(40, 0x77n, 'low')
        .pend(40)
        .writeRouter(40, 1n, 'low')
        .enable(40)
        .delivered(40),
    expected: { mainline: 'delivered to vCPU 1' },
  },
  {
    id: 'C51 an SPI for a CPU with Aff3',
    run: (make) => {
      const vm = withAff3(make()).run().listen(40).writeRouter(40, 0x1_0000_0001n).pend(40)
      return `${vm.delivered(40)}, TGT_ID ${vm.target(40)}`
    },
    expected: {
      mainline: 'not delivered, TGT_ID -1',
      patch: 'delivered to vCPU 1, TGT_ID 1',
      full: 'delivered to vCPU 1, TGT_ID 1',
    },
  },
  {
    id: 'C52 a CPU comes to where an SPI is routed',
    run: (make) => {
      const vm = make()
      vm.must(vm.setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, irouter(41)), 9n))
      vm.must(vm.setMpidr(2, 0x8000_0009n))
      return `${vm.target(41)}`
    },
    expected: { mainline: '-1', full: '2' },
  },
  {
    id: 'C53 a CPU leaves where an SPI is routed',
    run: (make) => {
      const vm = make()
      vm.must(vm.setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, irouter(41)), 1n))
      vm.must(vm.setMpidr(1, 0x8000_0009n))
      return `${vm.target(41)}`
    },
    expected: { mainline: '1', full: '-1' },
  },
  {
    id: 'C54 interrupts that have no route',
    run: (make) => {
      const vm = make().run().writeRouter(31, 2n).writeRouter(256, 2n)
      return `${vm.readRouter(31)}; ${vm.readRouter(256)}`
    },
    expected: { mainline: '0; 0' },
  },
  {
    id: 'C55 an 8-bit write',
    run: (make) => {
      const vm = make().run()
      vm.machine.store(GICD + irouter(40), 1, 1n)
      return vm.readRouter(40)
    },
    expected: { mainline: '0' },
  },
  {
    id: 'C56 which attributes exist',
    run: (make) => {
      const vm = make()
      return [0x6140, 0x6142, 0x6800]
        .map((offset) => outcome(vm.hasAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, offset))))
        .join('; ')
    },
    expected: { mainline: '0; ENXIO; ENXIO' },
  },
  {
    id: 'C57 an active SPI stays where it is',
    run: (make) => {
      const vm = make().run().listen(40).writeRouter(40, 0n, 'low').pend(40)
      const first = vm.delivered(40)
      vm.writeRouter(40, 1n, 'low').pend(40)
      const second = vm.delivered(40)
      return `${first}; ${second}; ${vm.complete(0, 40).delivered(40)}`
    },
    expected: { mainline: 'delivered to vCPU 0; not delivered; delivered to vCPU 1' },
  },
  {
    id: 'C58 userspace restores a route',
    run: (make) => {
      const vm = make()
      vm.must(vm.setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, irouter(40)), 2n))
      vm.must(vm.setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, irouter(40) + 4), 0n))
      return [0, 4]
        .map((half) => vm.getAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, irouter(40) + half)))
        .map((answer) => (answer.ok ? `${answer.value}` : answer.errno))
        .join(', ')
    },
    expected: { mainline: '2, 0', patch: '0, 0', full: '2, 0' },
  },
  {
    id: 'C59 the high word in a VM with A3V = 0',
    run: (make) => {
      const vm = make({ host: H0 })
      vm.must(vm.setAttr(VGIC_GROUP.CPU_SYSREGS, registerAttr(0, ICC.ICC_CTLR_EL1), NO_A3V))
      return vm.run().writeRouter(40, 1n, 'high').readRouter(40, 'high')
    },
    expected: { mainline: '0' },
  },
  {
    id: 'C60 bits 31:24',
    run: (make) => make().run().writeRouter(40, 0xff00_0002n, 'low').readRouter(40, 'low'),
    expected: { mainline: '2' },
  },
]

const columns = Object.keys(COLUMNS).filter((name): name is Column => name in COLUMNS)

const rows = columns.flatMap((column) =>
  [...mpidrCases, ...typerCases, ...routerCases].map((one) => [column, one.id, one] as const),
)

describe('Aff3', () => {
  it.each(rows)('%s: %s', (column, _, { run, expected }) => {
    const [ruleSet, base] = COLUMNS[column]
    const answer = run((options) => new TestVm({ ruleSet, base, ...options }), column)
    expect(answer).toBe(expectedIn(column, expected))
  })
})
