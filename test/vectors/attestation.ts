/**
 * Captured evidence of hardware as a kind of vectors: a `cases.json` with the files beside it. Each case is told, passed or not: what
 * the project's own verifier of its kind made of it, and how many facts were compared.
 */
import { dirname, resolve, sep } from 'node:path'
import { readEvidenceCases, runEvidenceCase } from './attestation-evidence.js'
import { MalformedVectors, type NotUsed, type VectorCase, type VectorKind } from './kind.js'
import { isRecord } from './reading.js'

export const attestation: VectorKind = {
  name: 'captured attestation evidence',
  looksFor:
    'a JSON array of {id, kind, at, evidence, authentic, production, refusal, …} beside the files that it names',
  recognise({ json, path }) {
    if (!Array.isArray(json) || !json.every(isCase) || json.length === 0) return undefined
    const folder = dirname(resolve(path))
    const named = new Set(
      json.flatMap(({ evidence }) => textsIn(evidence)).map((text) => resolve(folder, text)),
    )
    return {
      cases: () => casesOf(folder),
      claims: (other) => resolve(other) !== resolve(path) && isPart(resolve(other), folder, named),
    }
  },
}

async function* casesOf(folder: string): AsyncGenerator<VectorCase | NotUsed> {
  for (const item of readCases(folder)) {
    const { id, kind, passed, line } = await runEvidenceCase(folder, item)
    if (passed === null)
      yield {
        notUsed: kind,
        why: item.unverified === true ? 'its verdict is not established' : 'no verifier',
        cases: 1,
      }
    else yield { id, expected: agrees, see: () => (passed ? agrees : line), told: `${kind}: ${line}` }
  }
}

const agrees = 'the verdict, reason and facts of the case'

function readCases(folder: string) {
  try {
    return readEvidenceCases(folder)
  } catch (cause) {
    throw new MalformedVectors('cases.json is not of the form that its README gives', { cause })
  }
}

function isCase(value: unknown): value is { evidence: unknown } {
  return (
    isRecord(value) && ['kind', 'at', 'evidence', 'authentic', 'production'].every((name) => name in value)
  )
}

function isPart(path: string, folder: string, named: ReadonlySet<string>): boolean {
  return path.startsWith(`${folder}${sep}`) || named.has(path)
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isRecord(value) ? Object.values(value).flatMap(textsIn) : []
}
