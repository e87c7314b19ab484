// Joins each program with what it imports into one file, so that it starts in a third of the time: reading many small modules
// is most of a short command, and half of an engine's start. The modules that tsc wrote stay beside it, for tests and for whoever
// reads what runs.
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/**
 * Entry (as tsc wrote it) and program. The enclave worker is not among them: what is measured stays as it can be read, and one that warms
 * up faster beside a run takes more from it. A program lies where its entry does, as both find files relative to themselves.
 */
const programs = {
  'dist/apps/agent/src/main.js': 'dist/apps/agent/src/sealroom.js',
  'dist/apps/coordinator/src/main.js': 'dist/apps/coordinator/src/sealroom-coordinator.js',
  // Ends in .mjs since its sandbox holds no package.json that would say it is a module.
  'dist/libs/engine/src/child.node.js': 'dist/libs/engine/src/engine-child.mjs',
}

// Packages that load files of their own folder by name: native code, WebAssembly.
const withFiles = /^(@duckdb\/node-bindings|@electric-sql|classic-level|abstract-level)(\/|$)/

// Packages that others look for and do without, where this project does not install them.
const optional =
  /^(@nestjs\/(microservices|platform-express|platform-socket\.io)|@fastify\/(multipart|static|view)|class-validator|class-transformer)(\/|$)/

// What opens envelopes or computes: the coordinator's program holds none of it (SECURITY.md, invariant 1).
const neverAtTheCoordinator =
  /\/libs\/(envelope|attestation|engine|query|computation|training|model|runtime|client|testing)\/|\/node_modules\/(hpke|@panva\/hpke|@noble\/ciphers|@duckdb|onnxruntime)/

/** Refuses a program of the coordinator into which such a module was joined, whatever way it came. */
export function expectNothingThatOpens(program, modules) {
  if (!program.includes('/coordinator/')) return
  if (modules.length === 0) throw new Error(`${program}: no modules were seen, so nothing is known of it`)
  const found = modules.find((module) => neverAtTheCoordinator.test(module))
  if (found !== undefined)
    throw new Error(`${program} would hold ${found}; the coordinator must not reach it`)
}

export const programFiles = Object.values(programs)

/** Bundles anew each time: a newer package in node_modules must not leave its older self in a program. */
export async function bundlePrograms(root) {
  for (const [entry, file] of Object.entries(programs)) {
    const bundle = await rolldown({
      input: join(root, entry),
      platform: 'node',
      external: (id) => withFiles.test(id) || optional.test(id),
      tsconfig: false,
      onLog: (level, log) => {
        if (log.code === 'UNRESOLVED_IMPORT' || level === 'error') throw new Error(log.message)
      },
    })
    const { output } = await bundle.write({ file: join(root, file), format: 'esm', codeSplitting: false })
    expectNothingThatOpens(
      file,
      output.flatMap((chunk) => chunk.moduleIds ?? []),
    )
    await bundle.close()
  }
}
