/** How far a boot of Linux has come, by what its kernel prints (guests: init/main.c, arch/arm64/kernel/smp.c, the init script). */

export interface BootStage {
  /** Part of the line that begins it. */
  readonly mark: string
  readonly title: string
}

/** What the Linux guest's init prints before its shell. */
export const READY = 'guest: ready'

export const BOOT_STAGES: readonly BootStage[] = [
  { mark: 'Booting Linux', title: 'The kernel sets up memory and its interrupt controller' },
  { mark: 'smp: Bringing up', title: 'The kernel brings up its other CPUs' },
  { mark: 'devtmpfs: initialized', title: 'The kernel starts its drivers' },
  { mark: 'Run /init', title: 'User space starts' },
]
