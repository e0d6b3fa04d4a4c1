/** PSCI over HVC. The answers were recorded on Linux 6.12 and 6.1; Arm DEN0022 has the numbers. */
import { describe, expect, it } from 'vitest'
import { PSCI_RETURN } from '../../pure/arch/psci.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import { TestVm } from '../../testing/test-vm.ts'
import type { TestVmOptions } from '../../testing/test-vm.ts'
import { hypercall } from './psci.ts'

const RAM = 0x4000_0000n
const { SUCCESS, NOT_SUPPORTED, INVALID_PARAMS, ALREADY_ON } = PSCI_RETURN

const make = (options: Partial<TestVmOptions> = {}): TestVm => new TestVm({ ruleSet: 'mainline', off: [1], ...options })

const started = (options: Partial<TestVmOptions> = {}): TestVm => make(options).run()

/** PSCI_VERSION through an SMC. */
const smcVersion = (base: '6.1' | '6.12'): bigint | undefined => {
  const { kvm } = started({ base })
  const [caller] = kvm.vcpus
  if (caller === undefined) throw new Error('no vCPU')
  const context = {
    rules: rulesFor('mainline', base),
    vcpus: kvm.vcpus,
    find: () => undefined,
    resetVcpu: () => {},
    systemEvent: () => {},
  }
  return hypercall(context, caller, 'smc', [0x8400_0000n, 0n, 0n, 0n])
}

describe('PSCI', () => {
  it('is version 1.1 and needs no migration', () => {
    const { machine } = started()
    expect(machine.hvc(0, 0x8400_0000)).toBe(0x10001n)
    expect(machine.hvc(0, 0x8400_0006)).toBe(2n)
    expect(machine.hvc(0, 0x8000_0000)).toBe(0x10001n)
  })

  it('turns a CPU on once', () => {
    const { machine } = started()
    expect(machine.hvc(0, 0xc400_0003, 2n, RAM)).toBe(ALREADY_ON)
    expect(machine.hvc(0, 0xc400_0003, 0x77n, RAM)).toBe(INVALID_PARAMS)
    expect(machine.hvc(0, 0xc400_0003, 1n, RAM, 5n)).toBe(SUCCESS)
    expect(machine.cpu(1).startedAt).toEqual({ entry: RAM, context: 5n })
    expect(machine.hvc(0, 0xc400_0003, 1n, RAM)).toBe(ALREADY_ON)
  })

  it('wants bit 31 of the target clear', () => {
    expect(started().machine.hvc(0, 0xc400_0003, 0x8000_0001n, RAM)).toBe(INVALID_PARAMS)
  })

  it('compares Aff3, which an SMC32 call cannot name', () => {
    const vm = make()
    vm.must(vm.setMpidr(1, 0x1_8000_0001n))
    const { machine } = vm.run()
    expect(machine.hvc(0, 0x8400_0003, 0x1_0000_0001n, RAM)).toBe(INVALID_PARAMS)
    expect(machine.hvc(0, 0xc400_0003, 1n, RAM)).toBe(INVALID_PARAMS)
    expect(machine.hvc(0, 0xc400_0003, 0x1_0000_0001n, RAM)).toBe(SUCCESS)
    expect(machine.cpu(1).mpidr).toBe(0x1_8000_0001n)
  })

  it('loses the Aff3 of a CPU that it turns on, before 6.10', () => {
    const vm = make({ base: '6.1' })
    vm.must(vm.setMpidr(1, 0x1_8000_0001n))
    const { machine } = vm.run()
    expect(machine.hvc(0, 0xc400_0003, 0x1_0000_0001n, RAM)).toBe(SUCCESS)
    expect(machine.cpu(1).mpidr).toBe(0x8000_0001n)
  })

  it('finds no CPU at an Aff3 that the patch dropped', () => {
    const vm = make({ ruleSet: 'patch-v1', host: HOST_PRESETS.H0 })
    vm.must(vm.setMpidr(1, 0x1_8000_0001n))
    const { machine } = vm.run()
    expect(machine.hvc(0, 0xc400_0003, 0x1_0000_0001n, RAM)).toBe(INVALID_PARAMS)
    expect(machine.hvc(0, 0x8400_0003, 1n, RAM)).toBe(SUCCESS)
  })

  it('tells which CPUs are on, from a level upwards', () => {
    const { machine } = started()
    expect(machine.hvc(0, 0xc400_0004, 0n, 0n)).toBe(0n)
    expect(machine.hvc(0, 0xc400_0004, 1n, 0n)).toBe(1n)
    expect(machine.hvc(0, 0xc400_0004, 0n, 1n)).toBe(0n)
    expect(machine.hvc(0, 0xc400_0004, 0x77n, 0n)).toBe(INVALID_PARAMS)
    expect(machine.hvc(0, 0xc400_0004, 0n, 4n)).toBe(INVALID_PARAMS)
  })

  it('knows what it offers', () => {
    const { machine } = started()
    expect(machine.hvc(0, 0x8400_000a, 0xc400_0003n)).toBe(SUCCESS)
    expect(machine.hvc(0, 0x8400_000a, 0x8000_0000n)).toBe(SUCCESS)
    // SYSTEM_SUSPEND has to be switched on by the VMM; PSCI_VERSION has no SMC64 form.
    expect(machine.hvc(0, 0x8400_000a, 0xc400_000en)).toBe(NOT_SUPPORTED)
    expect(machine.hvc(0, 0xc400_0000)).toBe(NOT_SUPPORTED)
    expect(machine.hvc(0, 0x1234)).toBe(NOT_SUPPORTED)
  })

  it('turns the caller off without an answer', () => {
    const { machine } = started()
    expect(machine.hvc(2, 0x8400_0002)).toBeUndefined()
    expect(machine.cpu(2).powered).toBe(false)
    expect(machine.hvc(0, 0xc400_0003, 2n, RAM)).toBe(SUCCESS)
  })

  it.each([
    ['SYSTEM_OFF', 0x8400_0008, 'off'],
    ['SYSTEM_RESET', 0x8400_0009, 'reset'],
    ['SYSTEM_RESET2', 0xc400_0012, 'reset'],
  ] as const)('ends the run at %s', (_, fn, event) => {
    const { machine } = started()
    expect(machine.hvc(0, fn)).toBeUndefined()
    expect(machine.events).toEqual([event])
    expect(machine.cpus.some(({ powered }) => powered)).toBe(false)
  })

  it('answers an SMC on newer kernels only', () => {
    expect(smcVersion('6.12')).toBe(0x10001n)
    expect(smcVersion('6.1')).toBe(2n ** 64n - 1n)
  })

  it('serves a VM without a GIC', () => {
    const vm = make({ gic: 'none' })
    vm.must(vm.setMpidr(1, 0x1_8000_0001n))
    expect(vm.run().machine.hvc(0, 0xc400_0003, 0x1_0000_0001n, RAM)).toBe(SUCCESS)
  })
})
