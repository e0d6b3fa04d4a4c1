/** The file of `--trace`: what the machine told goes to disk while it runs. */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Vmm } from '../engine/vmm/vmm.ts'
import { ChromeTrace } from '../pure/trace/chrome.ts'

/** Characters that wait for company before they are written. */
const CHUNK = 1 << 20

export type OpenedTrace =
  | { readonly ok: true; readonly trace: TraceFile }
  | { readonly ok: false; readonly what: string }

export class TraceFile {
  private readonly fd: number
  private readonly chrome: ChromeTrace
  private text = ''
  private next = 0
  /** Events that were not taken in time. */
  lost = 0

  private constructor(fd: number) {
    this.fd = fd
    this.chrome = new ChromeTrace((text) => this.write(text))
  }

  static open(file: string): OpenedTrace {
    try {
      return { ok: true, trace: new TraceFile(openSync(file, 'w')) }
    } catch (error) {
      return { ok: false, what: `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}` }
    }
  }

  take(vmm: Vmm): void {
    const batch = vmm.takeTrace()
    if (batch === undefined) return
    this.lost += batch.first - this.next
    this.next = batch.first + batch.times.length
    this.chrome.add(batch)
  }

  /** The guest has reset: what follows is told by another machine, whose time begins anew. */
  nextMachine(): void {
    this.next = 0
    this.chrome.nextMachine()
  }

  close(): void {
    this.chrome.finish()
    writeSync(this.fd, this.text)
    closeSync(this.fd)
  }

  private write(text: string): void {
    this.text += text
    if (this.text.length < CHUNK) return
    writeSync(this.fd, this.text)
    this.text = ''
  }
}
