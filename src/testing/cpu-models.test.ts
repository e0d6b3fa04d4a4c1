/** Linux on every CPU model: it names the features that the identification registers tell, and runs with all of them. */
import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../pure/blueprint/blueprint.ts'
import { derivedLines } from '../pure/blueprint/plan.ts'
import { GuestMachine, hasLinux } from './guest-machine.ts'

const TIMEOUT = 120_000

/** Documentation/arch/arm64/elf_hwcaps.rst; the first two as QEMU's models of these CPUs have them. */
const HWCAPS = {
  'cortex-a57': 'fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid',
  'cortex-a76': 'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp',
  max:
    'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 sm4 ' +
    'asimddp sha512 asimdfhm dit ilrcpc flagm ssbs sb paca pacg dcpodp flagm2 frint rng bti',
} as const

/** What the kernel itself makes use of, in its log. */
const DETECTED = {
  'cortex-a57': [],
  'cortex-a76': ['LSE atomic instructions', 'Privileged Access Never', 'Hardware dirty bit management'],
  max: [
    'Address authentication (IMP DEF algorithm)',
    'Branch Target Identification',
    'E0PD',
    'TLB range maintenance instructions',
  ],
} as const

describe.skipIf(!hasLinux)('Debian on a CPU of model', () => {
  it.each(['cortex-a57', 'cortex-a76', 'max'] as const)(
    '%s names its features and works',
    { timeout: TIMEOUT },
    (cpu) => {
      const machine = new GuestMachine({ guest: 'linux-6.1', blueprint: { vcpus: 2, cpu } }).boot()
      const features = machine.shell('grep -m1 Features /proc/cpuinfo')
      expect(
        features
          .trim()
          .split(/[:\s]+/)
          .slice(1)
          .join(' '),
      ).toBe(HWCAPS[cpu])
      expect(DETECTED[cpu].filter((what) => !machine.console.includes(`CPU features: detected: ${what}`))).toEqual([])
      expect(machine.shell('echo abc | sha256sum')).toContain(
        'edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb',
      )
      expect(machine.console).toMatch(/hw perfevents: enabled with armv8_pmuv3 PMU driver, 7 counters available/)
      expect(machine.console).not.toMatch(/WARNING:|BUG:|Oops|Call trace|Kernel panic/)
      expect(machine.vmm.stats().undefinedWords).toEqual([])
    },
  )

  it.each([
    ['kvmtool', 'paca pacg '],
    ['firecracker', ''],
  ] as const)('max has of its PMU and its keys what %s asks for', { timeout: TIMEOUT }, (order, authentication) => {
    const blueprint = { ...defaultBlueprint, vcpus: 2, cpu: 'max' } as const
    const plan = derivedLines(blueprint, order)
    const machine = new GuestMachine({ guest: 'linux-6.1', blueprint: { ...blueprint, plan } }).boot()
    const expected = HWCAPS.max.replace('paca pacg ', authentication)
    expect(
      machine
        .shell('grep -m1 Features /proc/cpuinfo')
        .trim()
        .split(/[:\s]+/)
        .slice(1)
        .join(' '),
    ).toBe(expected)
    expect(machine.shell('ls /proc/device-tree').split(/\s+/)).not.toContain('pmu')
    expect(machine.console).not.toMatch(/hw perfevents: enabled|WARNING:|BUG:|Oops|Call trace|Kernel panic/)
    expect(machine.vmm.stats().undefinedWords).toEqual([])
  })
})
