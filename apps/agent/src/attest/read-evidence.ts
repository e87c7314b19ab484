/** Evidence and its collateral from files of anyone: bounded, named, and nothing believed. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  collateralFilesFor,
  detectEvidence,
  evidenceKinds,
  inspectedKinds,
  maximumCollateralLength,
  maximumInspectedBytes,
  parseCollateralFiles,
  type Collateral,
  type DetectedEvidence,
  type Evidence,
  type EvidenceKind,
  type InspectedKind,
} from '#libs/attestation'
import { readBounded, reasonOf } from '../durable-file.js'
import { AgentError } from '../errors.js'

/**
 * Reads a file; its kind is the one given or the one that its bytes show.
 * @throws AgentError `FILE_UNREADABLE`, `USAGE`; AttestationError.
 */
export async function readEvidence(path: string, given: string | undefined): Promise<DetectedEvidence> {
  const kind = given === undefined ? undefined : inspectedKinds.find((known) => known === given)
  if (given !== undefined && kind === undefined)
    throw new AgentError('USAGE', `--kind is ${given}; expected one of ${inspectedKinds.join(', ')}`)
  const bytes = await readBounded(path, maximumInspectedBytes)
  return kind === undefined ? detectEvidence(bytes) : { kind, bytes }
}

/**
 * The kind as contracts know it.
 * @throws AgentError `USAGE` for what no contract can name.
 */
export function kindForContracts(kind: InspectedKind): EvidenceKind {
  const known = evidenceKinds.find((candidate) => candidate === kind)
  if (known !== undefined) return known
  throw new AgentError(
    'USAGE',
    `no contract accepts evidence of ${kind} by itself; expected a file of ${evidenceKinds.join(', ')}`,
  )
}

/**
 * Reads what a folder has for this evidence: one file a name (`vek.der`, `chain.pem`, `crl`, …), Intel's as one `collateral.json`, or
 * what `attest fetch-collateral` put there.
 * @throws AgentError `FILE_UNREADABLE`; AttestationError `MALFORMED`.
 */
export async function readCollateral(
  folder: string,
  evidence: Pick<Evidence, 'kind' | 'bytes'>,
): Promise<Collateral> {
  const files = collateralFilesFor(evidence, await filesIn(folder))
  const read = files.map(
    async (file) => [file, await readBounded(join(folder, file), maximumCollateralLength)] as const,
  )
  return parseCollateralFiles(await Promise.all(read))
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (cause) {
    throw new AgentError('FILE_UNREADABLE', `${folder} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}
