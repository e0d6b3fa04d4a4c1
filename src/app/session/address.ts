/** Keeps the address of the page and the document the same: what is edited stands in the address, what is opened is taken from it. */
import { readLink, writeLink } from './link.ts'
import type { LinkedDocument } from './link.ts'
import type { Session } from './session.ts'
import { keptOf } from './view.ts'

const WRITE_MS = 400

/** What of a browser's window an address needs. */
export interface Addressed {
  hash(): string
  /** Puts another fragment into the address without going there. */
  replace(fragment: string): void
  onChange(changed: () => void): void
}

export const documentOf = ({ store, view }: Pick<Session, 'store' | 'view'>): LinkedDocument => {
  const { draft: blueprint, engine, scenario, selected, program } = store.getState()
  return { blueprint, engine, scenario, selected, program, view: keptOf(view.store.getState()) }
}

/** Opens what the address names, and from then on keeps the two the same. */
export const followAddress = async (session: Session, window: Addressed): Promise<void> => {
  let written = ''
  const open = async (): Promise<boolean> => {
    const fragment = window.hash().replace(/^#/, '')
    if (fragment === '' || fragment === written) return false
    const read = await readLink(fragment)
    if (!read.ok) {
      session.notice(read.what)
      return false
    }
    session.open(read.document)
    return true
  }

  await open()
  let timer: ReturnType<typeof setTimeout> | undefined
  let before = JSON.stringify(documentOf(session))
  const write = async (): Promise<void> => {
    const document = documentOf(session)
    const text = JSON.stringify(document)
    if (text === before) return
    before = text
    written = await writeLink(document)
    window.replace(written)
  }
  const soon = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => void write().catch((error: unknown) => session.report(String(error))), WRITE_MS)
  }
  session.store.subscribe(({ draft, engine, scenario, selected, program }, last) => {
    const same =
      draft === last.draft &&
      engine === last.engine &&
      scenario === last.scenario &&
      selected === last.selected &&
      program === last.program
    if (!same) soon()
  })
  session.view.store.subscribe(soon)
  window.onChange(() => {
    void open().then((opened) => (opened ? session.boot() : undefined))
  })
}
