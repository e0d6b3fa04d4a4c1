/** The files of guests, kept for one boot after another: they come to the worker once. */
import type { NamedGuest } from '../../pure/protocol/commands.ts'
import type { GuestFiles } from '../vmm/vmm.ts'

export type FoundGuest =
  | { readonly ok: true; readonly guest: GuestFiles }
  | { readonly ok: false; readonly what: string }

export class GuestShelf {
  private readonly files = new Map<string, Uint8Array>()

  /** Of two files with one name the later is kept; a machine that was made of the earlier keeps that. */
  keep(name: string, bytes: Uint8Array): void {
    this.files.set(name, bytes)
  }

  /** The files that a guest names. */
  find({ kernel, initrd, dtb, append }: NamedGuest): FoundGuest {
    const missing = [kernel, initrd, dtb].find((name) => name !== undefined && !this.files.has(name))
    const first = this.files.get(kernel)
    if (missing !== undefined || first === undefined) {
      return { ok: false, what: `The worker has no file "${missing ?? kernel}": fetch or drop it again.` }
    }
    const file = (name: string | undefined): Uint8Array | undefined =>
      name === undefined ? undefined : this.files.get(name)
    return { ok: true, guest: { kernel: first, initrd: file(initrd), dtb: file(dtb), append } }
  }
}
