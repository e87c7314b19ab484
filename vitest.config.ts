import swc from 'unplugin-swc'
import { defineConfig } from 'vitest/config'

/** Specs that start processes of their own and wait for them: one at a time, after all others. Attacks within one process are not among them. */
const overProcesses = [
  'test/{e2e,guards}/**/*.spec.ts',
  'test/adversary/coordinator-never-holds-plaintext.spec.ts',
  'apps/enclave/src/execute-run.spec.ts',
]

export default defineConfig({
  // swc, because Nest's injection reads the decorator metadata that esbuild does not emit.
  plugins: [swc.vite({ module: { type: 'es6' } })],
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    reporters: ['default', './scripts/summary-reporter.mjs'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'in one process',
          include: ['{apps,libs,test,bench,demo}/**/*.spec.ts'],
          exclude: ['**/node_modules/**', ...overProcesses],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'over processes',
          include: overProcesses,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
