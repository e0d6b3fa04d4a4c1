/**
 * What Linux said of a CPU with Aff3 on real KVM (results-linuxguest.txt), on ours: each recorded line. The hosts with the
 * patch were asked with another, smaller Linux 6.1, whose addresses have 39 bits: its faults are of another level.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { affinityOf } from '../../pure/arch/affinity.ts'
import { HOST_PRESETS, KERNEL_BASES } from '../../pure/blueprint/host.ts'
import type { RuleSetId } from '../../pure/blueprint/host.ts'
import { GuestMachine, hasLinux } from '../guest-machine.ts'
import { GUEST_CASES, GUEST_KERNEL } from './guest-cases.ts'

const BOOT_TIMEOUT = 120_000
const END = '---[ end Kernel panic - not syncing: Attempted to kill the idle task! ]---'
const UP = 'smp: Brought up 1 node, 2 CPUs'

interface Section {
  readonly title: string
  readonly ruleSet: RuleSetId
  readonly base: string
  readonly name: string
  readonly lines: readonly string[]
}

const sections: readonly Section[] = readFileSync(join(import.meta.dirname, 'results-linuxguest.txt'), 'utf8')
  .split(/^## /m)
  .flatMap((text) => {
    const [title = '', ...lines] = text.split('\n').filter((line) => line !== '')
    const [, base, patch, name] = /^host kernel (6\.\d+)( with patch v1)?, case (c\d+)$/.exec(title) ?? []
    if (base === undefined || name === undefined) return []
    return [{ title, ruleSet: patch === undefined ? 'mainline' : 'patch-v1', base, name, lines }] as const
  })

/** The last digit of the syndrome is the level of the table that had no entry. */
const anyLevel = (text: string): string => text.replace(/(Oops: 00000000960000[04])[4-7]/, '$1x')

/** What was found in RAM may have a character or two of older text at its end, or be the end of a record. */
const isInLog = (log: readonly string[], found: string): boolean =>
  log.some((line) => line.endsWith(found) || (found.startsWith(line) && found.length - line.length <= 2))

class Boot {
  readonly machine: GuestMachine
  /** MPIDR_EL1 of both CPUs, before the first run and at the end. */
  readonly before: string
  readonly after: readonly string[]
  readonly log: readonly string[]

  constructor({ ruleSet, base, name, lines }: Section) {
    const cpu = GUEST_CASES.find((one) => one.name === name)?.cpu
    const kernelBase = KERNEL_BASES.find((one) => one === base)
    if (cpu === undefined || kernelBase === undefined) throw new Error(`nobody knows ${name} on ${base}`)
    const affinities = { [cpu]: affinityOf({ aff3: 1, aff2: 0, aff1: 0, aff0: cpu }) }
    const { H1: host } = HOST_PRESETS
    this.machine = new GuestMachine({
      guest: GUEST_KERNEL,
      blueprint: { vcpus: 2, ruleSet, base: kernelBase, host, affinities },
    })
    this.before = this.mpidrs().join(' ')
    const ends = (end: string): boolean => lines.some((line) => line.startsWith('guest: ') && line.includes(end))
    if (ends(UP)) this.machine.until(UP)
    else this.machine.runUntil(() => this.kernelLog().includes(END), 1)
    this.after = this.mpidrs()
    this.log = this.kernelLog().map(anyLevel)
  }

  private mpidrs(): readonly string[] {
    return this.machine.vmm.inspect().cpus.map(({ mpidr }) => mpidr.toString(16))
  }

  private kernelLog(): readonly string[] {
    const read = this.machine.vmm.kernelLog()
    return read.ok ? read.lines.map(({ text }) => text) : []
  }

  says(line: string): boolean {
    const [, setup] = /^# setup 0, MPIDR (.*)$/.exec(line) ?? []
    if (setup !== undefined) return setup === this.before
    const [, vcpu, mpidr] = /^# vCPU (\d) stopped at pc [0-9a-f]+ lr [0-9a-f]+ MPIDR ([0-9a-f]+)$/.exec(line) ?? []
    if (vcpu !== undefined) return this.after[Number(vcpu)] === mpidr
    const [, found] = /^# in guest RAM: (.*)$/.exec(line) ?? []
    if (found !== undefined) return isInLog(this.log, anyLevel(found))
    const [, printed] = /^guest: \[ *\d+\.\d+\] (.*)$/.exec(line) ?? []
    if (printed === undefined) throw new Error(`nobody knows what this line is: ${line}`)
    return anyLevel(this.machine.console).includes(`] ${anyLevel(printed)}\n`)
  }
}

describe.skipIf(!hasLinux)('as real KVM had it', () => {
  describe.each(sections)('$title', (section) => {
    let boot: Boot
    beforeAll(() => {
      boot = new Boot(section)
    }, BOOT_TIMEOUT)

    it.each(section.lines)('%s', (line) => {
      expect(boot.says(line)).toBe(true)
    })
  })

  it('has six boots', () => {
    expect(sections.map(({ title, lines }) => [title, lines.length > 5])).toEqual(
      sections.map(({ title }) => [title, true]),
    )
    expect(sections.length).toBe(6)
  })
})
