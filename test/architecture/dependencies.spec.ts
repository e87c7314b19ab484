import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const check = 'scripts/check-dependencies.mjs'
type Tree = Readonly<Record<string, string>>

/** A small project that keeps every rule. */
const keepsTheRules: Tree = {
  'libs/canonical/src/index.ts': `export const digest = (text: string): string => text`,
  'libs/envelope/src/index.ts': `import { digest } from '#libs/canonical'\nimport 'hpke'\nexport const open = digest`,
  'libs/engine/src/index.ts': `export { run } from './run.node.js'`,
  'libs/engine/src/run.node.ts': `import { spawn } from 'node:child_process'\nexport const run = spawn`,
  'libs/contract/src/index.ts': `import { digest } from '#libs/canonical'\nexport const decide = digest\nexport interface Contract { name: string }`,
  'libs/protocol/src/index.ts': `import type { Contract } from '#libs/contract'\nexport type Message = Contract`,
  'libs/testing/src/index.ts': `import { open } from '#libs/envelope'\nexport const fake = open`,
  'libs/attestation/src/index.ts': `import { digest } from '#libs/canonical'\nexport const verify = digest`,
  'libs/attestation/src/simulated/issuer.ts': `export const issue = 'simulated'`,
  'apps/coordinator/src/main.ts': `import type { Message } from '#libs/protocol'\nimport { decide } from '#libs/contract'\nimport '@nestjs/common'\nexport const m: Message = { name: decide('') }`,
  'apps/agent/src/main.ts': `import { open } from '#libs/envelope'\nimport { verify } from '#libs/attestation'\nexport const o = [open, verify]`,
  'libs/model/src/index.ts': `import { digest } from '#libs/canonical'\nexport const encode = digest`,
  'libs/computation/src/index.ts': `import { encode } from '#libs/model'\nexport const train = encode`,
  'apps/enclave/src/main.ts': `import { run } from '#libs/engine'\nimport { train } from '#libs/computation'\nimport { open } from '#libs/envelope'\nexport const r = [run, open, train]`,
  'apps/enclave/src/main-simulated.ts': `import './simulated-tee.js'`,
  'apps/enclave/src/simulated-tee.ts': `import { issue } from '#libs/attestation/simulator'\nexport const i = issue`,
  'apps/agent/src/agent.spec.ts': `import { fake } from '#libs/testing'\nexport const f = fake`,
}

/** Each: what is done, by which files, the rule that must say no, and the import that it must name. */
const violations: [string, Tree, string, string][] = [
  [
    'an app imports another app',
    { 'apps/agent/src/main-a.ts': `import '../../enclave/src/main.js'` },
    'apps-are-separate',
    'apps/agent/src/main-a.ts -> apps/enclave/src/main.ts',
  ],
  [
    'a library imports an app',
    { 'libs/contract/src/up.ts': `import '../../../apps/agent/src/main.js'` },
    'arrows-point-down',
    'libs/contract/src/up.ts -> apps/agent/src/main.ts',
  ],
  [
    'a library imports a server framework',
    { 'libs/contract/src/nest.ts': `import '@nestjs/common'` },
    'libraries-without-frameworks',
    'libs/contract/src/nest.ts -> node_modules/@nestjs/common',
  ],
  [
    'a library imports node: in a file that is not named for it',
    { 'libs/contract/src/disk.ts': `import 'node:fs'` },
    'node-in-named-files-only',
    'libs/contract/src/disk.ts -> fs',
  ],
  [
    'an app reaches into a library past its index',
    { 'apps/agent/src/main-b.ts': `import '../../../libs/engine/src/run.node.js'` },
    'through-the-index',
    'apps/agent/src/main-b.ts -> libs/engine/src/run.node.ts',
  ],
  [
    'the base library imports another',
    { 'libs/canonical/src/more.ts': `import '#libs/contract'` },
    'canonical-is-the-base',
    'libs/canonical/src/more.ts -> libs/contract/src/index.ts',
  ],
  [
    'an inner library imports its sibling',
    { 'libs/attestation/src/seal.ts': `import '#libs/envelope'` },
    'inner-libraries-are-siblings',
    'libs/attestation/src/seal.ts -> libs/envelope/src/index.ts',
  ],
  [
    'a training imports bytes and digests',
    { 'libs/training/src/digest.ts': `import '#libs/canonical'` },
    'training-is-arithmetic',
    'libs/training/src/digest.ts -> libs/canonical/src/index.ts',
  ],
  [
    'the engine imports the envelope',
    { 'libs/engine/src/open.ts': `import '#libs/envelope'` },
    'engine-runs-trainings',
    'libs/engine/src/open.ts -> libs/envelope/src/index.ts',
  ],
  [
    'the runtime of models imports the envelope',
    { 'libs/runtime/src/open.ts': `import '#libs/envelope'` },
    'runtime-runs-checked-models',
    'libs/runtime/src/open.ts -> libs/envelope/src/index.ts',
  ],
  [
    'the contract imports attestation',
    { 'libs/contract/src/judge.ts': `import '#libs/attestation'` },
    'contract-knows-queries',
    'libs/contract/src/judge.ts -> libs/attestation/src/index.ts',
  ],
  [
    'a computation imports the envelope',
    { 'libs/computation/src/open.ts': `import '#libs/envelope'` },
    'computation-knows-queries-and-contracts',
    'libs/computation/src/open.ts -> libs/envelope/src/index.ts',
  ],
  [
    'a computation runs models or queries itself',
    { 'libs/computation/src/run.ts': `import '#libs/engine'` },
    'computation-knows-queries-and-contracts',
    'libs/computation/src/run.ts -> libs/engine/src/index.ts',
  ],
  [
    'the protocol imports the envelope',
    { 'libs/protocol/src/open.ts': `import type {} from '#libs/envelope'` },
    'protocol-is-wire-types',
    'libs/protocol/src/open.ts -> libs/envelope/src/index.ts',
  ],
  [
    'the protocol takes more than types from the contract',
    { 'libs/protocol/src/decide.ts': `export { decide } from '#libs/contract'` },
    'types-only-across-outer-libraries',
    'libs/protocol/src/decide.ts -> libs/contract/src/index.ts',
  ],
  [
    'the client imports the envelope',
    { 'libs/client/src/open.ts': `import '#libs/envelope'` },
    'client-speaks-the-protocol',
    'libs/client/src/open.ts -> libs/envelope/src/index.ts',
  ],
  [
    'a program contains a fake',
    { 'apps/agent/src/main-c.ts': `import '#libs/testing'` },
    'fakes-in-tests-only',
    'apps/agent/src/main-c.ts -> libs/testing/src/index.ts',
  ],
  [
    'the coordinator imports the envelope',
    { 'apps/coordinator/src/open.ts': `import { open } from '#libs/envelope'\nexport const o = open` },
    'coordinator-cannot-open-envelopes',
    'apps/coordinator/src/open.ts -> libs/envelope/src/index.ts',
  ],
  [
    'the coordinator reaches the envelope through two other libraries',
    {
      'apps/coordinator/src/relay.ts': `import '#libs/relay'`,
      'libs/relay/src/index.ts': `import './inner.js'`,
      'libs/relay/src/inner.ts': `import '#libs/cache'`,
      'libs/cache/src/index.ts': `export * from '#libs/envelope'`,
    },
    'coordinator-cannot-open-envelopes',
    'apps/coordinator/src/relay.ts -> libs/relay/src/index.ts -> libs/relay/src/inner.ts -> libs/cache/src/index.ts -> libs/envelope/src/index.ts',
  ],
  [
    'the coordinator reaches the envelope by a deferred import',
    { 'apps/coordinator/src/later.ts': `export const later = () => import('#libs/envelope')` },
    'coordinator-cannot-open-envelopes',
    'apps/coordinator/src/later.ts -> libs/envelope/src/index.ts',
  ],
  [
    'the coordinator reaches an engine',
    { 'apps/coordinator/src/run.ts': `import '#libs/engine'` },
    'coordinator-cannot-compute',
    'apps/coordinator/src/run.ts -> libs/engine/src/index.ts',
  ],
  [
    'the coordinator reaches a computation',
    {
      'apps/coordinator/src/compute.ts': `import '#libs/computation'`,
      'libs/computation/src/index.ts': `export const sum = 1`,
    },
    'coordinator-cannot-compute',
    'apps/coordinator/src/compute.ts -> libs/computation/src/index.ts',
  ],
  [
    'the coordinator imports the package that opens sealed keys',
    { 'apps/coordinator/src/hpke.ts': `import 'hpke'` },
    'coordinator-has-no-hpke',
    'apps/coordinator/src/hpke.ts -> node_modules/hpke',
  ],
  [
    'the database is used outside storage',
    { 'apps/coordinator/src/runs/query.ts': `import '@prisma/client'` },
    'database-in-storage-only',
    'apps/coordinator/src/runs/query.ts -> node_modules/@prisma/client',
  ],
  [
    'the worker reaches a package that is not on its list, through a library',
    {
      'apps/enclave/src/read.ts': `import '#libs/yaml-reader'`,
      'libs/yaml-reader/src/index.ts': `import 'yaml'`,
    },
    'enclave-carries-little',
    'apps/enclave/src/read.ts -> libs/yaml-reader/src/index.ts -> node_modules/yaml',
  ],
  [
    'the production worker reaches the simulator through a module of its own',
    { 'apps/enclave/src/main.ts': `import './simulated-tee.js'\nimport '#libs/engine'` },
    'production-worker-has-no-simulator',
    'apps/enclave/src/main.ts -> apps/enclave/src/simulated-tee.ts -> libs/attestation/src/simulated/issuer.ts',
  ],
  [
    'a program seals by the implementation that is there to be compared with',
    {
      'libs/envelope/src/for-vectors.ts': `export const nobleOpen = 1`,
      'apps/agent/src/main-j.ts': `import '#libs/envelope/vectors'`,
    },
    'second-implementation-in-tests-only',
    'apps/agent/src/main-j.ts -> libs/envelope/src/for-vectors.ts',
  ],
  [
    'the agent imports the simulator',
    { 'apps/agent/src/main-d.ts': `import '#libs/attestation/simulator'` },
    'simulator-by-name-only',
    'apps/agent/src/main-d.ts -> libs/attestation/src/simulated/issuer.ts',
  ],
  [
    'the agent reaches a server framework',
    { 'apps/agent/src/main-e.ts': `import '@nestjs/common'` },
    'agent-has-no-server',
    'apps/agent/src/main-e.ts -> node_modules/@nestjs/common',
  ],
  [
    'the console reaches node: code',
    { 'apps/console/src/main.ts': `import '#libs/engine'` },
    'browser-has-no-node',
    'apps/console/src/main.ts -> libs/engine/src/index.ts -> libs/engine/src/run.node.ts',
  ],
  [
    'two modules import each other',
    {
      'apps/agent/src/main-f.ts': `import { b } from './b.js'\nexport const a = (): unknown => b`,
      'apps/agent/src/b.ts': `import { a } from './main-f.js'\nexport const b = (): unknown => a`,
    },
    'no-cycles',
    'apps/agent/src/b.ts -> apps/agent/src/main-f.ts -> apps/agent/src/b.ts',
  ],
  [
    'nothing imports a module',
    { 'apps/agent/src/forgotten.ts': `export const x = 1` },
    'no-orphans',
    'apps/agent/src/forgotten.ts',
  ],
  [
    'an import leads nowhere',
    { 'apps/agent/src/main-g.ts': `import './missing.js'` },
    'everything-resolves',
    'apps/agent/src/main-g.ts -> ./missing.js',
  ],
  [
    'a package is used that package.json does not name',
    { 'apps/agent/src/main-h.ts': `import 'brought-along'` },
    'declared-packages-only',
    'apps/agent/src/main-h.ts -> node_modules/brought-along',
  ],
  [
    'a program uses a development package',
    { 'apps/agent/src/main-i.ts': `import 'fast-check'` },
    'no-development-packages',
    'apps/agent/src/main-i.ts -> node_modules/fast-check',
  ],
]

const packages = ['hpke', 'yaml', '@nestjs/common', '@prisma/client', 'fast-check', 'brought-along']
const trees: string[] = []

/** Writes a project in a folder of its own, with the resolution of this one and packages that are empty. */
async function plant(...files: readonly Tree[]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sealroom-dependencies-'))
  trees.push(root)
  const { imports } = JSON.parse(await readFile('package.json', 'utf8')) as {
    imports: Record<string, unknown>
  }
  const dependencies = Object.fromEntries(packages.slice(0, 4).map((name) => [name, '*']))
  const all: Record<string, string> = {
    'package.json': JSON.stringify({
      type: 'module',
      imports,
      dependencies,
      devDependencies: { 'fast-check': '*' },
    }),
    'tsconfig.json': await readFile('tsconfig.json', 'utf8'),
  }
  for (const name of packages) {
    all[`node_modules/${name}/package.json`] = JSON.stringify({ name, version: '1.0.0', main: './index.js' })
    all[`node_modules/${name}/index.js`] = ''
  }
  for (const [path, text] of Object.entries(Object.assign(all, ...files) as Tree)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return root
}

/** The check's answer: its exit code, and the lines under the name of each rule. */
async function run(root: string): Promise<{ code: number; output: string; found: Map<string, string[]> }> {
  const { code, output } = await new Promise<{ code: number; output: string }>((resolve) => {
    execFile(process.execPath, [check, '--root', root], { maxBuffer: 1e8 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, output: `${stderr}${stdout}` })
    })
  })
  const found = new Map<string, string[]>()
  let rule = ''
  for (const line of output.split('\n'))
    if (line.startsWith('  ')) found.set(rule, [...(found.get(rule) ?? []), line.trim()])
    else rule = line.split(':')[0] ?? ''
  return { code, output, found }
}

afterAll(async () => {
  await Promise.all(trees.map((root) => rm(root, { recursive: true })))
})

describe('the dependency check', () => {
  it('lets a project pass that keeps the rules', async () => {
    const { code, output } = await run(await plant(keepsTheRules))
    expect(output).toMatch(/^17 modules, \d+ imports, 1\d of them of #libs; \d+ rules, 0 violations\n$/)
    expect(code).toBe(0)
  })

  describe('says no where', () => {
    let answer: Awaited<ReturnType<typeof run>>
    beforeAll(async () => {
      answer = await run(await plant(keepsTheRules, ...violations.map(([, files]) => files)))
    })

    it.each(violations)('%s', (_what, _files, rule, edge) => {
      expect(answer.code).toBe(1)
      expect(
        answer.found.get(rule)?.some((line) => line === edge || line.startsWith(`${edge}/`)),
        answer.output,
      ).toBe(true)
    })

    it('each of its rules is broken once here', () => {
      const config = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
        readonly forbidden: readonly { readonly name: string }[]
      }
      const tried = new Set(violations.map(([, , rule]) => rule))
      expect(config.forbidden.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([])
    })
  })

  const blind: [string, () => Promise<string>, RegExp][] = [
    ['there is nothing to check', () => plant({}), /no source file/],
    [
      'no import was seen',
      () => plant({ 'apps/agent/src/main.ts': 'export const x = 1' }),
      /no import was seen/,
    ],
    [
      '#libs leads to what was built, not to sources',
      () =>
        plant(keepsTheRules, {
          'package.json': JSON.stringify({
            type: 'module',
            imports: { '#libs/*': './dist/libs/*/src/index.js' },
          }),
        }),
      /not to a source file|no import of #libs/,
    ],
    [
      'packages are not seen',
      () =>
        plant({
          'libs/canonical/src/index.ts': 'export const x = 1',
          'apps/agent/src/main.ts': `import '#libs/canonical'`,
        }),
      /no import of a package/,
    ],
  ]
  it.each(blind)('does not pass where %s', async (_what, make, reason) => {
    const { code, output } = await run(await make())
    expect(output).toMatch(reason)
    expect(code).toBe(1)
  })
})
