/**
 * A vCPU whose Aff3 is not 0, and what Debian's kernel makes of it: under every rule set, on every base, on hosts with
 * and without A3V: whether it is found, and at which affinity. The words in which the kernel says so, and that it says
 * nothing, were recorded on real KVM: kvm-oracle/linux-guest.test.ts has them line by line.
 */
import { describe, expect, it } from 'vitest'
import { affinityOf } from '../pure/arch/affinity.ts'
import { HOST_PRESETS } from '../pure/blueprint/host.ts'
import type { KernelBase, RuleSetId } from '../pure/blueprint/host.ts'
import { SCENARIOS } from '../pure/scenarios/library.ts'
import { applyEdit } from '../pure/blueprint/edits.ts'
import { defaultBlueprint } from '../pure/blueprint/blueprint.ts'
import { GuestMachine, hasLinux } from './guest-machine.ts'

const TIMEOUT = 120_000
const RULE_SETS = ['mainline', 'patch-v1', 'full-aff3'] as const
const BASES = ['6.1', '6.8', '6.12'] as const
const A3V = [true, false] as const

/** `kept`: the CPU is found at its affinity; `cleared`: found, but Aff3 is gone; `lost`: no redistributor. */
type Fate = 'kept' | 'cleared' | 'lost'

/** The patch clears Aff3 where the host has no A3V, and so the guest never learns of it. */
const fateOfBootCpu = (rules: RuleSetId, a3v: boolean): Fate =>
  rules === 'mainline' ? 'lost' : rules === 'full-aff3' || a3v ? 'kept' : 'cleared'

/** As above; and up to v6.9 CPU_ON gives a secondary its reset value, behind the back of the device tree. */
const fateOfSecondary = (rules: RuleSetId, base: KernelBase, a3v: boolean): Fate => {
  const fate = fateOfBootCpu(rules, a3v)
  return fate === 'kept' && rules === 'patch-v1' && base !== '6.12' ? 'lost' : fate
}

const combinations = RULE_SETS.flatMap((rules) =>
  BASES.flatMap((base) => A3V.map((a3v) => ({ rules, base, a3v, host: a3v ? 'A3V = 1' : 'A3V = 0' }))),
)

const isLost = ({ fate }: { readonly fate: Fate }): boolean => fate === 'lost'
const isFound = ({ fate }: { readonly fate: Fate }): boolean => fate !== 'lost'

const machineWith = (
  cpu: number,
  { rules, base, a3v }: { readonly rules: RuleSetId; readonly base: KernelBase; readonly a3v: boolean },
): GuestMachine =>
  new GuestMachine({
    guest: 'linux-6.1',
    blueprint: {
      vcpus: 2,
      ruleSet: rules,
      base,
      host: a3v ? HOST_PRESETS.H1 : HOST_PRESETS.H0,
      affinities: { [cpu]: affinityOf({ aff3: 1, aff2: 0, aff1: 0, aff0: cpu }) },
    },
  })

const log = (machine: GuestMachine): readonly string[] => {
  const read = machine.vmm.kernelLog()
  if (!read.ok) throw new Error(read.what)
  return read.lines.map(({ text }) => text)
}

const PANIC = 'Kernel panic - not syncing: Attempted to kill the idle task!'

const mpidrs = (machine: GuestMachine): readonly string[] =>
  machine.vmm.inspect().cpus.map(({ mpidr }) => mpidr.toString(16))

describe.skipIf(!hasLinux)('Debian with the boot CPU at 1.0.0.0', () => {
  const all = combinations.map((at) => ({ ...at, fate: fateOfBootCpu(at.rules, at.a3v) }))

  it.each(all.filter(isLost))('panics under $rules on KVM $base, host $host', { timeout: TIMEOUT }, (at) => {
    const machine = machineWith(0, at)
    machine.until(`---[ end ${PANIC} ]---`)
    expect(mpidrs(machine)[0]).toBe('180000000')
    expect(machine.console).toContain('] CPU0: mpidr 100000000 has no re-distributor!\n')
  })

  it.each(all.filter(isFound))('boots, $fate, under $rules on KVM $base, host $host', { timeout: TIMEOUT }, (at) => {
    const machine = machineWith(0, at)
    machine.until('smp: Brought up 1 node, 2 CPUs')
    const affinity = at.fate === 'kept' ? '100000000' : '0'
    expect(mpidrs(machine)[0]).toBe(at.fate === 'kept' ? '180000000' : '80000000')
    expect(machine.console).toContain(`GICv3: CPU0: found redistributor ${affinity} region 0:0x00000000080a0000\n`)
    expect(machine.console).not.toContain('has no re-distributor!')
  })
})

describe.skipIf(!hasLinux)('Debian with its second CPU at 1.0.0.1', () => {
  const all = combinations.map((at) => ({ ...at, fate: fateOfSecondary(at.rules, at.base, at.a3v) }))

  it.each(all.filter(isLost))('dies in silence under $rules on KVM $base, host $host', { timeout: TIMEOUT }, (at) => {
    const machine = machineWith(1, at)
    machine.until('smp: Bringing up secondary CPUs ...')
    machine.runUntil(() => log(machine).includes(`---[ end ${PANIC} ]---`), 1)
    expect(log(machine)).toContain('CPU1: mpidr 100000001 has no re-distributor!')
    // The kernel may not use its console from a CPU that is not yet online.
    expect(machine.console).not.toContain('has no re-distributor!')
    expect(mpidrs(machine)).toEqual(['80000000', at.base === '6.12' ? '180000001' : '80000001'])
  })

  it.each(all.filter(isFound))('boots, $fate, under $rules on KVM $base, host $host', { timeout: TIMEOUT }, (at) => {
    const machine = machineWith(1, at)
    machine.until('smp: Brought up 1 node, 2 CPUs')
    const affinity = at.fate === 'kept' ? '100000001' : '1'
    expect(machine.console).toContain('Detected PIPT I-cache on CPU1\n')
    expect(machine.console).toContain(`GICv3: CPU1: found redistributor ${affinity} region 0:0x00000000080c0000\n`)
    expect(machine.console).toContain(`CPU1: Booted secondary processor 0x${affinity.padStart(10, '0')} [0x411fd070]\n`)
    expect(mpidrs(machine)).toEqual(['80000000', at.fate === 'kept' ? '180000001' : '80000001'])
  })
})

describe.skipIf(!hasLinux)('the scenario "Aff3 without a redistributor"', () => {
  const scenario = (id: string, ruleSet: RuleSetId): GuestMachine => {
    const edits = SCENARIOS.find((one) => one.id === id)?.edits
    if (edits === undefined) throw new Error(`no scenario ${id}`)
    const blueprint = edits.reduce((machine, edit) => {
      const edited = applyEdit(machine, edit)
      if (!edited.ok) throw new Error(edited.what)
      return edited.blueprint
    }, defaultBlueprint)
    return new GuestMachine({
      guest: 'linux-6.1',
      blueprint: { ...blueprint, ruleSet },
      append: blueprint.guest.append,
    })
  }

  it('loses vCPU 2 under mainline, which only the kernel log in RAM tells', { timeout: TIMEOUT }, () => {
    const machine = scenario('aff3', 'mainline')
    machine.until('smp: Bringing up secondary CPUs ...')
    machine.runUntil(() => log(machine).includes(`---[ end ${PANIC} ]---`), 1)
    expect(log(machine)).toContain('CPU2: mpidr 100000002 has no re-distributor!')
    expect(machine.console).not.toContain('has no re-distributor!')
  })

  it('tells it on the console when CPU 2 is brought up from the shell', { timeout: TIMEOUT }, () => {
    const machine = scenario('aff3-maxcpus', 'mainline')
    machine.boot()
    machine.type('echo 1 > /sys/devices/system/cpu/cpu2/online\r')
    machine.until(PANIC)
    expect(machine.console).toContain('] CPU2: mpidr 100000002 has no re-distributor!\n')
  })

  it.each(['patch-v1', 'full-aff3'] as const)('brings up all four under %s', { timeout: TIMEOUT }, (ruleSet) => {
    const machine = scenario('aff3', ruleSet)
    machine.boot()
    expect(machine.console).toContain('GICv3: CPU2: found redistributor 100000002 region 0:0x00000000080e0000\n')
    expect(machine.shell('nproc')).toMatch(/^4$/m)
  })
})
