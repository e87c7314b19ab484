/** Evidence and its collateral from files of anyone: bounded, named, and nothing believed. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  collateralAskOf,
  dcapCollateralNames,
  detectEvidence,
  evidenceKinds,
  inspectedKinds,
  maximumCollateralLength,
  maximumInspectedBytes,
  parseDcapCollateral,
  type Collateral,
  type DetectedEvidence,
  type Evidence,
  type EvidenceKind,
  type InspectedKind,
} from '#libs/attestation'
import { CollateralFolder } from '../collateral/folder.js'
import { readBounded, reasonOf } from '../durable-file.js'
import { AgentError } from '../errors.js'

/** Names of collateral files without what follows the first dot, as verifiers know them. */
const collateralNames: readonly string[] = ['vek', 'chain', 'crl', ...dcapCollateralNames]
const bundleName = 'collateral.json'

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
    `no contract accepts evidence of ${kind} by itself; expected a file of sev-snp, tdx or nitro`,
  )
}

/**
 * Reads what a folder has for this evidence: one file a name (`vek.der`, `chain.pem`, `crl`, …), Intel's as one `collateral.json`, or
 * what `attest fetch-collateral` put there.
 * @throws AgentError `FILE_UNREADABLE`, `USAGE` for two files of one name; AttestationError `MALFORMED`.
 */
export async function readCollateral(
  folder: string,
  evidence: Pick<Evidence, 'kind' | 'bytes'>,
): Promise<Collateral> {
  const found = new Map<string, Uint8Array>()
  for (const file of await filesIn(folder)) {
    const name = file.split('.')[0] ?? ''
    if (file === bundleName) {
      const bundle = parseDcapCollateral(await readBounded(join(folder, file), maximumCollateralLength))
      for (const [part, bytes] of Object.entries(bundle)) add(found, part, bytes, folder)
    } else if (collateralNames.includes(name)) {
      add(found, name, await readBounded(join(folder, file), maximumCollateralLength), folder)
    }
  }
  return found.size > 0 ? Object.fromEntries(found) : await fetchedInto(folder, evidence)
}

async function fetchedInto(folder: string, evidence: Pick<Evidence, 'kind' | 'bytes'>): Promise<Collateral> {
  const ask = collateralAskOf(evidence)
  return (ask === null ? undefined : await new CollateralFolder(folder).find(ask)) ?? {}
}

function add(found: Map<string, Uint8Array>, name: string, bytes: Uint8Array, folder: string): void {
  if (found.has(name)) throw new AgentError('USAGE', `${folder} holds ${name} twice; leave one`)
  found.set(name, bytes)
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (cause) {
    throw new AgentError('FILE_UNREADABLE', `${folder} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}
