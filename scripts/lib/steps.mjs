/** What the scripts share that must run before anything is installed: plain Node, no dependencies. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Runs a program in the project's folder with this terminal; true when it ended well. */
export const run = (command, args, environment = {}) => {
  const { error, status } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
    // npm is a shell script on Windows.
    shell: process.platform === 'win32' && command === 'npm',
  })
  if (error !== undefined) console.error(`${command} could not be started: ${error.message}`)
  return status === 0
}

/** Runs a file of the project, TypeScript as it is. */
export const runScript = (file, ...args) => run(process.execPath, ['--import', 'tsx', join(ROOT, file), ...args])

/** Runs a program that a dependency brings. */
export const runTool = (path, args, environment) =>
  run(process.execPath, [join(ROOT, 'node_modules', path), ...args], environment)

const nodeIsTooOld = () => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const wanted = engines.node.replace('>=', '')
  const [major, minor] = wanted.split('.').map(Number)
  const [hasMajor, hasMinor] = process.versions.node.split('.').map(Number)
  const old = hasMajor < major || (hasMajor === major && hasMinor < minor)
  return old ? `Node ${process.versions.node} is too old; ${wanted} or newer is needed.` : undefined
}

/** Installs the dependencies when they are missing or older than the lock file. */
export const ensureInstalled = () => {
  const tooOld = nodeIsTooOld()
  if (tooOld !== undefined) {
    console.error(tooOld)
    process.exit(1)
  }
  const done = join(ROOT, 'node_modules/.package-lock.json')
  const lock = join(ROOT, 'package-lock.json')
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(lock).mtimeMs) return
  console.log('Installing the dependencies: npm ci')
  if (!run('npm', ['ci'])) process.exit(1)
}
