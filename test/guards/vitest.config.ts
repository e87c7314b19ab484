/** Runs specs with one guard switched off, named by `SWITCHED_OFF`. All else is as in the project's own configuration. */
import { fileURLToPath } from 'node:url'
import swc from 'unplugin-swc'
import { defineConfig, type Plugin } from 'vitest/config'
import { switchOff } from './guard.js'
import { editsOf } from './guards.js'

const edits = editsOf(process.env['SWITCHED_OFF'] ?? '')

const withoutGuard: Plugin = {
  name: 'without-guard',
  enforce: 'pre',
  transform(source, id) {
    const here = edits.filter(({ file }) => id.endsWith(`/${file}`))
    return here.length === 0 ? null : here.reduce(switchOff, source)
  },
}

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  plugins: [withoutGuard, swc.vite({ module: { type: 'es6' } })],
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/{adversary,model}/**/*.spec.ts'],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
})
