/**
 * What the review of the patch asked for (linux-arm-kernel, February 2024, "KVM: arm64: Affinity level 3 support"), each
 * objection as something that can be seen: under full-aff3, and that patch-v1 does not have it where it does not.
 */
import { describe, expect, it } from 'vitest'
import { affinityOf, irouterAffinity, resetAffinity, sgiAffinity, typerAffinity } from '../../pure/arch/affinity.ts'
import { explainRegister } from '../../pure/arch/register.ts'
import { GICR_TYPER } from '../../pure/arch/gic/gicr.ts'
import { GICD_IROUTER } from '../../pure/arch/gic/gicd.ts'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import type { HostProfile, RuleSetId } from '../../pure/blueprint/host.ts'
import { diffImages, differenceText } from '../../pure/image/diff.ts'
import type { VmImage } from '../../pure/image/image.ts'
import type { Order } from '../../pure/image/order.ts'
import { ORDERS } from '../../pure/image/orders.ts'
import { restore, restorePlan, stopText } from '../../pure/image/restore.ts'
import { saveVm } from '../../pure/image/save.ts'
import { findings } from '../../pure/rules/check.ts'
import { fullAff3 } from '../../pure/rules/full-aff3.ts'
import { mainline } from '../../pure/rules/mainline.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import { newVmFacts } from '../../pure/rules/points.ts'
import { hex } from '../../testing/kvm-cases/answers.ts'
import { CaseVm } from '../../testing/kvm-cases/case-vm.ts'
import type { Env } from '../../testing/kvm-cases/kvm-case.ts'
import { A, AT, G, GICR, IR, IROUTER, RD } from '../../testing/kvm-cases/places.ts'
import { four, vcpus } from '../../testing/kvm-cases/set-ups.ts'
import { onTwoHosts } from '../../testing/kvm-fuzz/fuzz.ts'

const { H0, H1, H2, HC } = HOST_PRESETS
const on = (ruleSet: RuleSetId, host: HostProfile = H1): Env => ({ ruleSet, base: '6.12', host })
const AFF3 = 0x1_8000_0001n

const save = (vm: CaseVm, env: Env): VmImage => {
  const made = vm.ids.map((id) => ({ id, features: ['PSCI_0_2'] as const }))
  const saved = saveVm((call) => vm.call(call), { vcpus: made, savedOn: env })
  if (!saved.ok) throw new Error(saved.what)
  return saved.image
}

/** `equal`, or what differs, or where it stopped. */
const moved = (image: VmImage, env: Env, order: Order = ORDERS.documented): string => {
  const vm = new CaseVm(env)
  for (const { id } of image.vcpus) vm.ids.push(id)
  const answer = restore((call) => vm.call(call), restorePlan(image, order))
  if (!answer.ok) return stopText(answer)
  return diffImages(image, save(vm, env)).map(differenceText).join('; ') || 'equal'
}

/** With Aff3 in MPIDR_EL1 and in a route. */
const withAff3 = (env: Env): CaseVm => {
  const vm = four(env)
  vm.setMpidr(1, AFF3)
  return vm.listening().w64(0, IR(40), 0x1_0000_0001n).spiOn(40)
}

describe('R1: host state is not guest state', () => {
  it.each([1, 2, 3, 4, 5, 6])('the same steps on hosts with and without A3V show the same, from seed %i', (seed) => {
    expect(onTwoHosts(on('full-aff3', H1), on('full-aff3', H0), seed, 80)).toBeUndefined()
  })

  it('mainline and patch-v1 show their host', () => {
    for (const ruleSet of ['mainline', 'patch-v1'] as const) {
      expect(onTwoHosts(on(ruleSet, H1), on(ruleSet, H0), 1, 80)).toMatch(/on the other host/)
    }
  })
})

describe('R2: a VM moves to where A3V differs', () => {
  it.each([
    ['from A3V = 1 to 0', H1, H0],
    ['from A3V = 0 to 1', H0, H1],
  ])('%s', (_, from, to) => {
    const image = save(withAff3(on('full-aff3', from)), on('full-aff3', from))
    expect(moved(image, on('full-aff3', to))).toBe('equal')
    const plain = save(four(on('patch-v1', from)), on('patch-v1', from))
    expect(moved(plain, on('patch-v1', to))).toMatch(/^ICC_CTLR_EL1 of vCPU 0: .*EINVAL/)
  })
})

describe('R3: ICC_CTLR_EL1.A3V is trapped where the VM has another than its host', () => {
  it.each([
    ['the VM has it, the host has not', H0, 0x8400, '8400', true],
    ['both have it', H1, 0x8400, '8400', false],
    ['the host has it, the VM has not', H1, 0x0400, '400', true],
  ] as const)('%s', (_, host, chosen, read, trapped) => {
    const vm = four(on('full-aff3', host))
    vm.must(vm.setCtlr(chosen))
    const got = vm.mrs(0, 'ICC_CTLR_EL1')
    expect([typeof got === 'string' ? got : hex(got), vm.kvm.rules.trapForA3v.decide({ vm: vm.kvm.facts })]).toEqual([
      read,
      trapped,
    ])
  })
})

describe('R4: there are VMs without a GICv3', () => {
  const stored = (ruleSet: RuleSetId, host: HostProfile, gic: 2 | undefined): string => {
    const vm = vcpus(on(ruleSet, host), 2)
    if (gic === 2) vm.must(vm.v2())
    return `${vm.setMpidr(1, AFF3)}, ${vm.mpidr(1)}`
  }
  it.each([
    ['a GICv2 on a GICv2 host', H2, 2],
    ['a GICv2 on a GICv3 host', HC, 2],
    ['no GIC on a GICv3 host', H0, undefined],
    ['no GIC on a GICv2 host', H2, undefined],
  ] as const)('%s', (_, host, gic) => {
    expect(stored('full-aff3', host, gic)).toBe('0, 180000001')
  })

  it('patch-v1 drops Aff3 there', () => {
    expect([stored('patch-v1', H2, 2), stored('patch-v1', H0, undefined)]).toEqual(['0, 80000001', '0, 80000001'])
  })
})

describe('R5: 0 is an Aff3', () => {
  it('a VM without A3V, one with AArch32 at EL1 and one on an old revision take it', () => {
    const without = four(on('full-aff3'))
    without.must(without.setCtlr(0x0400))
    const old = four(on('full-aff3'))
    old.must(old.set(G.DIST_REGS, 8, 0x4b00_243b))
    const narrow = four(on('full-aff3'), 'EL1_32BIT')
    expect([without, old, narrow].map((vm) => vm.setMpidr(1, 0x8000_0009n))).toEqual(['0', '0', '0'])
  })
})

describe('R6: GICR_TYPER follows MPIDR_EL1, in whatever order they are restored', () => {
  /** The first writes of a restore, in every order; then what there is to see. */
  const permutations = <T>(all: readonly T[]): readonly (readonly T[])[] =>
    all.length <= 1
      ? [all]
      : all.flatMap((one, i) => permutations([...all.slice(0, i), ...all.slice(i + 1)]).map((rest) => [one, ...rest]))

  const writes: readonly ((vm: CaseVm) => string)[] = [
    (vm) => vm.setMpidr(1, AFF3),
    (vm) => vm.set(G.DIST_REGS, 8, 0x4b00_443b),
    (vm) => vm.set(G.DIST_REGS, IROUTER(40), 1),
    (vm) => vm.set(G.DIST_REGS, IROUTER(40) + 4, 1),
    (vm) => vm.set(G.REDIST_REGS, AT(0, 8), 0xffff_ffff),
  ]
  const dumps = (ruleSet: RuleSetId): ReadonlySet<string> =>
    new Set(
      permutations(writes).map((order) => {
        const vm = four(on(ruleSet))
        for (const write of order) vm.must(write(vm))
        return `${hex(vm.ur(0x0100_0001, 8))} ${hex(vm.ur(0x0100_0001, 12))} ${hex(vm.r64(0, IR(40)))} ${vm.tgt(40)}`
      }),
    )

  it('gives one dump under full-aff3, and several under patch-v1', () => {
    expect([...dumps('full-aff3')]).toEqual(['100 1000001 100000001 1'])
    const plain = writes.filter((_, i) => i !== 1)
    expect(
      new Set(
        permutations(plain).map((order) => {
          const vm = four(on('patch-v1'))
          for (const write of order) vm.must(write(vm))
          return `${hex(vm.r64(0, IR(40)))} ${vm.tgt(40)}`
        }),
      ).size,
    ).toBeGreaterThan(1)
  })
})

describe('R7: vCPU ids end at 511', () => {
  it('so at reset Aff2 and Aff3 are 0 for every id there is', () => {
    const high = Array.from({ length: 512 }, (_, id) => resetAffinity(id) >>> 16).filter((levels) => levels !== 0)
    expect(high).toEqual([])
    const env = on('full-aff3')
    expect(new CaseVm(env).create(512)).toBe('EINVAL')
  })
})

describe('R8: four bytes an interrupt', () => {
  it('hold the affinity packed, which is what vgic-state prints', () => {
    const vm = four(on('full-aff3')).w64(0, IR(40), 0xff_00fe_fdfcn)
    const affinity = vm.kvm.vgic?.irq(0, 40)?.affinity ?? -1
    expect([affinity, affinity >>> 0 === affinity, vm.row(40).target]).toEqual([0xfffe_fdfc, true, 'fffefdfc'])
  })
})

describe('R9: one helper says whether a VM may use Aff3', () => {
  it('so GICD_TYPER, both halves of GICD_IROUTER and the nested ICH_VTR_EL2 agree in every state of a VM', () => {
    const rules = rulesFor('full-aff3', '6.12')
    const states = [2, 3, 4].flatMap((revision) =>
      [true, false].flatMap((guestA3v) =>
        ([2, 3, 'none'] as const).map((gic) => ({ ...newVmFacts(H1, rules), revision, guestA3v, gic })),
      ),
    )
    const stored = affinityOf({ aff3: 1, aff2: 0, aff1: 0, aff0: 2 })
    for (const vm of states) {
      const usable = [
        rules.distributorTyperA3v.decide({ vm }),
        rules.irouterRead.decide({ vm, stored, width: 4, half: 'high' }) !== 0n,
        rules.irouterWrite.decide({ vm, stored: 2, value: 1n, width: 4, half: 'high' }).stored !== 2,
        rules.nestedVtrA3v.decide({ vm }),
      ]
      expect([vm.revision, vm.guestA3v, vm.gic, new Set(usable).size]).toEqual([vm.revision, vm.guestA3v, vm.gic, 1])
    }
  })
})

describe('R10: fields have names', () => {
  it('and the tables of registers say where they are (IHI 0069, 12.2.25, 12.9.22, 12.11.35)', () => {
    const all = affinityOf({ aff3: 4, aff2: 3, aff1: 2, aff0: 1 })
    expect(typerAffinity.encode(all)).toBe(0x0403_0201_0000_0000n)
    expect(irouterAffinity.encode(all)).toBe(0x4_0003_0201n)
    expect(sgiAffinity.encode(all)).toBe(0x0004_0003_0002_0000n)
    const named = (register: Parameters<typeof explainRegister>[0], value: bigint): readonly string[] =>
      explainRegister(register, value).map(({ field, bits, value: part }) => `${field} ${bits} ${part}`)
    expect(named(GICD_IROUTER, irouterAffinity.encode(all))).toEqual([
      'Aff3 39:32 4',
      'Interrupt_Routing_Mode 31 0',
      'Aff2 23:16 3',
      'Aff1 15:8 2',
      'Aff0 7:0 1',
    ])
    expect(named(GICR_TYPER, typerAffinity.encode(all))[0]).toBe(`Affinity_Value 63:32 ${0x0403_0201}`)
  })
})

describe('R11: save and restore', () => {
  it.each([
    ['mainline', 'equal'],
    ['patch-v1', 'GICD_IROUTER40: 0x100000001, 0x1'],
    ['full-aff3', 'equal'],
  ] as const)('every register of a VM with Aff3 under %s: %s', (ruleSet, expected) => {
    const env = on(ruleSet)
    expect(moved(save(withAff3(env), env), env)).toBe(expected)
  })
})

describe('R12: one thing at a time', () => {
  it('each of the steps is a point of its own, which can be had without the others', () => {
    const steps = [
      'irouterWrite',
      'irouterRead',
      'typerAffinity',
      'setMpidr',
      'iccCtlrA3vGuest',
      'iccCtlrSetA3v',
      'distributorTyperA3v',
      'iidrWrite',
    ] as const
    for (const step of steps) {
      const rules = { ...mainline, [step]: fullAff3[step] }
      const changed = Object.keys(mainline).filter(
        (name) =>
          new Map(Object.entries(rules)).get(name) !== new Map<string, unknown>(Object.entries(mainline)).get(name),
      )
      expect(changed).toEqual([step])
    }
  })
})

describe('R13: who needs it', () => {
  it('is told beside a machine that uses it', () => {
    const blueprint = { ...defaultBlueprint, affinities: { 1: 0x0100_0001 } }
    const texts = findings(blueprint).map(({ text }) => text)
    expect(texts.some((text) => text.startsWith('No VM needs Aff3: 512 vCPUs fit Aff1 and Aff0.'))).toBe(true)
    expect(findings(defaultBlueprint)).toEqual([])
  })
})

describe('the redistributors', () => {
  it('are found by a guest under full-aff3 whatever the host, and by none under mainline', () => {
    const found = (ruleSet: RuleSetId, host: HostProfile): boolean => {
      const vm = vcpus(on(ruleSet, host), 2)
      vm.setMpidr(1, AFF3)
      vm.must(vm.gic(7))
      vm.must(vm.set(G.ADDR, A.V3_DIST, 0x0800_0000))
      vm.must(vm.set(G.ADDR, A.V3_REDIST, GICR))
      vm.must(vm.initGic())
      return [0, 1].some((frame) => vm.r64(0, RD(frame) + 8) >> 32n === 0x0100_0001n)
    }
    expect([H1, H0].map((host) => found('full-aff3', host))).toEqual([true, true])
    expect([H1, H0].map((host) => found('patch-v1', host))).toEqual([true, false])
    expect([H1, H0].map((host) => found('mainline', host))).toEqual([false, false])
  })
})
