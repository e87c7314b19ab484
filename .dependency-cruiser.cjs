/**
 * Who may import whom. The table mirrors the trust model and guards it against drift; scripts/check-dependencies.mjs runs it
 * and refuses to call an empty graph a clean one. What it cannot see: programs started by path, which get their own entry
 * among the rules.
 */
const spec = '[.]spec[.]ts$'
/** Code that may use fakes: specs, the suites in test/, and the fakes themselves. */
const testCode = `${spec}|^test/|^libs/testing/`
/** Measures what is made up; it is shipped with nothing. */
const benchmarks = '^bench/'
const npm = (...names) => `^node_modules/(?:${names.join('|')})(?:/|$)`
const frameworks = npm(
  '@nestjs',
  '@prisma',
  '[.]prisma',
  'prisma',
  'fastify',
  '@fastify',
  'ws',
  'commander',
  'reflect-metadata',
  'rxjs',
)
const database = npm('@prisma', '[.]prisma', 'prisma', 'pg', '@electric-sql', 'pglite-prisma-adapter')
const simulator = '^libs/attestation/src/simulated/issuer[.]ts$'
const computationMetadata = '^libs/computation/src/[^/]*metadata[.]ts$'
/** All that the worker may carry: what is not here does not become part of what is measured. */
const enclavePackages = npm(
  'jose',
  'hpke',
  '@panva/hpke-noble',
  '@duckdb/node-api',
  'onnxruntime-node',
  'zod',
  '@noble/[^/]+',
)
/** Started by path, by a person or by another process, so nothing imports them. */
const entryPoints =
  '/main[-a-z]*[.]ts$|-(?:worker|program|child)[.]node[.]ts$|^apps/coordinator/src/storage/generated/'

const forbidden = [
  {
    name: 'apps-are-separate',
    comment: 'apps meet over the network only: none may lean on the code, or the trust, of another',
    from: { path: '^apps/([^/]+)/' },
    to: { path: '^apps/', pathNot: '^apps/$1/' },
  },
  {
    name: 'arrows-point-down',
    comment: 'libraries know no app, no demo, no test suite',
    from: { path: '^libs/' },
    to: { path: '^(?:apps|demo|bench|test)/' },
  },
  {
    name: 'libraries-without-frameworks',
    comment:
      'libraries run in an enclave and in a browser: no server framework, no database, no command line',
    from: { path: '^libs/', pathNot: testCode },
    to: { path: frameworks },
  },
  {
    name: 'node-in-named-files-only',
    comment: 'node: imports stand in *.node.ts, so that browser code can reach the rest',
    from: { path: '^libs/', pathNot: `[.]node[.]ts$|${testCode}` },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'through-the-index',
    comment:
      'a library is used by the entries that package.json lists under imports, also from within the repository',
    from: { path: '^(?:apps|libs|demo|bench|test)/([^/]+)/' },
    to: { path: '^libs/', pathNot: '^libs/$1/', dependencyTypesNot: ['aliased-subpath-import'] },
  },
  {
    name: 'canonical-is-the-base',
    comment: 'everyone agrees on bytes first: the base library imports no other',
    from: { path: '^libs/canonical/', pathNot: spec },
    to: { path: '^libs/', pathNot: '^libs/canonical/' },
  },
  {
    name: 'training-is-arithmetic',
    comment: 'what is fitted to opened data runs in the sandboxed child and knows nothing but numbers',
    from: { path: '^libs/training/', pathNot: spec },
    to: { path: '^(?:libs|node_modules)/', pathNot: '^libs/training/' },
  },
  {
    name: 'inner-libraries-are-siblings',
    comment: 'inner libraries import canonical only, so that each can be read and replaced alone',
    from: { path: '^libs/(attestation|envelope|translog|query|model)/', pathNot: spec },
    to: { path: '^libs/', pathNot: '^libs/(?:$1|canonical)/' },
  },
  {
    name: 'engine-runs-trainings',
    comment: 'the engine’s child runs SQL and fits models, and knows nothing of whose they are',
    from: { path: '^libs/engine/', pathNot: spec },
    to: { path: '^libs/', pathNot: '^libs/(?:engine|canonical|training)/' },
  },
  {
    name: 'runtime-runs-checked-models',
    comment: 'the runtime takes checked models and the sandbox of engines, and no other library',
    from: { path: '^libs/runtime/', pathNot: spec },
    to: { path: '^libs/', pathNot: '^libs/(?:runtime|canonical|engine|model)/' },
  },
  {
    name: 'contract-knows-queries',
    comment:
      'a contract imports canonical and the form of queries, and not how data is sealed or enclaves are judged',
    from: { path: '^libs/contract/', pathNot: spec },
    to: { path: '^libs/', pathNot: '^libs/(?:contract|canonical|query)/' },
  },
  {
    name: 'computation-knows-queries-and-contracts',
    comment:
      'what runs on opened data knows queries, contracts and the files of models, and neither keys nor evidence nor wire',
    from: { path: '^libs/computation/', pathNot: spec },
    to: { path: '^libs/', pathNot: '^libs/(?:computation|canonical|query|contract|training|model)/' },
  },
  {
    name: 'protocol-is-wire-types',
    comment: 'the wire carries envelopes as opaque bytes and computes nothing',
    from: { path: '^libs/protocol/', pathNot: spec },
    to: { path: '^libs/', pathNot: '^libs/(?:protocol|canonical|contract|attestation|translog)/' },
  },
  {
    name: 'types-only-across-outer-libraries',
    comment: 'of contract, attestation and translog the outer libraries take types, never decisions',
    from: { path: '^libs/(?:protocol|computation)/', pathNot: spec },
    to: { path: '^libs/(?:contract|attestation|translog)/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'client-speaks-the-protocol',
    comment:
      "the client of the coordinator knows bytes and wire types; believing what comes back is the caller's",
    from: { path: '^libs/client/', pathNot: spec },
    to: { path: '^libs/', pathNot: '^libs/(?:client|canonical|protocol)/' },
  },
  {
    name: 'fakes-in-tests-only',
    comment: 'fakes sign whatever they are asked to: no program may contain them',
    from: { pathNot: [testCode, benchmarks, '^apps/[^/]+/src/testing/'] },
    to: { path: ['^libs/testing/', '^apps/[^/]+/src/testing/'] },
  },
  {
    name: 'second-implementation-in-tests-only',
    comment:
      'the chunked format on noble ciphers is there to be compared with: programs seal and open by the index',
    from: { pathNot: testCode },
    to: { path: '^libs/envelope/src/for-vectors[.]ts$' },
  },
  {
    name: 'coordinator-cannot-open-envelopes',
    comment: 'invariant 1: through no path does the coordinator reach code that opens what parties sealed',
    from: { path: '^apps/coordinator/', pathNot: spec },
    to: { path: '^libs/envelope/', reachable: true },
  },
  {
    name: 'coordinator-cannot-compute',
    comment: 'the coordinator reaches no engine and of computations only what they are called and take',
    from: { path: '^apps/coordinator/', pathNot: spec },
    to: { path: '^libs/(?:engine|runtime|computation)/', pathNot: computationMetadata, reachable: true },
  },
  {
    name: 'coordinator-has-no-hpke',
    comment:
      'invariant 1, one level down: nor the packages by which anything could be opened, in any spelling',
    from: { path: '^apps/coordinator/', pathNot: spec },
    to: { path: npm('hpke', '@hpke', '@panva/hpke-noble', '@noble/ciphers', '@duckdb'), reachable: true },
  },
  {
    name: 'database-in-storage-only',
    comment: "the database is one folder's affair: everyone else sees stores",
    from: { path: '^(?:apps|libs|demo|bench)/', pathNot: '^apps/coordinator/src/storage/' },
    to: { path: `${database}|^apps/coordinator/src/storage/generated/` },
  },
  {
    name: 'enclave-carries-little',
    comment: 'what the worker reaches is measured and trusted: an allow-list of packages',
    from: { path: '^apps/enclave/', pathNot: `${spec}|^apps/enclave/src/testing/` },
    to: { path: '^node_modules/', pathNot: enclavePackages, reachable: true },
  },
  {
    name: 'production-worker-has-no-simulator',
    comment: 'invariant 5: production builds of the worker do not contain the simulator',
    from: { path: '^apps/enclave/src/main[.]ts$' },
    to: { path: '^libs/attestation/src/simulated/issuer[.]ts$', reachable: true },
  },
  {
    name: 'simulator-by-name-only',
    comment: 'only what says simulated in its own name may issue simulated evidence',
    from: { path: '^(?:apps|libs)/', pathNot: `simulated|${testCode}` },
    to: { path: simulator },
  },
  {
    name: 'agent-has-no-server',
    comment: 'an agent holds keys: it carries no server framework and no database of the coordinator',
    from: { path: '^apps/agent/', pathNot: spec },
    to: {
      path: npm('@nestjs', '@prisma', '[.]prisma', 'prisma', 'pg', '@electric-sql', 'typeorm'),
      reachable: true,
    },
  },
  {
    name: 'browser-has-no-node',
    comment: 'the console runs in a browser and opens no envelope',
    from: { path: '^apps/console/src/', pathNot: spec },
    to: { path: '[.]node[.]ts$|^libs/envelope/', reachable: true },
  },
  {
    name: 'no-cycles',
    comment: 'a cycle at run time is two modules that are one',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'no-orphans',
    comment: 'what nothing imports is dead, or an entry point that belongs into the list above',
    from: { orphan: true, path: '^(?:apps|libs)/', pathNot: `${entryPoints}|${testCode}|[.]d[.]ts$` },
    to: {},
  },
  {
    name: 'everything-resolves',
    comment: 'an import that is not found is not checked',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'declared-packages-only',
    comment: 'what is run is named in package.json, not brought along by something else',
    from: { path: '^(?:apps|libs|demo|bench|test)/' },
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'no-development-packages',
    comment: 'an installation has no development packages',
    from: { path: '^(?:apps|libs|demo)/', pathNot: testCode },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: npm('@types') },
  },
]

module.exports = {
  forbidden: forbidden.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '^dist/' },
    // Types count too: an import of a type becomes an import of code by deleting one word.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    // `#libs/*` resolves to sources, as it does for the compiler and the tests.
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.cjs', '.json', '.node', '.d.ts'],
      mainFields: ['module', 'main', 'types'],
    },
  },
}
