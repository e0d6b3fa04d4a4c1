/** The person's clipboard. A browser may not let the page have it: over plain http, or as the person has set it. */
import type { Session } from './session.ts'

const REFUSED = 'The browser does not let this page use the clipboard'

/** `instead`: what a person can do where the browser refuses. */
export const copy = async (session: Session, text: string, instead: string): Promise<void> => {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    session.report(`${REFUSED}: ${instead}`)
  }
}

/** Nothing where the browser refuses, which is told. */
export const pasted = async (session: Session, instead: string): Promise<string> => {
  try {
    return await navigator.clipboard.readText()
  } catch {
    session.report(`${REFUSED}: ${instead}`)
    return ''
  }
}
