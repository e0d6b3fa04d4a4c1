/**
 * Firefox and WebKit as Debian has them, driven as far as a look at the page needs: playwright drives builds of its own,
 * which are no packages.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Driver {
  goTo(url: string): Promise<void>
  /** The value of an expression in the page. */
  evaluate(expression: string): Promise<unknown>
  /** Presses a key while others are held; those that are no letters by their code points (W3C WebDriver, 17.4.2). */
  press(key: string, ...held: readonly string[]): Promise<void>
  /** A PNG. */
  screenshot(): Promise<Buffer>
  close(): Promise<void>
}

const FIREFOX = '/usr/bin/firefox-esr'
const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver'
const XVFB = '/usr/bin/Xvfb'
const MINI_BROWSERS = ['4.1', '6.0', '4.0'].map(
  (version) =>
    `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-${version}/MiniBrowser`,
)
const MINI_BROWSER = MINI_BROWSERS.find((file) => existsSync(file))

/** Whether the packages are there: firefox-esr; webkit2gtk-driver, and xvfb where there is no display. */
export const hasFirefox = existsSync(FIREFOX)
export const hasWebKit =
  existsSync(WEBKIT_DRIVER) && MINI_BROWSER !== undefined && (process.env['DISPLAY'] !== undefined || existsSync(XVFB))

const WAIT_MS = 20_000
const POLL_MS = 200

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MS))

/** Tries until it works or the time is up passed. */
const patiently = async <Result>(what: string, attempt: () => Promise<Result>): Promise<Result> => {
  const end = Date.now() + WAIT_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > end) throw new Error(`${what} does not answer`, { cause: error })
      await soon()
    }
  }
}

type Ask = (command: string, parameters: object) => Promise<unknown>

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Presses and releases of a keyboard, as both protocols have them. */
const keyActions = (key: string, held: readonly string[]): object => {
  const down = [...held, key].map((value) => ({ type: 'keyDown', value }))
  const up = [key, ...held.toReversed()].map((value) => ({ type: 'keyUp', value }))
  return { actions: [{ type: 'key', id: 'keyboard', actions: [...down, ...up] }] }
}

/** Marionette: a length, a colon and JSON: [0, id, command, parameters], answered by [1, id, error, value]. */
class Marionette {
  private readonly waiting = new Map<number, { take(value: unknown): void; refuse(why: Error): void }>()
  private received = Buffer.alloc(0)
  private last = 0
  private readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (data: Buffer) => {
      this.received = Buffer.concat([this.received, data])
      this.read()
    })
  }

  private read(): void {
    for (;;) {
      const colon = this.received.indexOf(':')
      if (colon < 0) return
      const length = Number(this.received.subarray(0, colon).toString())
      if (this.received.length < colon + 1 + length) return
      const message: unknown = JSON.parse(this.received.subarray(colon + 1, colon + 1 + length).toString())
      this.received = this.received.subarray(colon + 1 + length)
      // The first message greets, and is no answer.
      if (!Array.isArray(message)) continue
      const [, id, error, value]: unknown[] = message
      const waiting = this.waiting.get(Number(id))
      this.waiting.delete(Number(id))
      if (error === null) waiting?.take(value)
      else waiting?.refuse(new Error(textOf(fieldOf(error, 'message') ?? error)))
    }
  }

  readonly ask: Ask = (command, parameters) =>
    new Promise((take, refuse) => {
      const id = ++this.last
      this.waiting.set(id, { take, refuse })
      const text = JSON.stringify([0, id, command, parameters])
      this.socket.write(`${Buffer.byteLength(text)}:${text}`)
    })
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else {
      child.once('exit', () => resolve())
      child.kill()
    }
  })

export const openFirefox = async (port: number): Promise<Driver> => {
  const profile = mkdtempSync(join(tmpdir(), 'gicscope-firefox-'))
  writeFileSync(join(profile, 'user.js'), `user_pref('marionette.port', ${port});\n`)
  const browser = spawn(FIREFOX, ['--headless', '--no-remote', '--marionette', '--profile', profile], {
    stdio: 'ignore',
  })
  const socket = await patiently(
    'Firefox',
    () =>
      new Promise<Socket>((resolve, reject) => {
        const tried = connect(port, '127.0.0.1', () => resolve(tried))
        tried.once('error', reject)
      }),
  )
  const { ask } = new Marionette(socket)
  await ask('WebDriver:NewSession', { strictFileInteractability: true })
  await ask('WebDriver:SetWindowRect', { width: 1280, height: 885 })
  return {
    goTo: async (url) => {
      await ask('WebDriver:Navigate', { url })
    },
    evaluate: async (expression) =>
      fieldOf(await ask('WebDriver:ExecuteScript', { script: `return (${expression})`, args: [] }), 'value'),
    press: async (key, ...held) => {
      await ask('WebDriver:PerformActions', keyActions(key, held))
    },
    screenshot: async () =>
      Buffer.from(textOf(fieldOf(await ask('WebDriver:TakeScreenshot', { full: false }), 'value')), 'base64'),
    close: async () => {
      socket.destroy()
      await ended(browser)
      rmSync(profile, { recursive: true, force: true })
    },
  }
}

/** A display for a browser that has no way without. */
const openDisplay = async (): Promise<{ readonly name: string; close(): Promise<void> }> => {
  const present = process.env['DISPLAY']
  if (present !== undefined) return { name: present, close: async () => {} }
  const server = spawn(XVFB, ['-displayfd', '1', '-screen', '0', '1280x900x24'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const number = await new Promise<string>((resolve, reject) => {
    server.stdout.once('data', (data: Buffer) => resolve(data.toString().trim()))
    server.once('exit', () => reject(new Error('Xvfb does not start')))
  })
  return { name: `:${number}`, close: () => ended(server) }
}

export const openWebKit = async (port: number): Promise<Driver> => {
  const display = await openDisplay()
  const driver = spawn(WEBKIT_DRIVER, [`--port=${port}`], {
    stdio: 'ignore',
    env: { ...process.env, DISPLAY: display.name },
  })
  const request = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const value = fieldOf(await response.json(), 'value')
    if (!response.ok) throw new Error(textOf(fieldOf(value, 'message') ?? value))
    return value
  }
  await patiently('WebKitWebDriver', () => request('GET', '/status'))
  const options = { binary: MINI_BROWSER, args: ['--automation'] }
  const made = await request('POST', '/session', {
    capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } },
  })
  const session = `/session/${textOf(fieldOf(made, 'sessionId'))}`
  await request('POST', `${session}/window/rect`, { width: 1280, height: 800 })
  return {
    goTo: async (url) => {
      await request('POST', `${session}/url`, { url })
    },
    evaluate: (expression) =>
      request('POST', `${session}/execute/sync`, { script: `return (${expression})`, args: [] }),
    press: async (key, ...held) => {
      await request('POST', `${session}/actions`, keyActions(key, held))
    },
    screenshot: async () => Buffer.from(textOf(await request('GET', `${session}/screenshot`)), 'base64'),
    close: async () => {
      await request('DELETE', session)
      await ended(driver)
      await display.close()
    },
  }
}
