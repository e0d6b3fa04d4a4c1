/** What a device holds, for those who save and restore a machine: numbers and lists of numbers, by name. */
export type DeviceState = Readonly<Record<string, number | readonly number[]>>

/** A device whose state can be taken and given back. */
export interface Saved {
  saveState(): DeviceState
  /** Into a device that was just made. What does not fit is told as an error that names the field. */
  restoreState(state: DeviceState): void
}

const missing = (name: string): Error => new Error(`${name} is missing, or is not what it should be`)

export const numberIn = (state: DeviceState, name: string): number => {
  const value = state[name]
  if (typeof value !== 'number') throw missing(name)
  return value
}

export const numbersIn = (state: DeviceState, name: string): readonly number[] => {
  const value = state[name]
  if (typeof value !== 'object') throw missing(name)
  return value
}
