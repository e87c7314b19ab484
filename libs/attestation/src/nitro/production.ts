/** A Nitro document judged alone, under the strict policy for production. Nothing is released on it. */
import { equalBytes, toHex, type JsonValue } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { judgeEvidence, type EvidenceVerdict } from '../verdict.js'
import { sha256Hex } from '../x509/signature.node.js'
import { authenticateNitroDocument, awsNitroRoots } from './authenticate.js'
import type { NitroDocument } from './document.js'

/** What a document is judged by. */
export interface NitroRules {
  /** In milliseconds. */
  readonly at: number
  /** Fingerprints; AWS's own unless told otherwise. */
  readonly roots?: readonly string[]
  /** The nonce asked for; null: none was. */
  readonly nonce: Uint8Array | null
}

/** Judges a document. */
export function judgeNitroDocument(
  bytes: Uint8Array,
  { at, roots = awsNitroRoots, nonce }: NitroRules,
): Promise<EvidenceVerdict> {
  return judgeEvidence({
    authenticate: () => authenticateNitroDocument(bytes, { at, roots }),
    factsOf: nitroFacts,
    demandProduction: (document) => {
      demandNitroProduction(document)
      demandNonce(document, nonce)
    },
  })
}

/**
 * A debug enclave, whose console the host reads, has measurements of zeros.
 * @throws AttestationError `IMAGE_NOT_PRODUCTION`.
 */
export function demandNitroProduction({ pcrs }: NitroDocument): void {
  if (pcrs.get(0)?.some((byte) => byte !== 0) !== true)
    throw refused('IMAGE_NOT_PRODUCTION', 'PCR0', 'it is zero: an enclave in debug mode')
}

function demandNonce({ nonce: seen }: NitroDocument, asked: Uint8Array | null): void {
  if (asked === null) return
  if (seen === null) throw refused('BINDING_MISMATCH', 'nonce', 'the document carries none')
  if (!equalBytes(seen, asked)) throw refused('BINDING_MISMATCH', 'nonce', 'it is not the one asked for')
}

/** The facts of a document by the names that captured evidence is described with. */
export function nitroFacts(document: NitroDocument): Readonly<Record<string, JsonValue>> {
  const { moduleId, timestamp, pcrs, nonce, userData, publicKey } = document
  const measurements = [...pcrs].map(([index, value]) => [`pcr${index}`, toHex(value)] as const)
  return {
    timestamp: new Date(timestamp).toISOString(),
    module_id: moduleId,
    ...Object.fromEntries(measurements),
    nonce: nonce === null ? null : toHex(nonce),
    user_data: userData === null ? null : toHex(userData),
    public_key_sha256: publicKey === null ? null : sha256Hex(publicKey),
  }
}

function refused(
  code: 'IMAGE_NOT_PRODUCTION' | 'BINDING_MISMATCH',
  field: string,
  why: string,
): AttestationError {
  return new AttestationError(code, `Nitro document: ${field}: ${why}`, { stage: 'appraise', field })
}
