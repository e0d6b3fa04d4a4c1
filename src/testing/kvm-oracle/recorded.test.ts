/** Every line that was recorded on real KVM, against our KVM of the same rules, base and host. */
import { describe, expect, it } from 'vitest'
import { KVM_CAP } from '../../pure/uapi/capabilities.ts'
import { CaseVm } from '../kvm-cases/case-vm.ts'
import type { Env } from '../kvm-cases/kvm-case.ts'
import { four } from '../kvm-cases/set-ups.ts'
import { performed } from '../kvm-cases/index.ts'
import { recordedLines } from './recordings.ts'

/** The line with which the program describes its host. */
const describeHost = (env: Env): string => {
  const vm = new CaseVm(env)
  const offers = (type: number): number => Number(vm.call({ call: 'KVM_CREATE_DEVICE', type, test: true }).ok)
  const can = (capability: number): bigint => {
    const answer = vm.call({ call: 'KVM_CHECK_EXTENSION', capability })
    return answer.ok ? (answer.value ?? 0n) : 0n
  }
  const ctlr = offers(7) === 1 ? Number(four(env).us(0, 0xc664)) : 0
  const limits = `max_vcpus=${can(KVM_CAP.MAX_VCPUS)} max_vcpu_id=${can(KVM_CAP.MAX_VCPU_ID)} ipa=${can(KVM_CAP.ARM_VM_IPA_SIZE)}`
  return `vGICv3=${offers(7)} vGICv2=${offers(5)} ICC_CTLR_EL1=${ctlr.toString(16)} A3V=${(ctlr >> 15) & 1} ${limits}`
}

describe.each(['mainline', 'patch-v1'] as const)('%s, as recorded', (ruleSet) => {
  for (const line of recordedLines.filter((one) => one.ruleSet === ruleSet)) {
    const { id, hostName, text, ...env } = line
    it(`${line.base} on ${hostName}: ${id}`, () => {
      const run = id === 'host' ? describeHost : performed(hostName === 'H2' && id === 'C102' ? 'C102 on H2' : id)
      expect(run?.(env)).toBe(text)
    })
  }

  it('has no line that nothing performs', () => {
    const lost = recordedLines.filter(({ id }) => id !== 'host' && performed(id) === undefined)
    expect(lost.map(({ id }) => id)).toEqual([])
    expect(recordedLines.length).toBeGreaterThan(1000)
  })
})
