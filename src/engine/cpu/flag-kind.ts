/**
 * How a region keeps the condition flags: as what they come from, because most are never looked at. A kind with one or two
 * 64-bit values (32-bit ones zero-extended) in `scratch`, which the interpreter resolves into the bank's flags before
 * anything else looks at them.
 */
export const flagKind = {
  /** The bank's own flags hold. */
  BANK: 0,
  /** A is NZCV, N being bit 3. */
  NZCV: 1,
  /** As A - B, or A + B, has set them. */
  SUB32: 2,
  SUB64: 3,
  ADD32: 4,
  ADD64: 5,
  /** N and Z from A, C and V are 0. */
  LOGIC32: 6,
  LOGIC64: 7,
} as const
export type FlagKind = (typeof flagKind)[keyof typeof flagKind]

/**
 * What is known of the flags where code is translated: their kind; or that it is in a local, and then either one of two
 * (`…_OR_NZCV`, as conditional compares leave it) or any (`MIXED`); or that nothing has changed them since the region was
 * entered or a call came back (`UNTOUCHED`).
 */
export const MIXED = -1
export const UNTOUCHED = -2
export const SUB32_OR_NZCV = -3
export const SUB64_OR_NZCV = -4
export type FlagState = FlagKind | typeof MIXED | typeof UNTOUCHED | typeof SUB32_OR_NZCV | typeof SUB64_OR_NZCV

const isOneOf = (state: FlagState, kind: FlagKind, either: FlagState): boolean =>
  state === kind || state === flagKind.NZCV || state === either

/** What is known where two ways meet. */
export const meet = (a: FlagState, b: FlagState): FlagState => {
  if (a === b) return a
  if (isOneOf(a, flagKind.SUB64, SUB64_OR_NZCV) && isOneOf(b, flagKind.SUB64, SUB64_OR_NZCV)) return SUB64_OR_NZCV
  if (isOneOf(a, flagKind.SUB32, SUB32_OR_NZCV) && isOneOf(b, flagKind.SUB32, SUB32_OR_NZCV)) return SUB32_OR_NZCV
  return MIXED
}
