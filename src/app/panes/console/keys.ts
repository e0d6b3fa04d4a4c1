/** The few keys that the console keeps from the guest. */

/** What its keys do. */
export interface ConsoleActs {
  search(): void
  copy(): void
  paste(): void
  leave(): void
}

interface ConsoleKey {
  /** As `widgets/keys.ts` reads them. */
  readonly keys: string
  readonly says: string
  readonly act: keyof ConsoleActs
}

export const CONSOLE_KEYS: readonly ConsoleKey[] = [
  { keys: 'Ctrl+F6', says: 'leaves the console, where Tab belongs to the guest', act: 'leave' },
  { keys: 'Ctrl+Shift+F', says: 'searches it', act: 'search' },
  { keys: 'Ctrl+Shift+C', says: 'copies what is selected', act: 'copy' },
  { keys: 'Ctrl+Shift+V', says: 'pastes', act: 'paste' },
]
