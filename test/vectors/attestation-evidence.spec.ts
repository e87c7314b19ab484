import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readEvidenceCases, runEvidenceCase } from './attestation-evidence.js'
import { evidenceAdapters } from './evidence/adapters.js'

const folder = process.env['SEALROOM_EVIDENCE']
const folders =
  folder === undefined || !existsSync(folder)
    ? []
    : readdirSync(folder)
        .map((name) => join(folder, name))
        .filter((path) => existsSync(join(path, 'cases.json')))
const all = folders.flatMap((path) => readEvidenceCases(path).map((item) => ({ path, item })))
const judged = all.filter(({ item }) => evidenceAdapters.has(item.kind))
const withoutVerifier = all.length - judged.length

describe('captured evidence', () => {
  it.skipIf(judged.length > 0)(
    'is in a folder that SEALROOM_EVIDENCE names; without it no case of any kind is run',
    ({ skip }) => {
      skip('0 cases were run: SEALROOM_EVIDENCE names no folder with cases.json below it')
    },
  )

  it.each(judged.map(({ path, item }) => [item.id, path, item] as const))(
    'is judged as it is: %s',
    async (_id, path, item) => {
      const { passed, line } = await runEvidenceCase(path, item)
      expect(passed, line).not.toBe(false)
    },
  )

  it.runIf(withoutVerifier > 0)(
    `is not used where its kind has no verifier: ${withoutVerifier} of ${all.length} cases`,
    async () => {
      for (const { path, item } of all.filter(({ item: { kind } }) => !evidenceAdapters.has(kind)))
        expect((await runEvidenceCase(path, item)).passed).toBe(null)
    },
  )
})
