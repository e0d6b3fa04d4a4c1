/** The Linux guests of the oracle: two vCPUs, of which one has the affinity 1.0.0.n. */
export const GUEST_KERNEL = 'linux-6.1'

export const GUEST_CASES = [
  { name: 'c112', title: 'its second CPU at 1.0.0.1', cpu: 1 },
  { name: 'c113', title: 'the boot CPU at 1.0.0.0', cpu: 0 },
] as const
