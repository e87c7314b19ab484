/** Runs tests in a process of their own, with a guard switched off in the source that it reads. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../../demo/src/stack/processes.js'
import type { Finder } from './guard.js'

/** How a test ended. `says` is the beginning of why it failed. */
export interface Ended {
  readonly title: string
  readonly passed: boolean
  readonly says: string
}

interface Report {
  readonly testResults: readonly {
    readonly message?: string
    readonly assertionResults: readonly {
      readonly title: string
      readonly status: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')

/**
 * Runs some tests by their titles.
 * @throws Error where the run told nothing, as when a source no longer has what is to be switched off.
 */
export async function runWithout(
  guard: string,
  tests: readonly Pick<Finder, 'spec' | 'title'>[],
): Promise<readonly Ended[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sealroom-guards-'))
  try {
    const file = join(folder, 'report.json')
    const specs = new Set(tests.map(({ spec }) => spec))
    const titles = tests.map(({ title }) => `${literal(title)}$`).join('|')
    const words = ['run', '--config', 'test/guards/vitest.config.ts', ...specs, '-t', titles]
    const said = await ended([...words, '--reporter=json', `--outputFile=${file}`], guard)
    const report = JSON.parse(await readFile(file, 'utf8').catch(() => '{"testResults":[]}')) as Report
    const results = report.testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ title }) => tests.some((one) => one.title === title))
      .map(({ title, status, failureMessages }) => ({
        title,
        passed: status === 'passed',
        says: (failureMessages?.[0] ?? '').slice(0, 500),
      }))
    const silent = tests.find(({ title }) => !results.some((one) => one.title === title))
    if (silent !== undefined)
      throw new Error(
        `"${silent.title}" did not run: ${report.testResults.map(({ message }) => message ?? '').join(' ')} ${said.slice(-1000)}`,
      )
    return results
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function ended(words: readonly string[], guard: string): Promise<string> {
  const child = spawn(process.execPath, [vitest, ...words], {
    cwd: root,
    // The tests of the child are none of this process's.
    env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', SWITCHED_OFF: guard },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  return said
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
