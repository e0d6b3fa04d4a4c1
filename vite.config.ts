import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/** What the start page imports by and by, and needs before it shows anything: fetched at once. */
const AT_ONCE = 'src/app/page.tsx'

const preload = (): Plugin => ({
  name: 'preload',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler: (html, { bundle = {} }) =>
      Object.values(bundle)
        .filter((chunk) => chunk.type === 'chunk' && chunk.facadeModuleId?.endsWith(AT_ONCE) === true)
        .flatMap((chunk) => [chunk.fileName, ...('imports' in chunk ? chunk.imports : [])])
        .filter((file) => !html.includes(file))
        .map((file) => ({
          tag: 'link',
          attrs: { rel: 'modulepreload', crossorigin: true, href: `./${file}` },
          injectTo: 'head',
        })),
  },
})

export default defineConfig({
  // Relative, so that dist works from any plain file server and any sub-path; no isolation headers are needed.
  base: './',
  plugins: [react(), preload()],
  worker: { format: 'es' },
  build: { target: 'es2023', chunkSizeWarningLimit: 1500 },
  test: {
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx', 'scripts/**/*.test.ts'],
    // What hangs is ended; that the computer is busy fails no test.
    testTimeout: 120_000,
  },
})
