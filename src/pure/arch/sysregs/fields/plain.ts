/** The system registers that are one plain number, and why there is nothing to tell of their bits. */
const OWN_MEANING = 'IMPLEMENTATION DEFINED: what its bits mean is up to the CPU; here they are 0.'
const SOFTWARE = 'Software keeps there what it wants to; the CPU makes nothing of it.'
const KEY = 'Half of a key of 128 bits, with which pointers are signed.'
const RANDOM = 'A random number.'

export const PLAIN_SYSREGS: Readonly<Record<string, string>> = {
  REVIDR_EL1: OWN_MEANING,
  AIDR_EL1: OWN_MEANING,
  ACTLR_EL1: OWN_MEANING,
  AFSR0_EL1: OWN_MEANING,
  AFSR1_EL1: OWN_MEANING,
  AMAIR_EL1: OWN_MEANING,
  TPIDR_EL0: SOFTWARE,
  TPIDR_EL1: SOFTWARE,
  TPIDRRO_EL0: SOFTWARE,
  ...Object.fromEntries(
    ['APIA', 'APIB', 'APDA', 'APDB', 'APGA'].flatMap((key) => [
      [`${key}KeyLo_EL1`, KEY],
      [`${key}KeyHi_EL1`, KEY],
    ]),
  ),
  RNDR: RANDOM,
  RNDRRS: RANDOM,
}
