/**
 * `npm test`: set-up, then every check there is. The last line is the sum: `N passed, N failed`.
 * Tests that compare with another program (QEMU, binutils, dtc) or need a browser are left out where it is missing.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { has, installTools } from './lib/debian.mjs'
import { ROOT, ensureInstalled, run, runScript, runTool } from './lib/steps.mjs'

/** Programs the tests compare with, and the Debian packages that bring them. */
const TOOLS = {
  'qemu-aarch64': 'qemu-user',
  'qemu-system-aarch64': 'qemu-system-arm',
  'aarch64-linux-gnu-as': 'binutils-aarch64-linux-gnu',
  dtc: 'device-tree-compiler',
  chromium: 'chromium',
  'firefox-esr': 'firefox-esr',
  WebKitWebDriver: 'webkit2gtk-driver',
  Xvfb: 'xvfb',
}

const CACHE = join(ROOT, '.cache')
const sum = { passed: 0, failed: 0 }
const say = (line) => console.log(`\n== ${line}`)

const installAll = () => {
  const still = installTools(TOOLS)
  if (still.length === 0) return
  console.log(`Without ${still.join(', ')} some tests are left out; to have them all:`)
  console.log(`  sudo apt-get install -y ${still.map((tool) => TOOLS[tool]).join(' ')}`)
}

/** One step that counts as one test. */
const step = (name, passed) => {
  sum[passed ? 'passed' : 'failed'] += 1
  console.log(`${passed ? 'passed' : 'FAILED'}: ${name}`)
}

/** A runner that writes a report; without a report, or with a bad end and no failed test, that is one failure. */
const suite = (name, reportName, start, count) => {
  say(name)
  mkdirSync(CACHE, { recursive: true })
  const report = join(CACHE, reportName)
  rmSync(report, { force: true })
  const ended = start(report)
  const { passed, failed } = existsSync(report)
    ? count(JSON.parse(readFileSync(report, 'utf8')))
    : { passed: 0, failed: 0 }
  sum.passed += passed
  sum.failed += ended ? failed : Math.max(failed, 1)
  console.log(`${name}: ${passed} passed, ${ended ? failed : Math.max(failed, 1)} failed`)
}

const hasBrowserTests = () => {
  const folder = join(ROOT, 'e2e')
  return existsSync(folder) && readdirSync(folder).some((file) => file.endsWith('.spec.ts'))
}

ensureInstalled()
say('set-up')
step('set-up', runScript('scripts/setup.ts'))
installAll()

say('types, lint, layers')
step('types, lint, layers', run('npm', ['run', '--silent', 'check']))

suite(
  'unit and engine tests',
  'vitest.json',
  (report) =>
    runTool('vitest/vitest.mjs', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]),
  ({ numPassedTests, numFailedTests }) => ({ passed: numPassedTests, failed: numFailedTests }),
)

say('build')
step('build', run('npm', ['run', '--silent', 'build']))

if (!hasBrowserTests()) console.log('There are no browser tests.')
else if (!has('chromium')) console.log('The browser tests are left out: there is no chromium.')
else {
  suite(
    'browser tests',
    'playwright.json',
    (report) =>
      runTool('@playwright/test/cli.js', ['test', '--reporter=list,json'], { PLAYWRIGHT_JSON_OUTPUT_NAME: report }),
    ({ stats }) => ({ passed: stats.expected + stats.flaky, failed: stats.unexpected }),
  )
}

console.log(`\n${sum.passed} passed, ${sum.failed} failed`)
process.exitCode = sum.failed === 0 ? 0 : 1
