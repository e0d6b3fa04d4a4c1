/**
 * Asks real KVM what the steps of a script answer: `npx tsx src/testing/kvm-oracle/record-script.ts
 * scripts/its.script linux-6.12 [2|3 [CPU]]`, on a host with that GIC and CPU. `-` for the script reads standard input.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { askKvm } from './on-kvm.ts'

const [script = 'scripts/its.script', kernel = 'linux-6.12', gic = '3', cpu] = process.argv.slice(2)
const bytes = readFileSync(script === '-' ? process.stdin.fd : join(import.meta.dirname, script))
const answers = askKvm({
  program: 'script.c',
  kernel,
  gic,
  ...(cpu === undefined ? {} : { cpu }),
  files: [{ name: 'steps.script', bytes }],
})
const lines = answers.filter((line) => line.includes('\t') && !/^(#\tORACLE-END|SCRIPT\t)/.test(line))
process.stdout.write(`${lines.join('\n')}\n`)
