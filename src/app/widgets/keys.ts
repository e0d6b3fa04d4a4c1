/** Keys as text: `Mod+K`, `Alt+1`, `?`, `Ctrl+F6`. Mod is Cmd on Apple's keyboards and Ctrl elsewhere; Ctrl is Ctrl. */

export interface KeyPress {
  readonly key: string
  readonly code: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
}

export const isApple = (): boolean => typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent)

/** What a key is called beside Alt and Ctrl, where `key` may be any letter of the keyboard's third level. */
const nameOf = ({ key, code }: KeyPress): string => {
  const named = /^(?:Key|Digit)(.)$/.exec(code)?.[1]
  return (named ?? key).toUpperCase()
}

/** Whether an event is the keys that a text names. A sign such as `?` is met however it is typed. */
export const pressed = (keys: string, event: KeyPress, apple: boolean = isApple()): boolean => {
  const parts = keys.split('+')
  const wanted = parts.at(-1) ?? ''
  const has = (part: string): boolean => parts.includes(part)
  if (event.ctrlKey !== (has('Ctrl') || (!apple && has('Mod')))) return false
  if (event.metaKey !== (apple && has('Mod')) || event.altKey !== has('Alt')) return false
  if (parts.length === 1 && wanted.length === 1) return event.key === wanted
  return event.shiftKey === has('Shift') && nameOf(event) === wanted.toUpperCase()
}

const SIGNS: Readonly<Record<string, string>> = { Mod: '⌘', Shift: '⇧', Alt: '⌥', Ctrl: '⌃' }

/** As this keyboard has them. */
export const keysText = (keys: string, apple: boolean = isApple()): string =>
  apple
    ? keys
        .split('+')
        .map((part) => SIGNS[part] ?? part)
        .join('')
    : keys.replace('Mod', 'Ctrl').replaceAll('+', ' ')

/** Where single keys are text and not commands. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
