/**
 * The levels of a GICv2's wires. Its registers show what a wire holds pending as if it had been pended, and it has no
 * KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO: after a restore, every level that was up is pended as well.
 */
import type { GicImage, Values, VcpuImage } from './image.ts'
import { clearingWord, gicWords } from './registers.ts'
import type { GicWord } from './registers.ts'
import { readWord } from './save.ts'
import type { Execute } from './save.ts'

const WORD_BITS = 32n
const CONFIG_BITS = 2n

/** The interrupts of a word of GICD_ISPENDR<n> that GICD_ICFGR<2n> and <2n + 1> have as levels, a bit each. */
const levels = (saved: Values, word: number): bigint => {
  let bits = 0n
  for (let i = 0n; i < WORD_BITS; i++) {
    const at = CONFIG_BITS * i
    const config = saved[`GICD_ICFGR${2 * word + Number(at / WORD_BITS)}`] ?? 0n
    const edge = ((config >> (at % WORD_BITS)) & 2n) !== 0n
    if (!edge) bits |= 1n << i
  }
  return bits
}

const write = (execute: Execute, word: GicWord, vcpu: number, value: bigint): void => {
  for (const attr of word.attrs(vcpu)) {
    const answer = execute({ call: 'KVM_SET_DEVICE_ATTR', ...attr, value })
    if (!answer.ok) throw new Error(`${word.name} cannot be written after its restore: ${answer.why}`)
  }
}

const settle = (execute: Execute, words: readonly GicWord[], saved: Values, vcpu: number): void => {
  for (const word of words.filter(({ bank }) => bank === 'GICD_ISPENDR')) {
    const pended = (saved[word.name] ?? 0n) & levels(saved, Number(word.name.slice(word.bank.length)))
    if (pended === 0n) continue
    write(execute, clearingWord(word), vcpu, pended)
    const held = readWord(execute, word, vcpu)
    if ((pended & ~held) !== 0n) write(execute, word, vcpu, pended & ~held)
  }
}

/** Once the devices drive their wires again: of the levels that were pending, pended stay only those whose wire is down. */
export const settleLevels = (execute: Execute, gic: GicImage, vcpus: readonly VcpuImage[]): void => {
  if (gic.version !== 2) return
  for (const { id, redistributor } of vcpus) settle(execute, gicWords[2].redistributor, redistributor, id)
  settle(execute, gicWords[2].distributor(gic.irqs), gic.distributor, vcpus[0]?.id ?? 0)
}
