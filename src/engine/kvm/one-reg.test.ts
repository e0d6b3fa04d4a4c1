/** The registers of a vCPU as a VMM reaches them, on the machine with processors. */
import { describe, expect, it } from 'vitest'
import { sysregEncoding } from '../../pure/arch/sysregs/encoding.ts'
import { TIMER } from '../../pure/arch/sysregs/timer.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import { CORE_REGISTERS, ONE_REG, oneRegName, oneRegOf, sysregId } from '../../pure/uapi/one-reg.ts'
import { GenericTimer } from '../devices/generic-timer.ts'
import { Machine } from '../machine/machine.ts'
import { Kvm } from './kvm.ts'

const RAM = 0x4000_0000

const withCpus = (count: number) => {
  const machine = new Machine({ ramBase: RAM, ramSize: 2 ** 20, translate: false })
  const kvm = new Kvm({ hardware: machine, rules: rulesFor('mainline', '6.12'), host: HOST_PRESETS.H1 })
  const timer = new GenericTimer({
    clock: machine.clock,
    lines: () => ({ physical: { set: () => {} }, virtual: { set: () => {} } }),
  })
  machine.own(timer.sysregs)
  kvm.execute({ call: 'KVM_CREATE_VM' })
  for (let id = 0; id < count; id++) {
    kvm.execute({ call: 'KVM_CREATE_VCPU', id })
    kvm.execute({ call: 'KVM_ARM_VCPU_INIT', vcpu: id, features: ['PSCI_0_2'] })
    timer.addCpu()
  }
  const call = (one: KvmCall): KvmAnswer => kvm.execute(one)
  const error = (one: KvmCall): string => {
    const answer = call(one)
    return answer.ok ? '0' : answer.errno
  }
  const set = (reg: bigint, value: bigint, vcpu = 0): string => error({ call: 'KVM_SET_ONE_REG', vcpu, reg, value })
  const get = (reg: bigint, vcpu = 0): bigint | string => {
    const answer = call({ call: 'KVM_GET_ONE_REG', vcpu, reg })
    return answer.ok ? (answer.value ?? 0n) : answer.errno
  }
  return { machine, kvm, call, error, set, get }
}

const core = (name: string): bigint => CORE_REGISTERS.find((register) => register.name === name)?.id ?? 0n

describe('ids', () => {
  // As VMMs print them (Documentation/virt/kvm/api.rst, 4.68; QEMU's and crosvm's lists).
  it.each([
    ['X0', 0x6030_0000_0010_0000n],
    ['SP_EL0', 0x6030_0000_0010_003en],
    ['PC', 0x6030_0000_0010_0040n],
    ['PSTATE', 0x6030_0000_0010_0042n],
    ['SP_EL1', 0x6030_0000_0010_0044n],
    ['ELR_EL1', 0x6030_0000_0010_0046n],
    ['SPSR_EL1', 0x6030_0000_0010_0048n],
    ['V0', 0x6040_0000_0010_0054n],
    ['V31', 0x6040_0000_0010_00d0n],
    ['FPSR', 0x6020_0000_0010_00d4n],
    ['FPCR', 0x6020_0000_0010_00d5n],
  ])('%s', (name, id) => expect(core(name)).toBe(id))

  it('swap the virtual timer’s counter and comparator', () => {
    expect(oneRegOf(TIMER.CNTV_CTL_EL0)).toBe(0x6030_0000_0013_df19n)
    expect(oneRegOf(TIMER.CNTVCT_EL0)).toBe(0x6030_0000_0013_df1an)
    expect(oneRegOf(TIMER.CNTV_CVAL_EL0)).toBe(0x6030_0000_0013_df02n)
    expect(oneRegName(0x6030_0000_0013_df1an)).toBe('CNTVCT_EL0')
  })
})

describe('KVM_GET_REG_LIST', () => {
  it('names each register once, and each can be read and written back', () => {
    const { call, get, set } = withCpus(1)
    const answer = call({ call: 'KVM_GET_REG_LIST', vcpu: 0 })
    const list = answer.ok ? (answer.list ?? []) : []
    expect(list.length).toBeGreaterThan(120)
    expect(new Set(list).size).toBe(list.length)
    for (const id of list) {
      const value = get(id)
      expect([oneRegName(id), typeof value]).toEqual([oneRegName(id) ?? 'a name', 'bigint'])
      expect([oneRegName(id), typeof value === 'bigint' ? set(id, value) : value]).toEqual([oneRegName(id), '0'])
    }
  })

  it('needs room', () => {
    const { error } = withCpus(1)
    expect(error({ call: 'KVM_GET_REG_LIST', vcpu: 0, room: 0 })).toBe('E2BIG')
  })
})

describe('values', () => {
  it('belong to one vCPU each, whatever runs', () => {
    const { get, set } = withCpus(3)
    for (const vcpu of [0, 1, 2]) {
      expect(set(core('X5'), 0x55n + BigInt(vcpu), vcpu)).toBe('0')
      expect(set(core('V7'), (BigInt(vcpu) << 64n) | 7n, vcpu)).toBe('0')
      expect(set(sysregId(sysregEncoding(3, 0, 13, 0, 4)), 0x100n * BigInt(vcpu), vcpu)).toBe('0')
    }
    expect([0, 1, 2].map((vcpu) => get(core('X5'), vcpu))).toEqual([0x55n, 0x56n, 0x57n])
    expect([0, 1, 2].map((vcpu) => get(core('V7'), vcpu))).toEqual([7n, (1n << 64n) | 7n, (2n << 64n) | 7n])
    expect([0, 1, 2].map((vcpu) => get(sysregId(sysregEncoding(3, 0, 13, 0, 4)), vcpu))).toEqual([0n, 0x100n, 0x200n])
  })

  it('are what the guest finds', () => {
    const { machine, kvm, get, set } = withCpus(1)
    // mov x1, sp; mrs x2, sp_el0; mrs x3, nzcv; add x4, x0, #1; b .
    const program = Uint32Array.of(0x9100_03e1, 0xd538_4102, 0xd53b_4203, 0x9100_0404, 0x1400_0000)
    machine.ram(RAM, program.byteLength)?.set(new Uint8Array(program.buffer))
    set(core('X0'), 41n)
    set(core('SP_EL1'), 0x4000_8000n)
    set(core('SP_EL0'), 0x4000_4000n)
    // EL1h, all masked, Z and C set.
    set(core('PSTATE'), 0x6000_03c5n)
    set(core('PC'), BigInt(RAM))
    expect(kvm.firstRun()).toEqual({ ok: true })
    machine.runUntil(1000, 1000)
    expect(['X1', 'X2', 'X3', 'X4', 'PC'].map((name) => get(core(name)))).toEqual([
      0x4000_8000n,
      0x4000_4000n,
      0x6000_0000n,
      42n,
      BigInt(RAM + 16),
    ])
  })

  it('move the stack pointers with PSTATE', () => {
    const { get, set } = withCpus(1)
    set(core('SP_EL0'), 1n)
    set(core('SP_EL1'), 2n)
    expect(set(core('PSTATE'), 0x3c4n)).toBe('0')
    expect([get(core('SP_EL0')), get(core('SP_EL1'))]).toEqual([1n, 2n])
    set(core('SP_EL0'), 3n)
    expect(set(core('PSTATE'), 0n)).toBe('0')
    expect([get(core('SP_EL0')), get(core('SP_EL1')), get(core('PSTATE'))]).toEqual([3n, 2n, 0n])
  })

  it('shift the virtual counter and leave the physical one', () => {
    const { get, set } = withCpus(2)
    expect(set(oneRegOf(TIMER.CNTVCT_EL0), 1000n)).toBe('0')
    expect([get(oneRegOf(TIMER.CNTVCT_EL0), 0), get(oneRegOf(TIMER.CNTVCT_EL0), 1)]).toEqual([1000n, 1000n])
  })
})

describe('refusals', () => {
  const MIDR = sysregId(sysregEncoding(3, 0, 0, 0, 0))

  it('come before initialisation, for the unknown, and for what cannot be', () => {
    const { kvm, get, set, error } = withCpus(1)
    kvm.execute({ call: 'KVM_CREATE_VCPU', id: 1 })
    expect([get(core('X0'), 1), set(core('X0'), 0n, 1)]).toEqual(['ENOEXEC', 'ENOEXEC'])
    expect(error({ call: 'KVM_GET_REG_LIST', vcpu: 1 })).toBe('ENOEXEC')
    expect([get(0n), set(0x6030_0000_0013_ffffn, 0n), get(core('X0') ^ (1n << 52n))]).toEqual([
      'ENOENT',
      'ENOENT',
      'ENOENT',
    ])
    const midr = get(MIDR)
    expect([typeof midr, set(MIDR, 0n), get(MIDR)]).toEqual(['bigint', 'EINVAL', midr])
    // EL2, and AArch32.
    expect([set(core('PSTATE'), 0x3c9n), set(core('PSTATE'), 0x1d3n), get(core('PSTATE'))]).toEqual([
      'EINVAL',
      'EINVAL',
      0x3c5n,
    ])
  })

  it('KVM_ARM_VCPU_INIT gives every register its reset value again', () => {
    const { call, get, set } = withCpus(1)
    set(core('X9'), 9n)
    set(core('PSTATE'), 0n)
    expect(call({ call: 'KVM_ARM_VCPU_INIT', vcpu: 0, features: ['PSCI_0_2'] }).ok).toBe(true)
    expect([get(core('X9')), get(core('PSTATE')), get(ONE_REG.MPIDR_EL1)]).toEqual([0n, 0x3c5n, 0x8000_0000n])
  })
})

describe('KVM_SET_MP_STATE', () => {
  const stateOf = (answer: KvmAnswer): bigint | string => (answer.ok ? (answer.value ?? 0n) : answer.errno)

  it('stops a vCPU and lets it go on where it was', () => {
    const { machine, kvm, call, error, get } = withCpus(2)
    // b .
    machine.ram(RAM, 4)?.set([0, 0, 0, 0x14])
    for (const vcpu of [0, 1]) call({ call: 'KVM_SET_ONE_REG', vcpu, reg: ONE_REG.PC, value: BigInt(RAM) })
    expect(error({ call: 'KVM_SET_MP_STATE', vcpu: 1, state: 5n })).toBe('0')
    expect(error({ call: 'KVM_SET_MP_STATE', vcpu: 1, state: 3n })).toBe('EINVAL')
    kvm.firstRun()
    machine.runUntil(100_000, 100_000)
    expect(machine.core.cpus.map(({ instructions }) => instructions > 0)).toEqual([true, false])
    expect([0, 1].map((vcpu) => stateOf(call({ call: 'KVM_GET_MP_STATE', vcpu })))).toEqual([0n, 5n])
    expect(error({ call: 'KVM_SET_MP_STATE', vcpu: 1, state: 0n })).toBe('0')
    machine.runUntil(200_000, 200_000)
    expect([get(ONE_REG.PC, 1), (machine.core.cpus[1]?.instructions ?? 0) > 0]).toEqual([BigInt(RAM), true])
  })
})
