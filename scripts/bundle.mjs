// Joins each program with what it imports into one file, so that it starts in a third of the time: reading many small modules
// is most of a short command. The modules that tsc wrote stay beside it, for tests and for whoever reads what runs.
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/**
 * Entry (as tsc wrote it) and program. The enclave worker is not among them: what is measured stays as it can be read, and one that warms
 * up faster beside a run takes more from it. A program lies where its entry does, as both find files relative to themselves.
 */
const programs = {
  'dist/apps/agent/src/main.js': 'dist/apps/agent/src/sealroom.js',
  'dist/apps/coordinator/src/main.js': 'dist/apps/coordinator/src/sealroom-coordinator.js',
}

// Packages that load files of their own folder by name: native code, WebAssembly.
const withFiles = /^(@duckdb|@electric-sql|classic-level|abstract-level)(\/|$)/

// Packages that others look for and do without, where this project does not install them.
const optional =
  /^(@nestjs\/(microservices|platform-socket\.io|platform-express)|@fastify\/(multipart|static|view|swagger)|@grpc\/.+|@mikro-orm\/.+|@nestjs\/(axios|mongoose|sequelize|typeorm|mapped-types)|bufferutil|utf-8-validate|class-validator|class-transformer.*|pg-native|pg-cloudflare|cloudflare:.*|mongoose|sequelize|typeorm)(\/|$)/

export const programFiles = Object.values(programs)

/** Bundles what is older than the build it comes from. */
export async function bundlePrograms(root, builtAt) {
  for (const [entry, file] of Object.entries(programs)) {
    const output = join(root, file)
    if (existsSync(output) && statSync(output).mtimeMs > builtAt) continue
    const bundle = await rolldown({
      input: join(root, entry),
      platform: 'node',
      external: (id) => withFiles.test(id) || optional.test(id),
      tsconfig: false,
      onLog: (level, log) => {
        if (log.code === 'UNRESOLVED_IMPORT' || level === 'error') throw new Error(log.message)
      },
    })
    await bundle.write({ file: output, format: 'esm', codeSplitting: false })
    await bundle.close()
  }
}
