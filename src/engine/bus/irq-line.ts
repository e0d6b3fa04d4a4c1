/** A wire that carries one interrupt: level semantics, idempotent. */
export interface IrqLine {
  set(level: boolean): void
}

/** A line that goes nowhere, for a device that nobody wired. */
export const unconnected: IrqLine = { set: () => {} }
