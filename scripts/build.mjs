// Builds everything: the Prisma client where its schema changed, TypeScript incrementally, then the programs.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundlePrograms, programFiles } from './bundle.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(join(root, 'package.json'))
const run = (script, args) =>
  execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })

// The Prisma command line wants to download a native engine unless one is named; `generate` does not use it.
const generated = join(root, 'apps/coordinator/src/storage/generated')
const stamp = join(generated, 'schema.sha256')
const schema = createHash('sha256')
  .update(readFileSync(join(root, 'prisma/schema.prisma')))
  .digest('hex')
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== schema) {
  run(require.resolve('prisma/build/index.js'), ['generate'])
  writeFileSync(stamp, schema)
}

run(require.resolve('typescript/bin/tsc'), ['-p', 'tsconfig.json'])
await bundlePrograms(root)
for (const program of [...programFiles, 'dist/apps/enclave/src/main.js'])
  chmodSync(join(root, program), 0o755)
