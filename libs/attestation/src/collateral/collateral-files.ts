/**
 * Collateral as files of a folder: which of them go with evidence, and what they hold. One form for whoever verifies and for whoever is
 * verified; reading them is theirs. Says nothing about whether any of it is genuine.
 */
import { dcapCollateralNames, parseDcapCollateral } from '../dcap/collateral.js'
import { AttestationError } from '../errors.js'
import type { Collateral, Evidence } from '../evidence.js'
import { keySetName } from '../token/service-token.js'
import { collateralAskOf, collateralName, type CollateralAsk } from './ask.js'
import { parseCollateral } from './collateral-text.js'
import { gpuManifestAsksOf } from './gpu-manifests.js'

/** Files by what they are, with any ending: `vek.der`, `chain.pem`, `crl`, `jwks.json`, `tcb_info.json`. */
const names: readonly string[] = ['vek', 'chain', 'crl', keySetName, ...dcapCollateralNames]
/** Intel's files as verifiers of quotes exchange them. */
const bundleName = 'collateral.json'

/** A file with what it holds. */
export type CollateralFile = readonly [file: string, bytes: Uint8Array]

/** The file in which everything that one ask names is kept. */
export function collateralFileName(ask: CollateralAsk): string {
  return `${collateralName(ask)}.json`
}

/**
 * Which files of a folder to read for evidence: those named by what they are, or else the one kept for what the evidence asks for.
 * @throws AttestationError where only the evidence could tell, and it cannot be read; see {@link collateralAskOf}.
 */
export function collateralFilesFor(
  evidence: Pick<Evidence, 'kind' | 'bytes' | 'gpu'>,
  files: readonly string[],
): readonly string[] {
  const ofGpus = gpuManifestAsksOf(evidence.gpu ?? []).map(collateralFileName)
  const manifests = files.filter((file) => ofGpus.includes(file))
  const named = files.filter((file) => file === bundleName || names.includes(stemOf(file)))
  if (named.length > 0) return [...named, ...manifests]
  const ask = collateralAskOf(evidence)
  return [...(ask === null ? [] : files.filter((file) => file === collateralFileName(ask))), ...manifests]
}

/**
 * Reads files that {@link collateralFilesFor} chose.
 * @throws AttestationError `MALFORMED`, also where two files hold the same thing: one of them would be believed by chance.
 */
export function parseCollateralFiles(files: readonly CollateralFile[]): Collateral {
  const found = new Map<string, Uint8Array>()
  for (const [file, bytes] of files)
    for (const [name, part] of partsOf(file, bytes)) {
      if (found.has(name)) throw twice(name)
      found.set(name, part)
    }
  return Object.fromEntries(found)
}

function partsOf(file: string, bytes: Uint8Array): readonly CollateralFile[] {
  if (file === bundleName) return Object.entries(parseDcapCollateral(bytes))
  const stem = stemOf(file)
  return names.includes(stem) ? [[stem, bytes]] : Object.entries(parseCollateral(bytes)[0] ?? {})
}

function stemOf(file: string): string {
  return file.split('.')[0] ?? ''
}

function twice(name: string): AttestationError {
  return new AttestationError('MALFORMED', `the folder of collateral holds ${name} twice; leave one`, {
    stage: 'parse',
    field: name,
  })
}
