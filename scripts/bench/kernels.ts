/**
 * Bare-metal kernels: ours in Chromium and in Node beside QEMU, the same file. The guest says on
 * its UART when each kernel begins and ends; the sums they compute must agree.
 */
import { join } from 'node:path'
import { AGAINST_QEMU, Comparison } from './comparison.ts'
import { KERNEL_SOURCES, compileBare } from './compile.ts'
import type { Benchmark } from './figures.ts'
import { withPlaces } from './places/index.ts'

/** The first repetition is cold; of the others the fastest counts. */
const REPEAT = 4

const run: Benchmark['run'] = ({ rounds }) =>
  withPlaces(async (places) => {
    const sources = [...KERNEL_SOURCES, 'kernels/main.c', 'kernels/bare.c', 'kernels/start.s']
    const kernel = compileBare(join(places.folder, 'kernels.elf'), REPEAT, sources)
    const comparison = new Comparison()
    for (let round = 0; round < rounds; round++)
      for (const place of places.names) comparison.add(place, await places.parts(place, { vcpus: 1, kernel }))
    return comparison.printSpeeds(AGAINST_QEMU)
  })

export const kernels: Benchmark = { title: 'bare-metal kernels, speed beside QEMU', rounds: 2, run }
