/**
 * Debian to the shell with few CPUs and with many: processor time from the kernel's first line to the marker, ours beside
 * QEMU's, on the same kernel, initramfs and command line.
 */
import { BootListener } from './places/listener.ts'
import { READY_LINE } from '../guests/initramfs.ts'
import { Samples, median, printTable } from './figures.ts'
import type { Benchmark } from './figures.ts'
import { defaultGuest } from './linux-guest.ts'
import { withPlaces } from './places/index.ts'
import { PLACES } from './places/place.ts'
import type { Place } from './places/place.ts'

/** MiB: what Linux keeps for each of 255 CPUs leaves nothing of 256. */
const MEMORY = 1024
const VCPUS = [1, 4, 8, 64, 255] as const
/** With 64, beside other work on two cores, its guest was not up after six minutes, its CPUs each waiting for others. */
const MOST_IN_QEMU = 8

const report = (samples: Samples): void => {
  const seconds = (place: Place, vcpus: number): number | undefined => {
    const values = samples.of(`${place}, ${vcpus}`)
    return values.length === 0 ? undefined : median(values)
  }
  const cell = (place: Place, vcpus: number): readonly string[] => {
    const [own, one] = [seconds(place, vcpus), seconds(place, 1)]
    if (own === undefined || one === undefined) return ['-', '-']
    return [`${own.toFixed(2)} s`, (own / one).toFixed(2)]
  }
  printTable([
    ['vCPUs', ...PLACES.flatMap((place) => [place, 'times 1 vCPU'])],
    ...VCPUS.map((vcpus) => [String(vcpus), ...PLACES.flatMap((place) => cell(place, vcpus))]),
  ])
}

const run: Benchmark['run'] = ({ rounds }) =>
  withPlaces(async (places) => {
    const samples = new Samples()
    const guest = defaultGuest(places.folder)
    for (let round = 0; round < rounds; round++)
      for (const vcpus of VCPUS)
        for (const place of places.names) {
          if (place === 'QEMU' && vcpus > MOST_IN_QEMU) continue
          const listener = new BootListener(READY_LINE)
          await places.run(place, { ...guest, vcpus, memory: MEMORY }, listener)
          if (listener.seconds === undefined) throw new Error(`no "${READY_LINE}" in ${place}:\n${listener.tail}`)
          samples.add(`${place}, ${vcpus}`, listener.seconds)
          console.log(`${place}, ${vcpus} vCPUs: ${listener.seconds.toFixed(2)} s`)
        }
    report(samples)
    return samples.figures()
  })

export const bootSizes: Benchmark = { title: 'Debian 6.1 to the shell, by number of CPUs', rounds: 2, run }
