/**
 * Captured evidence of real hardware (`cases.json` beside its files): every case is put to the project's own verifier of its
 * kind, and verdict, reason and facts are compared. No name of a case or file means anything here.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { AttestationError, type EvidenceVerdict } from '#libs/attestation'
import { CaseUnreadable, type CaseInputs } from './evidence/adapter.js'
import { evidenceAdapters } from './evidence/adapters.js'

const caseSchema = z.looseObject({
  id: z.string(),
  kind: z.string(),
  at: z.iso.datetime(),
  evidence: z.record(z.string(), z.unknown()),
  authentic: z.boolean(),
  production: z.boolean(),
  refusal: z.string().nullable(),
  refusals: z.array(z.string()).optional(),
  unverified: z.boolean().optional(),
  facts: z.record(z.string(), z.unknown()).optional(),
})

/** One case of a `cases.json`. */
export type EvidenceCase = z.infer<typeof caseSchema>

/** What became of a case. `passed` is null where it does not count, for the reason that `line` gives. */
export interface EvidenceResult {
  readonly id: string
  readonly kind: string
  readonly passed: boolean | null
  readonly line: string
}

/** The cases of a folder, read strictly: a file of another form throws. */
export function readEvidenceCases(folder: string): readonly EvidenceCase[] {
  const text = readFileSync(join(folder, 'cases.json'), 'utf8')
  return z.array(caseSchema).parse(JSON.parse(text))
}

/** Runs every case of a folder. */
export async function* runEvidenceFolder(folder: string): AsyncGenerator<EvidenceResult> {
  for (const item of readEvidenceCases(folder)) yield await runEvidenceCase(folder, item)
}

/** Runs one case. What its verifier throws beside a verdict is a failure of the case, not of the run. */
export async function runEvidenceCase(folder: string, item: EvidenceCase): Promise<EvidenceResult> {
  const { id, kind } = item
  const adapter = evidenceAdapters.get(kind)
  if (adapter === undefined)
    return { id, kind, passed: null, line: `${id}: not used: no verifier of ${kind} here` }
  const inputs: CaseInputs = { folder, fields: item.evidence, at: Date.parse(item.at) }
  const verdict = await judge(() => adapter(inputs))
  if (verdict instanceof Error)
    return { id, kind, passed: false, line: `${id}: FAILED: ${verdict.name}: ${verdict.message}` }
  const differences = compare(item, verdict)
  const seen = describe(verdict, item)
  if (item.unverified === true) return { id, kind, passed: null, line: `${id}: not counted: ${seen}` }
  if (differences.length === 0) return { id, kind, passed: true, line: `${id}: ${seen}` }
  return { id, kind, passed: false, line: `${id}: FAILED: ${differences.join('; ')} (${seen})` }
}

async function judge(act: () => Promise<EvidenceVerdict>): Promise<EvidenceVerdict | Error> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof CaseUnreadable) return error
    // A root or key set that cannot be read: refused before there was evidence to judge.
    if (error instanceof AttestationError) {
      const { code: refusal, message: reason } = error
      return { authentic: false, production: false, refusal, reason, facts: {} }
    }
    if (error instanceof Error) return new Error(`the verifier broke: ${error.stack ?? error.message}`)
    throw error
  }
}

function compare(item: EvidenceCase, verdict: EvidenceVerdict): readonly string[] {
  const differences: string[] = []
  for (const name of ['authentic', 'production'] as const)
    if (verdict[name] !== item[name]) differences.push(`${name} is ${verdict[name]}; expected ${item[name]}`)
  const reasons = item.refusals ?? [item.refusal]
  if (!reasons.includes(verdict.refusal))
    differences.push(
      `refusal is ${verdict.refusal ?? 'none'} (${verdict.reason ?? ''}); expected ${reasons.map((reason) => reason ?? 'none').join(' or ')}`,
    )
  if (item.authentic && verdict.authentic)
    for (const [name, expected] of Object.entries(item.facts ?? {}))
      if (!isDeepStrictEqual(verdict.facts[name], expected))
        differences.push(
          `${name} is ${JSON.stringify(verdict.facts[name] ?? null)}; expected ${JSON.stringify(expected)}`,
        )
  return differences
}

function describe(verdict: EvidenceVerdict, { facts = {} }: EvidenceCase): string {
  const compared = verdict.authentic ? Object.keys(facts).length : 0
  return [
    verdict.authentic ? 'authentic' : 'not authentic',
    verdict.production ? 'production' : 'not for production',
    ...(verdict.refusal === null ? [] : [verdict.refusal]),
    `${compared} facts compared`,
  ].join(', ')
}
