/** Puts a guest into RAM as Documentation/arch/arm64/booting.rst asks for it, at the places QEMU's `virt` uses. */
import { checkInitrd, readKernel } from './image.ts'
import type { Found, Kernel, Segment } from './image.ts'

export interface Range {
  readonly start: number
  /** The first address after it. */
  readonly end: number
}

export interface PlaceOptions {
  readonly ramBase: number
  readonly ramSize: number
  readonly kernel: Uint8Array
  readonly initrd?: Uint8Array
  /** Makes the device tree when it is known where the initrd lies. */
  readonly dtb: (initrd: Range | undefined) => Found<{ readonly dtb: Uint8Array }>
  readonly write: (physical: number, bytes: Uint8Array) => void
  /** What the sentences call the files. */
  readonly kernelName?: string
  readonly initrdName?: string
}

const MIB = 2 ** 20
/** booting.rst: the kernel's base and the device tree; a device tree does not cross a 2 MiB boundary. */
const BASE_ALIGN = 2 * MIB
const MAX_DTB = 2 * MIB
/** QEMU's hw/arm/boot.c: the kernel keeps clear of the boot code at the start of RAM, the initrd of the kernel. */
const KERNEL_OFFSET = 2 * MIB
const QEMU_BOOT_CODE = 4096
const RAW_OFFSET = 0x80000
const INITRD_OFFSET = 128 * MIB
const PAGE = 4096

const aligned = (address: number, to: number): number => Math.ceil(address / to) * to
const hex = (value: number | bigint): string => `0x${value.toString(16)}`
const wrong = (what: string): { ok: false; what: string } => ({ ok: false, what })
const mib = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`

interface Placed {
  readonly entry: bigint
  readonly segments: readonly Segment[]
}

const placeKernel = (kernel: Kernel, ramBase: number): Placed => {
  if (kernel.kind === 'ELF') return kernel
  const single = (start: number, size: number): Placed => ({
    entry: BigInt(start),
    segments: [{ physical: BigInt(start), bytes: kernel.bytes, memorySize: size }],
  })
  if (kernel.kind === 'raw') return single(ramBase + RAW_OFFSET, kernel.bytes.length)
  const low = kernel.textOffset < QEMU_BOOT_CODE ? KERNEL_OFFSET : 0
  const start = ramBase + low + kernel.textOffset
  return single(start, kernel.size)
}

const rangeOf = ({ physical, memorySize }: Segment): Range => ({
  start: Number(physical),
  end: Number(physical) + memorySize,
})

/** Lays out kernel, initrd and device tree; writes nothing unless all of it fits. */
export const placeGuest = (o: PlaceOptions): Found<{ entry: bigint; dtb: bigint }> => {
  const kernelName = o.kernelName ?? 'The kernel'
  const initrdName = o.initrdName ?? 'The initrd'
  const read = readKernel(kernelName, o.kernel, true)
  if (!read.ok) return read
  // Linux unpacks it; another guest may want any file there.
  const forLinux = read.kernel.kind === 'Image'
  const checked = o.initrd === undefined || !forLinux ? { ok: true as const } : checkInitrd(initrdName, o.initrd)
  if (!checked.ok) return checked

  const ramEnd = o.ramBase + o.ramSize
  const { entry, segments } = placeKernel(read.kernel, o.ramBase)
  for (const segment of segments) {
    const { start, end } = rangeOf(segment)
    if (start < o.ramBase || end > ramEnd) {
      return wrong(
        `${kernelName} takes ${hex(start)} to ${hex(end)}, and RAM is ${hex(o.ramBase)} to ${hex(ramEnd)}: ` +
          `${start < o.ramBase ? 'it is linked for another machine' : `it does not fit into ${mib(o.ramSize)}`}.`,
      )
    }
  }
  const kernelEnd = Math.max(...segments.map((segment) => rangeOf(segment).end))

  const wished = o.ramBase + Math.min(INITRD_OFFSET, Math.floor(o.ramSize / 2))
  const start = aligned(Math.max(wished, kernelEnd), PAGE)
  const initrd = o.initrd === undefined ? undefined : { start, end: start + o.initrd.length }
  if (initrd !== undefined && initrd.end > ramEnd) {
    return wrong(
      `${initrdName} has ${mib(initrd.end - initrd.start)}, and ${mib(Math.max(0, ramEnd - start))} of RAM are left for it.`,
    )
  }

  const made = o.dtb(initrd)
  if (!made.ok) return made
  const { dtb } = made
  if (dtb.length > MAX_DTB) return wrong(`The device tree has ${dtb.length} bytes; Linux takes at most ${MAX_DTB}.`)
  // 2 MiB aligned, so it cannot cross a boundary.
  const dtbStart = aligned(initrd?.end ?? start, BASE_ALIGN)
  if (dtbStart + dtb.length > ramEnd) {
    return wrong(`The device tree does not fit: the guest's files fill ${mib(o.ramSize)} of RAM.`)
  }

  for (const { physical, bytes } of segments) o.write(Number(physical), bytes)
  if (initrd !== undefined && o.initrd !== undefined) o.write(initrd.start, o.initrd)
  o.write(dtbStart, dtb)
  return { ok: true, entry, dtb: BigInt(dtbStart) }
}
