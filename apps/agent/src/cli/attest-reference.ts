/** `sealroom attest reference`: from a machine to the entry of a contract that accepts it. */
import {
  Checklist,
  inspectUnverified,
  proposeReference,
  verifierOf,
  type DetectedEvidence,
} from '#libs/attestation'
import type { JsonValue } from '#libs/canonical'
import { kindForContracts, readCollateral, readEvidence } from '../attest/read-evidence.js'
import { timeGiven } from '../attest/time-given.js'
import { AgentError } from '../errors.js'
import type { Answer } from './world.js'

interface ReferenceOptions {
  readonly collateral?: string
  readonly at?: string
  readonly kind?: string
}

/** Writes the section as YAML, the warnings as comments above it. */
export async function attestReference(file: string, options: ReferenceOptions): Promise<Answer> {
  const found = await readEvidence(file, options.kind)
  const claims = await verifiedClaims(found, options)
  const { entry, warnings } = proposeReference(inspectUnverified(found.bytes, found.kind), claims)
  return {
    json: { verified: claims !== null, warnings, enclaves: [entry] },
    text: [...warnings.map((warning) => `# WARNING: ${warning}`), 'enclaves:', ...entryLines(entry)],
  }
}

async function verifiedClaims(
  { kind, bytes }: DetectedEvidence,
  { collateral, at }: ReferenceOptions,
): Promise<Readonly<Record<string, JsonValue>> | null> {
  if (collateral === undefined && at === undefined) return null
  if (collateral === undefined || at === undefined)
    throw new AgentError('USAGE', 'give --collateral and --at together; one alone verifies nothing')
  const shown = { kind: kindForContracts(kind), bytes }
  const evidence = { ...shown, collateral: await readCollateral(collateral, shown) }
  const context = { now: timeGiven(at), checklist: new Checklist() }
  const { claims } = await verifierOf(evidence.kind).authenticate(evidence, context)
  return claims
}

// Every value as JSON, which YAML reads as it stands: a digest of decimal digits stays a text.
function entryLines(entry: Readonly<Record<string, JsonValue>>): string[] {
  return Object.entries(entry).map(
    ([name, value], index) => `  ${index === 0 ? '-' : ' '} ${name}: ${JSON.stringify(value)}`,
  )
}
