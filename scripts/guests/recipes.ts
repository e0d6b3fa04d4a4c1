/** Which Linux guests are prepared, and what of Debian's they are made of. */

/**
 * Debian's arm64 kernels for virtual machines, unmodified. A package that only names the newest kernel of a series
 * leads to the real one; which of the names exist depends on the release of Debian that apt is set up for.
 */
export const LINUX_GUESTS = [
  {
    id: 'linux-6.1',
    title: 'Linux 6.1',
    series: '6.1',
    packages: ['linux-image-cloud-arm64', 'linux-image-6.1-cloud-arm64'],
  },
  {
    id: 'linux-6.12',
    title: 'Linux 6.12',
    series: '6.12',
    packages: ['linux-image-6.12-cloud-arm64', 'linux-image-cloud-arm64'],
  },
] as const
export type LinuxGuest = (typeof LINUX_GUESTS)[number]

export const BUSYBOX_PACKAGE = 'busybox-static'

export const INITRAMFS_FILE = 'initramfs.cpio'
/** Gzip, but not called .gz: some servers unpack such a file on its way, and then its length is not what they say. */
export const kernelFile = (guest: LinuxGuest): string => `${guest.id}.Image.gzip`

/**
 * Initcalls that only prepare what nothing in the initramfs uses: self-tests of cipher code, tables of the tracing
 * and BPF tools. On an emulated CPU each is a twentieth to a third of the whole boot.
 */
const SKIPPED_INITCALLS = [
  'trace_eval_init',
  'tracer_init_tracefs',
  'crypto_kdf108_init',
  'jent_mod_init',
  'cubictcp_register',
  'bpf_tcp_ca_kfunc_init',
  'bpf_dummy_struct_ops_init',
  'bpf_prog_test_run_init',
  'bpf_rstat_kfunc_init',
  'bpf_key_sig_kfuncs_init',
  'kfunc_init',
]

/**
 * The command line (Documentation/admin-guide/kernel-parameters.txt): the console, early from the first line on, and
 * what leaves the guest as it is and only shortens the boot.
 */
export const COMMAND_LINE = [
  'earlycon=pl011,0x9000000',
  'console=ttyAMA0',
  'cryptomgr.notests',
  'rodata=off',
  'nokaslr',
  `initcall_blacklist=${SKIPPED_INITCALLS.join(',')}`,
].join(' ')

/** One line of `manifest.json`, which lies beside the files; names are relative to it. */
export interface ManifestGuest {
  readonly id: string
  readonly title: string
  readonly kernel: string
  readonly initrd: string
  readonly append: string
}
