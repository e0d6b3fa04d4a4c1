/** `npm run setup`: the dependencies, then the Linux guests. */
import { ensureInstalled, runScript } from './lib/steps.mjs'

ensureInstalled()
process.exitCode = runScript('scripts/setup.ts') ? 0 : 1
