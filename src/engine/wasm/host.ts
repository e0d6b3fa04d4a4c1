/** What the host's WebAssembly does where the specification leaves it a choice, or does not ask for it at all. */
import { ModuleBuilder } from './module.ts'

/** A sum that is 0 when the product is rounded before it, and 2^-104 when it is not: (1 + 2^-52)^2 - (1 + 2^-51). */
const FACTOR = 1 + 2 ** -52
const ADDEND = -(1 + 2 ** -51)

const probe = (): boolean => {
  const m = new ModuleBuilder('host')
  const { index, code: c } = m.function(['f64', 'f64'], ['f64'])
  for (const local of [0, 0, 1]) {
    c.get(local)
    c.vector('f64x2.splat')
  }
  c.vector('f64x2.relaxed_madd')
  c.vectorLane('f64x2.extract_lane', 0)
  m.export('sum', index)
  const bytes = m.build()
  if (!WebAssembly.validate(bytes)) return false
  const { sum } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory: new WebAssembly.Memory({ initial: 1 }) },
  }).exports
  return typeof sum === 'function' && sum(FACTOR, ADDEND) === 2 ** -104
}

let fuses: boolean | undefined

/**
 * Whether `relaxed_madd` is there and rounds once. Relaxed SIMD lets it round once or twice; a host does the same
 * everywhere, as it decides by its processor.
 */
export const fusesMultiplyAdd = (): boolean => (fuses ??= probe())
