/**
 * Eventfds that raise interrupts: KVM_IRQFD (virt/kvm/eventfd.c). A VMM's device writes to an eventfd instead of calling
 * KVM. Where a GSI leads is looked up when it is raised.
 */
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import { IRQFD } from '../../pure/uapi/irqfd.ts'
import { done, withValue } from './kvm-answer.ts'

const EVENTFD = 'virt/kvm/eventfd.c'
/** RLIMIT_NOFILE, as most systems have it: no process has more of them. */
const MAX_FDS = 1024

interface Irqfd {
  readonly gsi: number
  /** Signalled when the guest has completed the interrupt. */
  readonly resamplefd: number | undefined
}

export interface IrqfdOptions {
  /** kvm_set_irq(): what becomes of a GSI, by its route. */
  readonly raise: (gsi: number, level: boolean) => void
  /** The GSI of an SPI; `undefined`: none leads there. */
  readonly gsiOf: (intid: number) => number | undefined
  /** Whether the VM's GIC is initialised. */
  readonly initialised: () => boolean
}

const noFd = (fd: number): Refusal => refuse('EBADF', `There is no eventfd ${fd}.`, `${EVENTFD}: eventfd_ctx_fdget()`)

export class Irqfds {
  private readonly o: IrqfdOptions
  /** How often an eventfd was written to since it was read. */
  private readonly counts = new Map<number, number>()
  private readonly assigned = new Map<number, Irqfd>()

  constructor(options: IrqfdOptions) {
    this.o = options
  }

  /** KVM_IRQFD. */
  assign({ fd, gsi, flags, resamplefd }: Extract<KvmCall, { call: 'KVM_IRQFD' }>): KvmAnswer {
    const source = `${EVENTFD}: kvm_irqfd()`
    if ((flags & ~(IRQFD.DEASSIGN | IRQFD.RESAMPLE)) !== 0) {
      return refuse('EINVAL', `Flags 0x${flags.toString(16)} are unknown.`, source)
    }
    if ((flags & IRQFD.DEASSIGN) !== 0) return this.deassign(fd, gsi)
    if (!this.o.initialised()) return refuse('EAGAIN', 'The vGIC is not initialised.', `${EVENTFD}: kvm_irqfd_assign()`)
    if (!isFd(fd)) return noFd(fd)
    const resamples = (flags & IRQFD.RESAMPLE) !== 0
    if (resamples && !isFd(resamplefd ?? -1)) return noFd(resamplefd ?? -1)
    if (this.assigned.has(fd)) {
      return refuse('EBUSY', `Eventfd ${fd} raises another interrupt.`, `${EVENTFD}: kvm_irqfd_assign()`)
    }
    this.assigned.set(fd, { gsi, resamplefd: resamples ? resamplefd : undefined })
    // A work item raises what was written before, and lowers it where nothing resamples: irqfd_inject().
    if ((this.counts.get(fd) ?? 0) > 0) {
      this.raise(fd)
      if (!resamples) this.o.raise(gsi, false)
    }
    return done
  }

  /** What is not assigned is taken away all the same. */
  private deassign(fd: number, gsi: number): KvmAnswer {
    if (!isFd(fd)) return noFd(fd)
    const found = this.assigned.get(fd)
    if (found?.gsi !== gsi) return done
    this.assigned.delete(fd)
    // The last that resamples takes its level with it: irqfd_resampler_shutdown().
    if (found.resamplefd !== undefined && !this.resamplers(gsi)) this.o.raise(gsi, false)
    return done
  }

  /** write(2): what the VMM's device does. */
  write(fd: number): KvmAnswer {
    if (!isFd(fd)) return noFd(fd)
    this.counts.set(fd, (this.counts.get(fd) ?? 0) + 1)
    this.raise(fd)
    return done
  }

  /** read(2): how often it was written to. */
  read(fd: number): KvmAnswer {
    if (!isFd(fd)) return noFd(fd)
    const count = this.counts.get(fd) ?? 0
    if (count === 0) return refuse('EAGAIN', `Eventfd ${fd} has not been written to.`, 'fs/eventfd.c: eventfd_read()')
    this.counts.delete(fd)
    return withValue(BigInt(count))
  }

  /** kvm_notify_acked_irq(): the guest has completed a level-sensitive SPI. */
  completed(intid: number): void {
    const gsi = this.o.gsiOf(intid)
    if (gsi === undefined || !this.resamplers(gsi)) return
    this.o.raise(gsi, false)
    for (const { gsi: other, resamplefd } of this.assigned.values()) {
      if (other === gsi && resamplefd !== undefined) this.counts.set(resamplefd, (this.counts.get(resamplefd) ?? 0) + 1)
    }
  }

  private resamplers(gsi: number): boolean {
    for (const one of this.assigned.values()) if (one.gsi === gsi && one.resamplefd !== undefined) return true
    return false
  }

  /** irqfd_wakeup(): KVM reads the eventfd itself. A level stays up (kvm_arch_set_irq_inatomic()), as recorded. */
  private raise(fd: number): void {
    const irqfd = this.assigned.get(fd)
    if (irqfd === undefined) return
    this.counts.delete(fd)
    this.o.raise(irqfd.gsi, true)
  }
}

const isFd = (fd: number): boolean => Number.isInteger(fd) && fd >= 0 && fd < MAX_FDS
