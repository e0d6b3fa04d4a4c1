/** QEMU for arm64, as Debian has it. */
import { MEMORY, listenTo } from './place.ts'
import type { BenchGuest } from './place.ts'
import type { Hearer } from './listener.ts'

export const QEMU = 'qemu-system-aarch64'

export const inQemu = (
  { vcpus, memory = MEMORY, kernel, initrd, append }: BenchGuest,
  hearer: Hearer,
): Promise<void> => {
  const machine = ['-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-nographic', '-nic', 'none']
  const root = initrd === undefined ? [] : ['-initrd', initrd]
  const parameters = append === undefined ? [] : ['-append', append]
  const guest = ['-smp', String(vcpus), '-m', `${memory}M`, '-kernel', kernel, ...root, ...parameters]
  return listenTo(hearer, QEMU, [...machine, ...guest], () => true)
}
