/** A VM saved by KVM calls and put together again on the same host, on another, under another rule set. */
import { describe, expect, it } from 'vitest'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import type { HostProfile, RuleSetId } from '../../pure/blueprint/host.ts'
import { diffImages, differenceText } from '../../pure/image/diff.ts'
import type { VmImage } from '../../pure/image/image.ts'
import type { Order, Stage } from '../../pure/image/order.ts'
import { ORDERS } from '../../pure/image/orders.ts'
import type { OrderId } from '../../pure/image/orders.ts'
import { restore, restorePlan, stopText } from '../../pure/image/restore.ts'
import { saveVm } from '../../pure/image/save.ts'
import { ONE_REG } from '../../pure/uapi/one-reg.ts'
import { CaseVm } from '../../testing/kvm-cases/case-vm.ts'
import type { Env } from '../../testing/kvm-cases/kvm-case.ts'
import { G, GICD, IR, IROUTER, RD, SGI } from '../../testing/kvm-cases/places.ts'
import { four, vcpus } from '../../testing/kvm-cases/set-ups.ts'

const { H0, H1 } = HOST_PRESETS
const on = (ruleSet: RuleSetId, host: HostProfile): Env => ({ ruleSet, base: '6.12', host })

const save = (vm: CaseVm, env: Env): VmImage => {
  const made = vm.ids.map((id) => ({ id, features: ['PSCI_0_2'] as const }))
  const saved = saveVm((call) => vm.call(call), { vcpus: made, savedOn: env })
  if (!saved.ok) throw new Error(saved.what)
  return saved.image
}

/** What is left of a VM after its move: `equal`, the differences, or where it stopped. */
const move = (image: VmImage, to: Env, order: Order = ORDERS.documented): { text: string; vm: CaseVm } => {
  const vm = new CaseVm(to)
  for (const id of image.vcpus.map((vcpu) => vcpu.id)) vm.ids.push(id)
  const answer = restore((call) => vm.call(call), restorePlan(image, order))
  if (!answer.ok) return { text: stopText(answer), vm }
  const differences = diffImages(image, save(vm, to)).map(differenceText)
  return { text: differences.length === 0 ? 'equal' : differences.join('; '), vm }
}

/** A VM in which every kind of state is other than at the start. */
const lived = (env: Env, mpidr = 0x8000_0001n): CaseVm => {
  const vm = vcpus(env, 4)
  vm.setMpidr(1, mpidr)
  vm.must(vm.v3()).listening()
  vm.w32(0, GICD + 0xc08, 0xaaaa_aaaa & ~0x20000)
    .w32(0, GICD + 0x84, 0xffff_feff)
    .w32(0, GICD + 0x428, 0x8040_a0f8)
  for (const [intid, cpu] of [
    [40, 2],
    [41, 3],
    [42, 0],
  ] as const) {
    vm.w32(0, IR(intid), cpu).spiOn(intid)
  }
  vm.irqLine(1, 0, 40, true)
  // 41 is active on vCPU 3; 42 is pending for vCPU 0, an SGI for vCPU 2.
  vm.spiPend(41).mrs(3, 'ICC_IAR1_EL1')
  vm.spiPend(42).msr(0, 'ICC_SGI1R_EL1', 0x300_0004n)
  vm.w32(0, SGI(1) + 0x100, 1 << 20)
    .w32(0, SGI(1) + 0x300, 1 << 20)
    .w32(0, SGI(1) + 0x80, 0xffff_0000)
    .write(0, 1, SGI(1) + 0x414, 0x48)
    .w64(0, RD(2) + 0x78, 0x4321_0000n)
  vm.msr(1, 'ICC_BPR1_EL1', 5)
  vm.msr(2, 'ICC_CTLR_EL1', 2)
  vm.setReg(1, ONE_REG.X0, 0x1234n)
  return vm
}

describe.each(Object.entries(ORDERS) as readonly [OrderId, Order][])('the order of %s', (id, order) => {
  it('is complete where nothing differs, or loses what is known to be lost', () => {
    const env = on('mainline', H1)
    const { text } = move(save(lived(env), env), env, order)
    const lost: Record<OrderId, RegExp> = {
      documented: /^equal$/,
      // Without an ITS the LPI tables are left alone.
      qemu: /^GICR_PENDBASER of vCPU 2: 0x43210180, 0x580$/,
      // Line levels are not saved: the level of SPI 40 is lost.
      firecracker: /^LEVEL_INFO1: 0x100, 0x0; GICR_PROPBASER of vCPU 0: 0x0, 0x180; /,
      // ICENABLER and ICACTIVER are written with what they read, which clears what was just set.
      crosvm: /^GICD_ISENABLER1: 0x700, 0x0; GICD_ISACTIVER1: 0x200, 0x0; /,
    }
    expect(text).toMatch(lost[id])
  })
})

describe('the same order under every rule set', () => {
  it('C106 patch-v1 routes every SPI to 0.0.0.0', () => {
    const env = on('patch-v1', H1)
    const { text, vm } = move(save(lived(env), env), env)
    expect(text).toBe('GICD_IROUTER40: 0x2, 0x0; GICD_IROUTER41: 0x3, 0x0')
    expect(vm.tgt(40)).toBe(0)
  })

  it('C106 the others bring the route back', () => {
    for (const ruleSet of ['mainline', 'full-aff3'] as const) {
      const env = on(ruleSet, H1)
      const { text, vm } = move(save(lived(env), env), env)
      expect([ruleSet, text, vm.tgt(40)]).toEqual([ruleSet, 'equal', 2])
    }
  })

  it('C107 stops at ICC_CTLR_EL1 where the other host has no A3V', () => {
    for (const ruleSet of ['mainline', 'patch-v1'] as const) {
      const env = on(ruleSet, H1)
      expect(move(save(four(env), env), on(ruleSet, H0)).text).toBe(
        'ICC_CTLR_EL1 of vCPU 0: 0x8400 wanted, 0x400 found; EINVAL: ICC_CTLR_EL1.A3V = 1, but this host has A3V = 0.',
      )
    }
  })

  it('C108 with Aff3: patch-v1 has lost the vCPU before it comes to ICC_CTLR_EL1', () => {
    const stop = (ruleSet: RuleSetId): string => {
      const env = on(ruleSet, H1)
      return move(save(lived(env, 0x1_8000_0001n), env), on(ruleSet, H0)).text
    }
    expect(stop('mainline')).toMatch(/^ICC_CTLR_EL1 of vCPU 0: 0x8400 wanted, 0x400 found; EINVAL/)
    expect(stop('patch-v1')).toBe('GICR_PENDBASER of vCPU 1: 0x580 wanted; EINVAL: No vCPU has the affinity 1.0.0.1.')
    expect(stop('full-aff3')).toBe('equal')
  })

  it('C109 full-aff3 takes an image of mainline and shows what mainline shows', () => {
    const from = on('mainline', H1)
    const { text, vm } = move(save(lived(from), from), on('full-aff3', H0))
    expect(text).toBe('equal')
    expect([vm.ud(8), (vm.ud(4) >> 24n) & 1n, (vm.us(0, 0xc664) >> 15n) & 1n]).toEqual([0x4b00_343bn, 0n, 1n])
    expect(vm.w32(0, IR(40) + 4, 1).r32(0, IR(40) + 4)).toBe(0n)
  })

  it('C110 a route restored before the affinity it names goes nowhere, but under full-aff3', () => {
    // Firecracker's order with the vCPUs' registers last.
    const late: Order = {
      ...ORDERS.firecracker,
      stages: [...ORDERS.firecracker.stages.filter((stage) => stage.do !== 'each vcpu'), { do: 'affinities' }],
    }
    const target = (ruleSet: RuleSetId): number => {
      const env = on(ruleSet, H1)
      const vm = vcpus(env, 4)
      vm.setMpidr(1, 0x8000_0009n)
      vm.must(vm.v3())
      vm.must(vm.set(G.DIST_REGS, IROUTER(40), 9))
      return move(save(vm, env), env, late).vm.tgt(40)
    }
    expect([target('mainline'), target('full-aff3')]).toEqual([-1, 1])
  })
})

describe('a refusal', () => {
  it('leaves the VM that was saved as it was', () => {
    const env = on('mainline', H1)
    const vm = lived(env)
    const before = save(vm, env)
    expect(move(before, on('mainline', H0)).text).not.toBe('equal')
    expect(diffImages(before, save(vm, env))).toEqual([])
  })

  it('tells the step, and how far it came', () => {
    const env = on('mainline', H1)
    const image = save(four(env), env)
    const broken: VmImage = { ...image, gic: { ...image.gic, irqs: 33 } }
    const vm = new CaseVm(env)
    const answer = restore((call) => vm.call(call), restorePlan(broken, ORDERS.documented))
    if (answer.ok) throw new Error('33 interrupts were taken')
    expect([answer.step.what, answer.errno, answer.done]).toEqual(['the number of interrupts', 'EINVAL', 14])
  })
})

describe('what was saved', () => {
  it('goes on where it was: lines, active and pending interrupts', () => {
    const env = on('mainline', H1)
    const { vm } = move(save(lived(env), env), env)
    // 41 is active on vCPU 3 until it completes it; 40's line is up, for vCPU 2; 42 waits for vCPU 0.
    expect([vm.ack(0), vm.ack(3)]).toEqual([42, 1023])
    expect(vm.msr(3, 'ICC_EOIR1_EL1', 41)).toBe(0n)
    expect(vm.spiPend(41).ack(3)).toBe(41)
    expect(vm.mrs(2, 'ICC_IAR1_EL1')).toBe(3n)
  })

  it('waits for ever where the distributor was still off when it became pending again', () => {
    const env = on('mainline', H1)
    const image = save(lived(env), env)
    const withoutCtlr = (stage: Stage): Stage =>
      stage.do === 'distributor' ? { ...stage, writes: stage.writes.filter((bank) => bank !== 'GICD_CTLR') } : stage
    const late: Order = {
      ...ORDERS.documented,
      stages: [...ORDERS.documented.stages.map(withoutCtlr), { do: 'distributor', writes: ['GICD_CTLR'] }],
    }
    const { text, vm } = move(image, env, late)
    // No register shows it.
    expect([text, vm.ur(2, 0x10200), vm.mrs(2, 'ICC_IAR1_EL1')]).toEqual(['equal', 8n, 1023n])
  })
})
