/**
 * A frame of registers behind its table: which access reaches which handler, for the guest and for userspace
 * (arch/arm64/kvm/vgic/vgic-mmio.c: vgic_get_mmio_region(), check_region(), vgic_uaccess()).
 */
import { firstIrqAt, registerAt } from '../../pure/arch/register.ts'
import type { Register } from '../../pure/arch/register.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { AccessWidth } from '../bus/device.ts'

export interface Access {
  /** From the start of the register or bank. */
  readonly offset: number
  readonly width: AccessWidth
  /** The CPU whose frame it is; in the distributor, whoever asks. */
  readonly cpu: number
  /** In a bank: the first interrupt the access covers. */
  readonly intid: number
}

export type Written = Refusal | { readonly ok: true; readonly note?: string }
export type ReadBack = Refusal | { readonly ok: true; readonly value: number }
export const DONE: Written = { ok: true }

export interface Handler {
  /** The guest's read; userspace's as well, unless it has its own. Without one: read as zero. */
  readonly read?: (access: Access) => bigint
  /** The guest's write. Without one: ignored. The note says what was lost. */
  readonly write?: (access: Access, value: bigint) => string | undefined | void
  readonly userRead?: (access: Access) => bigint
  readonly userWrite?: (access: Access, value: bigint) => Written
}

/** The part of a 64-bit register that a read of its half or its whole gives. */
export const readHalf = (value: bigint, { offset }: Access): bigint => value >> BigInt((offset % 8) * 8)

/** A 64-bit register after a write of its half or its whole. */
export const replaceHalf = (old: bigint, { offset, width }: Access, value: bigint): bigint => {
  if (width === 8) return value
  const high = offset % 8 === 4
  return high ? (value << 32n) | BigInt.asUintN(32, old) : ((old >> 32n) << 32n) | value
}

/** A register, and what accesses to it do. */
interface Place {
  readonly register: Register
  readonly handler: Handler | undefined
}

/** Its lowest bits. Of a number of 64 bits, those that the host's compiler does not have to allocate. */
const truncated = (value: bigint, width: AccessWidth): bigint => {
  if (width === 4) return BigInt.asUintN(32, value)
  return width === 8 ? BigInt.asUintN(64, value) : BigInt.asUintN(8 * width, value)
}

/** One for each frame, used again for each access: this is a path that every interrupt takes. */
class CurrentAccess implements Access {
  offset = 0
  width: AccessWidth = 4
  cpu = 0
  intid = 0

  to(register: Register, offset: number, width: AccessWidth, cpu: number): Access {
    this.offset = offset - register.offset
    this.width = width
    this.cpu = cpu
    this.intid = register.perIrq === undefined ? 0 : firstIrqAt(register, offset)
    return this
  }
}

export class RegisterFrame<Name extends string> {
  private readonly registers: readonly Register[]
  private readonly handlers: ReadonlyMap<string, Handler>
  private readonly nrIrqs: number
  private readonly access = new CurrentAccess()
  /** What was looked for, by word; `null`: nothing is there. A driver asks for the same few again and again. */
  private readonly known: (Place | null | undefined)[] = []

  /** `registers` by offset; those without a handler read as zero and ignore writes. */
  constructor(registers: readonly Register[], handlers: Partial<Record<Name, Handler>>, nrIrqs: number) {
    this.registers = registers
    this.handlers = new Map(
      Object.entries<Handler | undefined>(handlers).flatMap(([name, handler]) =>
        handler === undefined ? [] : [[name, handler] as const],
      ),
    )
    this.nrIrqs = nrIrqs
  }

  read(offset: number, width: AccessWidth, cpu: number): bigint {
    const place = this.reach(offset, width)
    if (place?.handler?.read === undefined) return 0n
    return truncated(place.handler.read(this.access.to(place.register, offset, width, cpu)), width)
  }

  write(offset: number, width: AccessWidth, value: bigint, cpu: number): void {
    const place = this.reach(offset, width)
    if (place?.handler?.write === undefined) return
    place.handler.write(this.access.to(place.register, offset, width, cpu), truncated(value, width))
  }

  /** Whether KVM_HAS_DEVICE_ATTR knows the offset. */
  has(offset: number): boolean {
    return this.reach(offset, 4) !== undefined
  }

  /** 32 bits; where there is no register, or between two, it reads as zero and ignores writes like a guest's. */
  userRead(offset: number, cpu: number): ReadBack {
    const place = this.reach(offset, 4)
    const read = place?.handler?.userRead ?? place?.handler?.read
    if (place === undefined || read === undefined) return { ok: true, value: 0 }
    return { ok: true, value: Number(BigInt.asUintN(32, read(this.access.to(place.register, offset, 4, cpu)))) }
  }

  userWrite(offset: number, value: number, cpu: number): Written {
    const place = this.reach(offset, 4)
    if (place?.handler === undefined) return DONE
    const { register, handler } = place
    const at = this.access.to(register, offset, 4, cpu)
    const word = BigInt(value >>> 0)
    if (handler.userWrite !== undefined) return handler.userWrite(at, word)
    const note = handler.write?.(at, word)
    return typeof note === 'string' ? { ok: true, note } : DONE
  }

  /** A word belongs to one register. */
  private placeAt(offset: number): Place | undefined {
    const word = offset >>> 2
    const known = this.known[word]
    if (known !== undefined) return known ?? undefined
    const register = registerAt(this.registers, offset)
    const place = register && { register, handler: this.handlers.get(register.name) }
    this.known[word] = place ?? null
    return place
  }

  /** What an access reaches: a register that is there, of a width it takes, aligned, of an interrupt that is there. */
  private reach(offset: number, width: AccessWidth): Place | undefined {
    if (offset % width !== 0) return undefined
    const place = this.placeAt(offset)
    if (place === undefined || !place.register.access.includes(width)) return undefined
    const { register } = place
    if (register.perIrq !== undefined && firstIrqAt(register, offset) >= this.nrIrqs) return undefined
    return place
  }
}
