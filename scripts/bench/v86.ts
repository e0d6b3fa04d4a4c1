/**
 * The same C source under Linux in v86 (i386) and in ours (arm64), both under Node and both in Chromium: the parts that need
 * nothing of Arm's.
 */
import { Comparison } from './comparison.ts'
import type { Rivals } from './comparison.ts'
import type { Benchmark } from './figures.ts'
import { prepareLinux } from './linux-guest.ts'
import { withPlaces } from './places/index.ts'
import { Listener } from './places/listener.ts'
import { inV86InChromium, inV86UnderNode } from './places/v86.ts'
import { prepareV86 } from './v86-guest.ts'

const REPEAT = 2
const PARTS = ['processor', 'kernel', 'programs'] as const
const RIVALS: readonly Rivals[] = [
  { ours: 'Node', theirs: 'v86 in Node' },
  { ours: 'Chromium', theirs: 'v86 in Chromium' },
]

const run: Benchmark['run'] = ({ rounds }) =>
  withPlaces(async ({ folder, built, parts }) => {
    const ours = prepareLinux(folder).running({ vcpus: 1, parts: PARTS, repeat: REPEAT })
    const { files, guest } = prepareV86(folder, { parts: PARTS, repeat: REPEAT })
    const comparison = new Comparison()
    const measure = async (name: string, act: () => Promise<Listener>): Promise<void> => {
      comparison.add(name, await act())
      console.log(name)
    }
    const inV86 = async (place: (hearer: Listener) => Promise<void>): Promise<Listener> => {
      const listener = new Listener()
      await place(listener)
      return listener
    }
    for (let round = 0; round < rounds; round++) {
      await measure('Node', () => parts('Node', ours))
      await measure('v86 in Node', () => inV86((hearer) => inV86UnderNode(files, guest, hearer)))
      if (built === undefined) continue
      await measure('Chromium', () => parts('Chromium', ours))
      await measure('v86 in Chromium', () => inV86((hearer) => inV86InChromium(built, files, guest, hearer)))
    }
    return comparison.printSpeeds(built === undefined ? RIVALS.slice(0, 1) : RIVALS)
  })

export const v86: Benchmark = { title: 'the same C source under Linux, speed beside v86', rounds: 2, run }
