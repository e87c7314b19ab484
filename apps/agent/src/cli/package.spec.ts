import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..')
const built = existsSync(join(root, 'dist/apps/agent/src/sealroom.js'))

/** npm without what the caller's own environment says of npm. */
function npm(folder: string, ...words: string[]): string {
  const env = {
    PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: folder,
  }
  return execFileSync('npm', words, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}

describe('the package', () => {
  it.skipIf(!built)(
    'holds the command and all that it runs, and no test data (not run before `npm run build`)',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'sealroom-pack-'))
      try {
        const [packed] = JSON.parse(npm(folder, 'pack', '--dry-run', '--json', '--ignore-scripts')) as [
          { files: { path: string }[] },
        ]
        const files = new Set(packed.files.map(({ path }) => path))
        for (const needed of [
          'package.json',
          'dist/apps/agent/src/sealroom.js',
          'dist/libs/engine/src/engine-child.mjs',
          'dist/libs/canonical/src/index.js',
          'dist/libs/envelope/src/chunk-worker.node.js',
        ])
          expect(files).toContain(needed)
        expect(
          [...files].filter((file) => /\.(csv|parquet|key)$|^(?:apps|libs|test|demo)\//.test(file)),
        ).toEqual([])
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )

  it.skipIf(!built)(
    'answers --help and a coded error from its tarball (not run before `npm run build`)',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'sealroom-pack-'))
      try {
        const [{ filename }] = JSON.parse(
          npm(folder, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder),
        ) as [{ filename: string }]
        execFileSync('tar', ['-xzf', join(folder, filename), '-C', folder])
        // Dependencies are the ones that npm would install beside it.
        execFileSync('ln', ['-s', join(root, 'node_modules'), join(folder, 'package/node_modules')])
        const main = join(folder, 'package/dist/apps/agent/src/sealroom.js')
        expect(execFileSync(process.execPath, [main, '--help'], { encoding: 'utf8' })).toContain(
          'Usage: sealroom',
        )
        expect(() =>
          execFileSync(process.execPath, [main, '--home', join(folder, 'none'), 'status'], { stdio: 'pipe' }),
        ).toThrow(/holds no agent/)
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )
})
