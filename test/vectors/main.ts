/** `npm run vectors -- DIR…`: published vectors against the project's code. Exit codes: 0 all passed, 1 some failed, 2 nothing to run. */
import { vectorKinds } from './kinds.js'
import { runVectors } from './run.js'

const print = (line: string) => process.stdout.write(`${line}\n`)
const paths = process.argv.slice(2)
if (paths.length === 0) {
  process.stderr.write(
    [
      'usage: npm run vectors -- DIR…',
      'Each DIR is a folder of published vectors, or a folder of such folders. They are recognised by what is in them:',
      ...vectorKinds.map(({ name, looksFor }) => `  ${name}: ${looksFor}`),
      'Exit codes: 0 all passed, 1 a case failed, 2 an argument without vectors.',
      '',
    ].join('\n'),
  )
  process.exitCode = 2
} else {
  const { passed, failed, notUsed, notRecognised, emptyArguments } = await runVectors(paths, {
    print,
    now: () => performance.now(),
  })
  print(`${notUsed} not used, ${notRecognised} files not recognised`)
  print(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : emptyArguments > 0 ? 2 : 0
}
