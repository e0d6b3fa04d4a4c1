/** Programs that Debian has, installed where that may be done without a question. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './steps.mjs'

export const has = (tool) => (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, tool)))

/** `tools`: programs, with the packages that bring them and what they need, with spaces between. Answers with the programs that are still missing. */
export const installTools = (tools) => {
  const missing = () => Object.keys(tools).filter((tool) => !has(tool))
  const packages = missing().flatMap((tool) => tools[tool].split(' '))
  if (packages.length === 0) return []
  const root = process.getuid?.() === 0
  const maySudo = !root && has('sudo') && spawnSync('sudo', ['-n', 'true']).status === 0
  if (has('apt-get') && (root || maySudo)) {
    const prefix = root ? [] : ['sudo', '-n']
    const apt = (...args) => {
      const [command, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args]
      return run(command, rest)
    }
    console.log(`\n== installing ${packages.join(', ')}`)
    const install = ['install', '-y', '--no-install-recommends', ...packages]
    // A fresh container has no lists yet.
    if (!apt(...install) && apt('update')) apt(...install)
  }
  return missing()
}
