import { existsSync } from 'node:fs'
import { defineConfig } from '@playwright/test'

/** The distribution's browser where there is one: nothing is downloaded. */
const CHROMIUM = '/usr/bin/chromium'
/** Another one lets two checkouts run their tests at a time. */
const PORT = Number(process.env['E2E_PORT'] ?? 4187)

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // Booting guests is the work of a whole CPU: one after another.
  workers: 1,
  fullyParallel: false,
  // What hangs is ended; that the computer is busy fails no test.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    // A sub-path, as on many static hosts.
    baseURL: `http://127.0.0.1:${PORT}/some/where/`,
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    colorScheme: 'dark',
    screenshot: 'only-on-failure',
    launchOptions: {
      ...(existsSync(CHROMIUM) ? { executablePath: CHROMIUM } : {}),
      // Without WebGL the console is drawn as text, which can be read.
      args: ['--no-sandbox', '--disable-gpu', '--disable-software-rasterizer'],
    },
  },
  webServer: {
    command: `npx tsx e2e/static-server.ts dist /some/where ${PORT}`,
    url: `http://127.0.0.1:${PORT}/some/where/`,
    reuseExistingServer: false,
  },
})
