/**
 * What an operation of the interrupt path costs: exceptions, registers of the GIC, interrupts from their cause to their end,
 * between two CPUs, and what an address space costs; then what Linux makes of it, with its page tables isolated (KPTI) and not.
 */
import { join } from 'node:path'
import { Comparison } from './comparison.ts'
import { compileBare } from './compile.ts'
import type { Benchmark } from './figures.ts'
import { prepareLinux } from './linux-guest.ts'
import { withPlaces } from './places/index.ts'

const REPEAT = 3
const SOURCES = ['kernels/parts.c', 'kernels/bare.c', 'kernels/start.s', 'interrupts/main.c', 'interrupts/vectors.s']
const EMPTY = 'empty'

const run: Benchmark['run'] = ({ rounds }) =>
  withPlaces(async (places) => {
    const bare = { vcpus: 2, kernel: compileBare(join(places.folder, 'interrupts.elf'), REPEAT, SOURCES) }
    const linux = prepareLinux(places.folder)
    const kernels = (['on', 'off'] as const).map((kpti) => ({
      prefix: `kpti ${kpti}: `,
      guest: linux.running({ vcpus: 2, parts: ['kernel', 'two-cpus'], repeat: REPEAT, append: `kpti=${kpti}` }),
    }))
    const [bareOnes, linuxOnes] = [new Comparison(), new Comparison()]
    for (let round = 0; round < rounds; round++)
      for (const place of places.names) {
        bareOnes.add(place, await places.parts(place, bare))
        for (const { prefix, guest } of kernels) linuxOnes.add(place, await places.parts(place, guest), prefix)
      }
    return { ...bareOnes.printOperations(EMPTY), ...linuxOnes.printOperations() }
  })

export const interrupts: Benchmark = { title: 'the interrupt path, operation by operation', rounds: 2, run }
