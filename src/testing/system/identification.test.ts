/** What the CPU models say they are, field by field as QEMU's models of the same CPUs do. */
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { fieldMask } from '../../pure/arch/register.ts'
import { IDENTIFICATION_FIELDS } from '../../pure/arch/sysregs/fields/identification.ts'
import { missingBinutils } from '../oracle/run-instruction.ts'
import { probe } from './probe.ts'
import type { Outcome } from './probe.ts'

const hasQemu = spawnSync('qemu-system-aarch64', ['--version']).status === 0 && missingBinutils().length === 0

/** MPIDR_EL1 is the machine's to say. */
const REGISTERS = Object.keys(IDENTIFICATION_FIELDS).filter(
  (name) => !['MPIDR_EL1', 'CSSELR_EL1', 'CCSIDR_EL1'].includes(name),
)

/** By field, or by register: what is said otherwise here, and why. */
const DIFFERENCES: readonly { readonly names: RegExp; readonly why: string }[] = [
  { names: /^ID_AA64PFR0_EL1\.EL[01]$/, why: 'there is no AArch32' },
  { names: /^ID_AA64MMFR0_EL1\.BigEnd$/, why: 'there are no big-endian data accesses' },
  { names: /^ID_AA64PFR0_EL1\.RAS$|^ID_AA64MMFR2_EL1\.IESB$/, why: 'nothing here has errors to report' },
  { names: /^ID_AA64MMFR1_EL1\.(VH|VMIDBits|XNX)$/, why: 'there is no EL2' },
  { names: /^ID_AA64MMFR1_EL1\.HPDS$/, why: 'there is no hardware to which FEAT_HPDS2 could give bits of descriptors' },
  { names: /^CLIDR_EL1\./, why: 'every model has the caches of a Cortex-A57' },
]

/** The encodings that identification registers may have: op1 is 0, 1 or 3. */
const ENCODINGS = [0, 1, 3].flatMap((op1) =>
  Array.from({ length: 16 * 8 }, (_, i) => `S3_${op1}_C0_C${i >> 3}_${i & 7}`),
)

const valueOf = (outcome: Outcome | undefined): bigint => {
  const x0 = /^x0 (0x[0-9a-f]+)/.exec(outcome?.[0] ?? '')?.[1]
  if (x0 === undefined) throw new Error(`the register could not be read: ${outcome?.join('; ')}`)
  return BigInt(x0)
}

describe.skipIf(!hasQemu)('identification registers', () => {
  it.each(['cortex-a57', 'cortex-a76'] as const)('of a %s are UNDEFINED where those of QEMU are', (cpu) => {
    const program = probe(ENCODINGS.map((name) => ({ name, code: `mrs x0, ${name}` })))
    const unreadable = (outcomes: readonly Outcome[]): string[] =>
      ENCODINGS.flatMap((name, i) =>
        (outcomes[i]?.length ?? 0) > 1 ? [`${name}: ${outcomes[i]?.[0]?.split(' elr')[0]}`] : [],
      )
    try {
      const theirs = unreadable(program.onQemu(cpu))
      expect(theirs.length).toBeGreaterThan(ENCODINGS.length / 2)
      expect(unreadable(program.onOurs(cpu, false))).toEqual(theirs)
    } finally {
      program.dispose()
    }
  })

  it.each(['cortex-a57', 'cortex-a76'] as const)(
    'of a %s say what those of QEMU say, but for what is listed',
    (cpu) => {
      const program = probe(REGISTERS.map((name) => ({ name, code: `mrs x0, ${name}` })))
      try {
        const [theirs, ours] = [program.onQemu(cpu), program.onOurs(cpu, false)]
        const differ = REGISTERS.flatMap((register, i) => {
          const [want, got] = [valueOf(theirs[i]), valueOf(ours[i])]
          return (IDENTIFICATION_FIELDS[register] ?? []).flatMap((field) => {
            const [a, b] = [want, got].map((value) => (value & fieldMask(field)) >> BigInt(field.lsb))
            const name = `${register}.${field.name}`
            return a === b || DIFFERENCES.some(({ names }) => names.test(name)) ? [] : [`${name} is ${b}, in QEMU ${a}`]
          })
        })
        expect(differ).toEqual([])
      } finally {
        program.dispose()
      }
    },
  )
})
