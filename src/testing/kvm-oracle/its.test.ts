/** What its.c recorded on real KVM (see its.script), step by step on ours: every line the same. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { GITS_TRANSLATER } from '../../pure/arch/gic/gits.ts'
import { KVM_MSI_VALID_DEVID } from '../../pure/uapi/calls.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { DEVICE_TYPE, VGIC_ADDR, VGIC_CTRL, VGIC_GROUP, registerAttr } from '../../pure/uapi/vgic-attr.ts'
import { resetAffinity } from '../../pure/arch/affinity.ts'
import { GICD, outcome, TestVm } from '../test-vm.ts'

const ITS = 0x0808_0000
const RAM = 0x4000_0000
const RAM_BYTES = 2 * 2 ** 20
const { ADDR, CTRL, ITS_REGS, DIST_REGS, REDIST_REGS } = VGIC_GROUP
const { GITS_CBASER, GITS_CWRITER, GITS_CREADR } = { GITS_CBASER: 0x80n, GITS_CWRITER: 0x88n, GITS_CREADR: 0x90n }

const valueOr = (answer: KvmAnswer, mask = 0xffff_ffff_ffff_ffffn): string =>
  answer.ok ? ((answer.value ?? 0n) & mask).toString(16) : answer.errno

/** One VM of the script. */
class Performer {
  private readonly vm: TestVm
  private readonly ids: readonly number[]
  /** vgic-state's columns of vCPUs are ids before v6.7. */
  private readonly cpuColumn: (cpu: number) => number

  constructor(base: '6.1' | '6.12', ids: readonly number[]) {
    this.ids = ids
    this.vm = new TestVm({ ruleSet: 'mainline', base, ids, ram: RAM_BYTES })
    this.cpuColumn = (cpu) => (cpu < 0 || base === '6.12' ? cpu : (ids[cpu] ?? -1))
  }

  perform(verb: string, args: readonly bigint[]): string {
    const { vm } = this
    const [first = 0n, second = 0n] = args
    const last = args.at(-1) ?? 0n
    const cpu = Number(first)
    switch (verb) {
      case 'vm':
        return '0'
      case 'create':
        return outcome(vm.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.ITS }))
      case 'place':
        return outcome(this.set(ADDR, VGIC_ADDR.ITS, last))
      case 'has':
        return outcome(vm.kvm.execute({ call: 'KVM_HAS_DEVICE_ATTR', its: 0, group: cpu, attr: second }))
      case 'get':
        return valueOr(this.get(cpu, second))
      case 'set':
        return outcome(this.set(cpu, second, last))
      case 'rd':
        return valueOr(vm.getAttr(REDIST_REGS, this.redistAttr(cpu, second)), 0xffff_ffffn)
      case 'rd=':
        return outcome(vm.setAttr(REDIST_REGS, this.redistAttr(cpu, second), last))
      case 'dist':
        return valueOr(vm.getAttr(DIST_REGS, first), 0xffff_ffffn)
      case 'dist=':
        return outcome(vm.setAttr(DIST_REGS, first, last))
      case 'mem':
        return this.memory(first).getBigUint64(0, true).toString(16)
      case 'mem=':
        this.memory(first).setBigUint64(0, last, true)
        return '0'
      case 'byte':
        return this.memory(first).getUint8(0).toString(16)
      case 'byte=':
        this.memory(first).setUint8(0, Number(last))
        return '0'
      case 'cmd':
        return this.command(args)
      case 'msi':
        return this.message(args)
      case 'pending':
        return outcome(vm.setAttr(CTRL, VGIC_CTRL.SAVE_PENDING_TABLES, 0n))
      case 'lpis':
        return this.lpis()
      case 'open':
        this.run()
        for (const { index } of vm.machine.cpus) {
          vm.machine.msr(index, ICC.ICC_PMR_EL1, 0xffn)
          vm.machine.msr(index, ICC.ICC_IGRPEN1_EL1, 1n)
        }
        vm.machine.store(GICD, 4, 2n)
        return '0'
      case 'ack': {
        this.settle()
        const intid = vm.machine.mrs(cpu, ICC.ICC_IAR1_EL1) ?? 0n
        if (intid !== 1023n) vm.machine.msr(cpu, ICC.ICC_EOIR1_EL1, intid)
        return `${intid}`
      }
      case 'guest':
        return this.run()
          .load(ITS + cpu, 8)
          .toString(16)
      case 'guest32':
        return this.run()
          .load(ITS + cpu, 4)
          .toString(16)
      case 'guest=':
        this.run().store(ITS + cpu, 8, last)
        return '0'
      case 'guest32=':
        this.run().store(ITS + cpu, 4, last)
        return '0'
      default:
        throw new Error(`the script has a step "${verb}"`)
    }
  }

  private run() {
    this.vm.run()
    return this.vm.machine
  }

  private redistAttr(cpu: number, offset: bigint): bigint {
    return registerAttr(resetAffinity(this.ids[cpu] ?? 0), Number(offset))
  }

  private get(group: number, attr: bigint): KvmAnswer {
    return this.vm.kvm.execute({ call: 'KVM_GET_DEVICE_ATTR', its: 0, group, attr })
  }

  private set(group: number, attr: bigint, value: bigint): KvmAnswer {
    return this.vm.kvm.execute({ call: 'KVM_SET_DEVICE_ATTR', its: 0, group, attr, value })
  }

  private register(offset: bigint): bigint {
    const answer = this.get(ITS_REGS, offset)
    return answer.ok ? (answer.value ?? 0n) : 0n
  }

  private memory(address: bigint): DataView {
    const at = Number(address)
    const bytes = this.vm.machine.ram(at, Math.min(8, RAM + RAM_BYTES - at))
    if (bytes === undefined) throw new Error(`0x${address.toString(16)} is not in memory`)
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  private command(words: readonly bigint[]): string {
    const cbaser = this.register(GITS_CBASER)
    const at = this.register(GITS_CWRITER)
    const size = ((cbaser & 0xffn) + 1n) << 12n
    const ring = cbaser & 0xf_ffff_ffff_f000n
    for (const [i, word] of words.entries()) this.memory(ring + at + BigInt(8 * i)).setBigUint64(0, word, true)
    const answer = this.set(ITS_REGS, GITS_CWRITER, (at + 32n) % size)
    return answer.ok ? this.register(GITS_CREADR).toString(16) : answer.errno
  }

  private message([device = 0n, event = 0n, flags, address]: readonly bigint[]): string {
    const answer = this.vm.kvm.execute({
      call: 'KVM_SIGNAL_MSI',
      address: address ?? BigInt(ITS + GITS_TRANSLATER),
      data: Number(event),
      flags: flags === undefined ? KVM_MSI_VALID_DEVID : Number(flags),
      devid: Number(device),
    })
    return answer.ok ? `${answer.value}` : answer.errno
  }

  /** Every vCPU runs for a moment, and leaves the guest again. */
  private settle(): void {
    for (const { index } of this.vm.machine.cpus) this.vm.kvm.vgic?.vcpuExits(index)
  }

  private lpis(): string {
    this.settle()
    const rows: string[] = []
    for (let intid = 8192; intid < 65536; intid++) {
      const irq = this.vm.kvm.vgic?.irq(0, intid)
      if (irq === undefined) continue
      const { latch, enabled, priority, target, queuedOn } = irq
      const flags = `${Number(latch)}${Number(enabled)}`
      rows.push(`${intid}:${this.cpuColumn(target)}:${flags}:${priority.toString(16)}:${this.cpuColumn(queuedOn)}`)
    }
    return rows.length === 0 ? 'none' : rows.join(' ')
  }
}

/** Linux 6.1 lists LPIs in the order in which they were mapped. */
const inOrder = (result: string): string =>
  result.includes(':')
    ? result
        .split(' ')
        .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
        .join(' ')
    : result

interface Section {
  readonly ids: readonly number[]
  readonly steps: readonly (readonly [step: string, result: string])[]
}

const sectionsOf = (file: string): readonly Section[] => {
  const sections: { ids: number[]; steps: [string, string][] }[] = []
  for (const line of readFileSync(join(import.meta.dirname, file), 'utf8').split('\n')) {
    const [step = '', result] = line.split('\t')
    if (result === undefined || step === '#' || step === 'ITS') continue
    if (step.startsWith('vm ')) sections.push({ ids: step.split(' ').slice(1).map(Number), steps: [] })
    sections.at(-1)?.steps.push([step, inOrder(result)])
  }
  return sections
}

describe.each(['6.1', '6.12'] as const)("KVM's ITS as recorded on Linux %s", (base) => {
  const sections = sectionsOf(`its-${base}.txt`)

  it.each(sections.map((section, i) => [i + 1, section] as const))('in VM %d of the script', (_, { ids, steps }) => {
    const performer = new Performer(base, ids)
    const ours = steps.map(([step]) => {
      const [verb = '', ...args] = step.split(' ')
      return [step, performer.perform(verb, args.map(BigInt))]
    })
    expect(ours).toEqual(steps)
  })

  it('is all of the script', () => {
    expect(sections.length).toBeGreaterThan(10)
    expect(sections.reduce((sum, { steps }) => sum + steps.length, 0)).toBeGreaterThan(900)
  })
})
