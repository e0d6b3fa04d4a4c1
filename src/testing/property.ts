/**
 * Properties are tried with the same values each time, so that a change that passed passes again. Other values:
 * `PROPERTY_SEED=N npx vitest run`; what fails then prints the seed, and belongs in the test as an example.
 */
import * as fc from 'fast-check'

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['PROPERTY_SEED'] ?? 1) })

export * from 'fast-check'
