/**
 * One static C program as the first process of Debian's kernel: the kernels again, the C library, the kernel's own work,
 * and real programs. Ours in Chromium and in Node beside QEMU, the same files.
 */
import { AGAINST_QEMU, Comparison } from './comparison.ts'
import type { Benchmark } from './figures.ts'
import { prepareLinux } from './linux-guest.ts'
import { withPlaces } from './places/index.ts'

const REPEAT = 3

const run: Benchmark['run'] = ({ rounds }) =>
  withPlaces(async (places) => {
    const linux = prepareLinux(places.folder)
    const guest = linux.running({ vcpus: 1, parts: linux.parts, repeat: REPEAT })
    const comparison = new Comparison()
    for (let round = 0; round < rounds; round++)
      for (const place of places.names) {
        comparison.add(place, await places.parts(place, guest))
        console.log(`round ${round + 1}: ${place}`)
      }
    return comparison.printSpeeds(AGAINST_QEMU)
  })

export const linux: Benchmark = { title: 'one program under Linux, speed beside QEMU', rounds: 2, run }
