/** What runs here, for people: names and versions. What counts is the measurement. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { z } from 'zod'
import type { Build } from '#libs/protocol'
import { installationRoot } from './measurement.js'

const manifestSchema = z.object({ version: z.string().min(1).max(100) })

/** The build as an Offer and a Receipt name it. */
export async function readBuild(measurement: string): Promise<Build> {
  const version = await versionIn(join(installationRoot(), 'package.json'))
  return { name: 'sealroom-enclave', version, measurement }
}

/** The database that computes. */
export async function readEngineVersion(): Promise<{ readonly name: string; readonly version: string }> {
  const manifest = createRequire(import.meta.url).resolve('@duckdb/node-api/package.json')
  return { name: 'duckdb', version: await versionIn(manifest) }
}

async function versionIn(file: string): Promise<string> {
  return manifestSchema.parse(JSON.parse(await readFile(file, 'utf8'))).version
}
