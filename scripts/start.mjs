/** `npm start`: everything that is missing, then the playground in a development server. */
import { ensureInstalled, runScript, runTool } from './lib/steps.mjs'

ensureInstalled()
// The playground works without the Linux guests, so it starts whatever comes of them.
runScript('scripts/setup.ts')

const hasDisplay =
  process.platform === 'darwin' ||
  process.platform === 'win32' ||
  Boolean(process.env.DISPLAY) ||
  Boolean(process.env.WAYLAND_DISPLAY)
console.log(hasDisplay ? 'Opening the playground in your browser.' : 'Open the address below in a browser.')
process.exitCode = runTool('vite/bin/vite.js', [...(hasDisplay ? ['--open'] : []), ...process.argv.slice(2)]) ? 0 : 1
