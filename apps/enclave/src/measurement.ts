/**
 * What a simulated TEE measures: every file of the build that makes up the worker. Real hardware measures its image itself and
 * does not ask this file. Two builds are the same exactly if their files are.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { canonicalBytes, digest, domains, type Digest } from '#libs/canonical'

/** The parts of an installation that decide what a worker does: its code, and which packages it resolves to. */
export const measuredParts = ['dist/apps/enclave', 'dist/libs', 'package.json', 'package-lock.json'] as const

/** The folder of the installation that this file belongs to, run as built or (in tests) from source. */
export function installationRoot(): string {
  const here = fileURLToPath(new URL('.', import.meta.url))
  return join(here, basename(join(here, '../../..')) === 'dist' ? '../../../..' : '../../..')
}

/** Tests and fakes are built into the same folder; a worker reaches neither. */
const notPartOfWorker = /\.spec\.js$|\.map$|\.d\.ts$|^dist\/libs\/testing\//

export interface MeasuredFile {
  readonly path: string
  readonly sha256: Digest
}

/** The measurement of an installation: a digest over the sorted list of its files. */
export async function measureBuild(root: string): Promise<Digest> {
  return digest(domains.simulatedMeasurement, canonicalBytes(await measuredFiles(root)))
}

/** Path and SHA-256 of every measured file, sorted by path. A part that is not there is not in the list, which is another list. */
export async function measuredFiles(root: string): Promise<readonly MeasuredFile[]> {
  const found: string[] = []
  for (const part of measuredParts) found.push(...(await filesUnder(join(root, part))))
  const paths = found.map((file) => relative(root, file).split(sep).join('/'))
  const measured = paths.filter((path) => !notPartOfWorker.test(path)).sort((a, b) => (a < b ? -1 : 1))
  return await Promise.all(measured.map(async (path) => ({ path, sha256: await sha256Of(join(root, path)) })))
}

async function filesUnder(path: string): Promise<string[]> {
  const stat = await lstat(path).catch(() => null)
  if (stat === null) return []
  // A link could be turned elsewhere after it was measured.
  if (stat.isSymbolicLink()) throw new TypeError(`${path} is a link; a build holds files and folders only`)
  if (!stat.isDirectory()) return [path]
  const entries = await readdir(path)
  return (await Promise.all(entries.map((entry) => filesUnder(join(path, entry))))).flat()
}

async function sha256Of(path: string): Promise<Digest> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk)
  return hash.digest('hex')
}
