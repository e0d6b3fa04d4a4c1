/** What ARCHITECTURE.md#full-aff3 says of a VM that is not, or not yet, what the rules are about. */
import { describe, expect, it } from 'vitest'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { hex } from '../../testing/kvm-cases/answers.ts'
import { CaseVm } from '../../testing/kvm-cases/case-vm.ts'
import type { Env } from '../../testing/kvm-cases/kvm-case.ts'
import { G, IR, IROUTER } from '../../testing/kvm-cases/places.ts'
import { four } from '../../testing/kvm-cases/set-ups.ts'

const ENV: Env = { ruleSet: 'full-aff3', base: '6.12', host: HOST_PRESETS.H1 }
const IIDR = 8
const revision = (vm: CaseVm, value: number): string => vm.set(G.DIST_REGS, IIDR, 0x4b00_043b + value * 0x1000)

const WANTED = {
  'revision 4': (vm: CaseVm) => revision(vm, 4),
  'A3V = 0': (vm: CaseVm) => vm.setCtlr(0x0400),
  Aff3: (vm: CaseVm) => vm.setMpidr(1, 0x1_8000_0001n),
} as const
type Wish = keyof typeof WANTED

const ORDERS: readonly (readonly [Wish, Wish, Wish])[] = [
  ['revision 4', 'A3V = 0', 'Aff3'],
  ['revision 4', 'Aff3', 'A3V = 0'],
  ['A3V = 0', 'revision 4', 'Aff3'],
  ['A3V = 0', 'Aff3', 'revision 4'],
  ['Aff3', 'revision 4', 'A3V = 0'],
  ['Aff3', 'A3V = 0', 'revision 4'],
]

const seen = (vm: CaseVm): string => `${hex(vm.ud(IIDR))} ${vm.ctlr()} ${vm.mpidr(1)} ${hex(vm.ud(4))}`

describe('revision 4, A3V = 0 and Aff3 do not go together', () => {
  it.each(ORDERS)('%s, %s; then %s is refused and changes nothing', (first, second, last) => {
    const vm = four(ENV)
    // Revision 4 is what a VM starts with.
    vm.must(revision(vm, 3))
    expect([first, second].map((wish) => WANTED[wish](vm))).toEqual(['0', '0'])
    const before = seen(vm)
    expect(WANTED[last](vm)).toBe('EINVAL')
    expect(seen(vm)).toBe(before)
  })

  it('any two of them do', () => {
    for (const [first, second, third] of ORDERS) {
      const vm = four(ENV)
      vm.must(revision(vm, third === 'revision 4' ? 3 : 4))
      expect([first, second].map((wish) => WANTED[wish](vm))).toEqual(['0', '0'])
    }
  })
})

describe('an SPI goes where its route shows', () => {
  const routed = (): CaseVm => {
    const vm = four(ENV)
    vm.must(vm.set(G.DIST_REGS, IROUTER(40), 2))
    vm.must(vm.set(G.DIST_REGS, IROUTER(40) + 4, 1))
    return vm
  }

  it('by all four levels with revision 4', () => {
    expect(routed().tgt(40)).toBe(-1)
  })

  it.each([2, 3])('by three with revision %i, and by four again with 4', (old) => {
    const vm = routed()
    vm.must(revision(vm, old))
    expect([vm.tgt(40), hex(vm.ud(IROUTER(40) + 4))]).toEqual([2, '0'])
    vm.must(revision(vm, 4))
    expect([vm.tgt(40), hex(vm.ud(IROUTER(40) + 4))]).toEqual([-1, '1'])
  })

  it('by three with A3V = 0, and is delivered there', () => {
    const vm = routed()
    vm.must(vm.setCtlr(0x0400))
    expect(vm.tgt(40)).toBe(2)
    vm.listening().spiOn(40).spiPend(40)
    expect([hex(vm.r64(0, IR(40))), vm.takers(40)]).toEqual(['2', [2]])
  })
})
