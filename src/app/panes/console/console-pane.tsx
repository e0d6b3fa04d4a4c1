/** The guest's serial console. */
import { ClipboardAddon } from '@xterm/addon-clipboard'
import { FitAddon } from '@xterm/addon-fit'
import { SearchAddon } from '@xterm/addon-search'
import { Unicode11Addon } from '@xterm/addon-unicode11'
import { WebglAddon } from '@xterm/addon-webgl'
import { Terminal } from '@xterm/xterm'
import { ArrowDown, ArrowUp, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useSession } from '../../session-context.ts'
import { copy, pasted } from '../../session/clipboard.ts'
import type { Session } from '../../session/session.ts'
import { focusSlot } from '../../widgets/focus.ts'
import { pressed } from '../../widgets/keys.ts'
import { onThemeChange, token } from '../../widgets/theme.ts'
import { mentionsIn } from '../shared/mentions.ts'
import { goTo } from '../shared/go-to.ts'
import { CONSOLE_KEYS } from './keys.ts'
import type { ConsoleActs } from './keys.ts'
import '../../style/console.css'

const utf8 = new TextEncoder()
const WIDE = 1500
const fontSize = (): number => (window.innerWidth >= WIDE ? 13 : 12)

const colours = (): Record<string, string> => ({
  background: token('--pane'),
  foreground: token('--text'),
  cursor: token('--aff3'),
  selectionBackground: token('--edge'),
  red: token('--bad'),
  green: token('--ok'),
  yellow: token('--warn'),
  blue: token('--aff0'),
  magenta: token('--aff3'),
  cyan: token('--aff1'),
})

interface Screen {
  readonly search: SearchAddon
  readonly focus: () => void
  readonly dispose: () => void
}

/** A line as the guest wrote it, of which row `y` (from 1) is a part: the rows before and after it that are its own. */
const wholeLine = ({ buffer: { active } }: Terminal, y: number): string => {
  let first = y - 1
  while (active.getLine(first)?.isWrapped === true) first--
  let text = active.getLine(first)?.translateToString(true) ?? ''
  for (let row = first + 1; active.getLine(row)?.isWrapped === true; row++)
    text += active.getLine(row)?.translateToString(true) ?? ''
  return text
}

const drawFaster = (terminal: Terminal): void => {
  try {
    const webgl = new WebglAddon()
    // The page goes on with plain elements when the browser takes the context away.
    webgl.onContextLoss(() => webgl.dispose())
    terminal.loadAddon(webgl)
  } catch {
    // No WebGL here: the terminal draws with plain elements.
  }
}

const openScreen = (place: HTMLElement, session: Session, onSearch: () => void): Screen => {
  const terminal = new Terminal({
    allowProposedApi: true,
    fontFamily: token('--mono'),
    fontSize: fontSize(),
    scrollback: 20_000,
    cursorBlink: true,
    theme: colours(),
    minimumContrastRatio: 4.5,
  })
  const fit = new FitAddon()
  const search = new SearchAddon()
  terminal.loadAddon(fit)
  terminal.loadAddon(search)
  terminal.loadAddon(new ClipboardAddon())
  terminal.loadAddon(new Unicode11Addon())
  terminal.unicode.activeVersion = '11'
  terminal.open(place)
  terminal.textarea?.setAttribute('aria-label', 'Serial console of the guest')
  // A task of its own, as it makes a context and compiles shaders.
  const faster = setTimeout(() => drawFaster(terminal))

  const acts: ConsoleActs = {
    search: onSearch,
    copy: () => {
      if (terminal.hasSelection()) void copy(session, terminal.getSelection(), 'its own menu copies what is selected.')
    },
    paste: () =>
      void pasted(session, 'its own menu pastes into the console.').then((text) => text !== '' && terminal.paste(text)),
    leave: () => focusSlot(1),
  }
  terminal.attachCustomKeyEventHandler((event) => {
    const key = event.type === 'keydown' ? CONSOLE_KEYS.find(({ keys }) => pressed(keys, event)) : undefined
    if (key === undefined) return true
    acts[key.act]()
    event.preventDefault()
    return false
  })
  terminal.onData((text) => session.type(utf8.encode(text)))
  terminal.onBinary((text) => session.type(Uint8Array.from(text, (letter) => letter.charCodeAt(0))))

  const links = terminal.registerLinkProvider({
    provideLinks: (y, answer) => {
      const text = terminal.buffer.active.getLine(y - 1)?.translateToString(true) ?? ''
      answer(
        mentionsIn(text).map(({ at, text: word, of }) => ({
          text: word,
          // Columns of a terminal count from 1, and its ends are in it.
          range: { start: { x: at + 1, y }, end: { x: at + word.length, y } },
          activate: () => goTo(session, of, session.trace.clock.ofLine(wholeLine(terminal, y))),
        })),
      )
    },
  })
  const unhear = session.console.listen((bytes) => {
    if (bytes === 'clear') terminal.reset()
    else terminal.write(bytes)
  })
  const observer = new ResizeObserver(() => {
    terminal.options.fontSize = fontSize()
    fit.fit()
  })
  observer.observe(place)
  const untheme = onThemeChange(() => {
    terminal.options.theme = colours()
  })
  return {
    search,
    focus: () => terminal.focus(),
    dispose: () => {
      clearTimeout(faster)
      unhear()
      links.dispose()
      untheme()
      observer.disconnect()
      terminal.dispose()
    },
  }
}

const ConsolePane = () => {
  const session = useSession()
  const place = useRef<HTMLDivElement>(null)
  const screen = useRef<Screen | undefined>(undefined)
  const [searching, setSearching] = useState(false)

  useEffect(() => {
    const { current } = place
    if (current === null) return
    // A task of its own: the terminal takes as long to make as the rest of the page.
    const timer = setTimeout(() => {
      screen.current = openScreen(current, session, () => setSearching(true))
    })
    return () => {
      clearTimeout(timer)
      screen.current?.dispose()
      screen.current = undefined
    }
  }, [session])

  const close = (): void => {
    setSearching(false)
    screen.current?.search.clearDecorations()
    screen.current?.focus()
  }

  return (
    <div className="console">
      <div className="pane-body screen" ref={place} data-testid="console" />
      {searching && <SearchField screen={() => screen.current} onClose={close} />}
    </div>
  )
}

const SearchField = ({ screen, onClose }: { screen: () => Screen | undefined; onClose: () => void }) => {
  const [text, setText] = useState('')
  return (
    <form
      className="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        screen()?.search.findPrevious(text)
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose()
      }}
    >
      <input
        className="field"
        aria-label="Search the console"
        placeholder="search"
        autoFocus
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          screen()?.search.findPrevious(event.target.value, { incremental: true })
        }}
      />
      <button className="button small icon quiet" aria-label="Earlier match">
        <ArrowUp size={14} aria-hidden />
      </button>
      <button
        type="button"
        className="button small icon quiet"
        aria-label="Later match"
        onClick={() => screen()?.search.findNext(text)}
      >
        <ArrowDown size={14} aria-hidden />
      </button>
      <button type="button" className="button small icon quiet" aria-label="Close the search" onClick={onClose}>
        <X size={14} aria-hidden />
      </button>
    </form>
  )
}

export default ConsolePane
