/** Eventfds that raise interrupts (virt/kvm/eventfd.c; arch/arm64/kvm/vgic/vgic-irqfd.c). */
import { describe, expect, it } from 'vitest'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { IRQFD } from '../../pure/uapi/irqfd.ts'
import { GICD, TestVm, outcome } from '../../testing/test-vm.ts'

const FD = 5
const RESAMPLE_FD = 6
/** GSI 8 is SPI 40. */
const GSI = 8
const INTID = 40

const assign = (vm: TestVm, fd: number, gsi: number, resamplefd?: number): string => {
  const flags = resamplefd === undefined ? 0 : IRQFD.RESAMPLE
  return outcome(
    vm.kvm.execute({ call: 'KVM_IRQFD', fd, gsi, flags, ...(resamplefd === undefined ? {} : { resamplefd }) }),
  )
}
const deassign = (vm: TestVm, fd: number, gsi: number): string =>
  outcome(vm.kvm.execute({ call: 'KVM_IRQFD', fd, gsi, flags: IRQFD.DEASSIGN }))
const write = (vm: TestVm, fd: number): string => outcome(vm.kvm.execute({ call: 'eventfd_write', fd }))
const read = (vm: TestVm, fd: number): string => {
  const answer = vm.kvm.execute({ call: 'eventfd_read', fd })
  return answer.ok ? `${answer.value}` : answer.errno
}

/** Two CPUs whose guest listens to SPI 40, as an edge or as a level. */
const listening = (kind: 'edge' | 'level'): TestVm => {
  const vm = new TestVm({ ruleSet: 'mainline', ids: [0, 1] }).run()
  vm.machine.store(GICD + 0xc08, 4, kind === 'edge' ? 0x2_0000n : 0n)
  return vm.listen(INTID)
}
/** Takes what is pending on CPU 0, and completes it. */
const take = (vm: TestVm): number => {
  const intid = Number(vm.machine.mrs(0, ICC.ICC_IAR1_EL1))
  if (intid < 1020) vm.complete(0, intid)
  return intid
}

describe('an irqfd', () => {
  it('of an edge makes it pending at each write', () => {
    const vm = listening('edge')
    expect([assign(vm, FD, GSI), take(vm)]).toEqual(['0', 1023])
    expect([write(vm, FD), take(vm), take(vm)]).toEqual(['0', INTID, 1023])
    write(vm, FD)
    write(vm, FD)
    expect([take(vm), take(vm)]).toEqual([INTID, 1023])
    // KVM has read it itself.
    expect(read(vm, FD)).toBe('EAGAIN')
  })

  it('of a level leaves it up, as recorded (kvm-oracle/scripts/routing.script)', () => {
    const vm = listening('level')
    assign(vm, FD, GSI)
    expect([write(vm, FD), vm.pendingBit(INTID), take(vm), take(vm)]).toEqual(['0', '1', INTID, INTID])
  })

  it('that resamples holds the level until the guest is done, and says so', () => {
    const vm = listening('level')
    expect(assign(vm, FD, GSI, RESAMPLE_FD)).toBe('0')
    write(vm, FD)
    expect([vm.pendingBit(INTID), read(vm, RESAMPLE_FD)]).toEqual(['1', 'EAGAIN'])
    expect(vm.machine.mrs(0, ICC.ICC_IAR1_EL1)).toBe(BigInt(INTID))
    expect(read(vm, RESAMPLE_FD)).toBe('EAGAIN')
    vm.complete(0, INTID)
    expect([read(vm, RESAMPLE_FD), read(vm, RESAMPLE_FD), vm.pendingBit(INTID), take(vm)]).toEqual([
      '1',
      'EAGAIN',
      '0',
      1023,
    ])
    // A device that still wants something writes again.
    write(vm, FD)
    expect(take(vm)).toBe(INTID)
  })

  it('tells every resamplefd of its GSI, and none of another', () => {
    const vm = listening('level')
    expect([assign(vm, 1, GSI, 11), assign(vm, 2, GSI, 12), assign(vm, 3, GSI + 1, 13)]).toEqual(['0', '0', '0'])
    write(vm, 1)
    expect([take(vm), read(vm, 11), read(vm, 12), read(vm, 13)]).toEqual([INTID, '1', '1', 'EAGAIN'])
  })

  it('that was written to before raises its interrupt when it is assigned', () => {
    const vm = listening('edge')
    write(vm, FD)
    expect([take(vm), assign(vm, FD, GSI), take(vm)]).toEqual([1023, '0', INTID])
  })

  it('can be taken away, with the level it held', () => {
    const vm = listening('level')
    assign(vm, FD, GSI, RESAMPLE_FD)
    write(vm, FD)
    expect([deassign(vm, FD, GSI + 1), vm.pendingBit(INTID)]).toEqual(['0', '1'])
    expect([deassign(vm, FD, GSI), vm.pendingBit(INTID), deassign(vm, FD, GSI)]).toEqual(['0', '0', '0'])
    expect([write(vm, FD), take(vm), read(vm, FD)]).toEqual(['0', 1023, '1'])
  })

  it('works with a GICv2 as well', () => {
    const vm = new TestVm({ ruleSet: 'mainline', host: HOST_PRESETS.H2, ids: [0], gic: 2 })
    expect(assign(vm, FD, GSI)).toBe('0')
    write(vm, FD)
    expect(vm.kvm.vgic?.irq(0, INTID)?.latch).toBe(true)
  })

  it('is refused with the errno of its reason', () => {
    const early = new TestVm({ ruleSet: 'mainline', init: false })
    expect(assign(early, FD, GSI)).toBe('EAGAIN')
    const vm = listening('edge')
    expect(outcome(vm.kvm.execute({ call: 'KVM_IRQFD', fd: FD, gsi: GSI, flags: 4 }))).toBe('EINVAL')
    expect([assign(vm, 1024, GSI), assign(vm, FD, GSI, 1024), assign(vm, 0.5, GSI)]).toEqual([
      'EBADF',
      'EBADF',
      'EBADF',
    ])
    expect([assign(vm, FD, GSI), assign(vm, FD, GSI + 1)]).toEqual(['0', 'EBUSY'])
    // A GSI beyond the SPIs raises nothing, and nobody is told.
    expect([assign(vm, 9, 5000), write(vm, 9)]).toEqual(['0', '0'])
  })
})
