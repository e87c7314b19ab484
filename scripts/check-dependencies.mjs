// Checks who imports whom (.dependency-cruiser.cjs). Fails on a violation, and on a graph that is not the whole project: a
// check that saw nothing must not pass. `--root DIR` checks another tree by the same rules; the tests plant violations so.
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cruise } from 'dependency-cruiser'

const project = join(dirname(fileURLToPath(import.meta.url)), '..')
const { forbidden, options } = createRequire(import.meta.url)('../.dependency-cruiser.cjs')
const folders = ['apps', 'libs', 'demo', 'bench', 'test']
/** Violations shown of each rule; the rest is counted. */
const shown = 8

const { values } = parseArgs({ options: { root: { type: 'string', default: project } } })
process.chdir(resolve(values.root))
process.exitCode = await checkDependencies()

async function checkDependencies() {
  const sources = folders.filter((folder) => existsSync(folder)).flatMap(sourcesIn)
  if (sources.length === 0) return fail(['there is no source file to check'])
  const { enhancedResolveOptions, ...cruiseOptions } = options
  const { output } = await cruise(
    sources,
    { ...cruiseOptions, baseDir: process.cwd(), ruleSet: { forbidden }, validate: true },
    enhancedResolveOptions,
  )
  const blind = blindSpots(output.modules, sources)
  const violations = output.summary.violations
  report(violations)
  const own = output.modules.filter(({ source }) => isOwn(source))
  const edges = own.flatMap(({ dependencies }) => dependencies)
  const between = edges.filter(isLibraryImport)
  console.log(
    `${own.length} modules, ${edges.length} imports, ${between.length} of them of #libs; ` +
      `${forbidden.length} rules, ${violations.length} violations`,
  )
  return blind.length + violations.length === 0 ? 0 : fail(blind)
}

// TypeScript 7 or a broken resolver would give a small graph without violations.
function blindSpots(modules, sources) {
  const seen = new Map(modules.map((module) => [module.source, module]))
  const missed = sources.filter((source) => !seen.has(source))
  const own = sources.flatMap((source) => seen.get(source)?.dependencies ?? [])
  const unresolved = own.filter(
    ({ module, resolved }) => module.startsWith('#libs/') && !/^libs\/.*[.]ts$/.test(resolved),
  )
  return [
    ...(missed.length > 0 ? [`${missed.length} source files were not seen, such as ${missed[0]}`] : []),
    ...(own.length === 0 ? ['no import was seen at all'] : []),
    ...(own.some(isLibraryImport) ? [] : ['no import of #libs was seen']),
    ...(unresolved.length > 0
      ? [`${unresolved[0].module} leads to ${unresolved[0].resolved}, not to a source file`]
      : []),
    ...(modules.some(({ source }) => source.startsWith('node_modules/'))
      ? []
      : ['no import of a package was seen']),
  ]
}

function isLibraryImport({ module, resolved }) {
  return module.startsWith('#libs/') && resolved.startsWith('libs/')
}

function isOwn(source) {
  return folders.some((folder) => source.startsWith(`${folder}/`))
}

function sourcesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /[.](?:ts|tsx|mts|cts)$/.test(entry.name))
    .map((entry) => relative('.', join(entry.parentPath, entry.name)))
}

function report(violations) {
  const byRule = new Map()
  for (const violation of violations)
    byRule.set(violation.rule.name, [...(byRule.get(violation.rule.name) ?? []), violation])
  for (const [name, found] of byRule) {
    console.error(`${name}: ${forbidden.find((rule) => rule.name === name)?.comment ?? ''}`)
    const paths = found.map(describe).sort((a, b) => a.length - b.length)
    for (const path of paths.slice(0, shown)) console.error(`  ${path}`)
    if (found.length > shown) console.error(`  and ${found.length - shown} more`)
  }
}

function describe({ from, to, via, cycle }) {
  const path = (cycle ?? via ?? [{ name: to }]).map((step) => step.name)
  return [from, ...path].filter((name, i, all) => name !== all[i - 1]).join(' -> ')
}

function fail(reasons) {
  for (const reason of reasons) console.error(`the dependency check is blind: ${reason}`)
  return 1
}
