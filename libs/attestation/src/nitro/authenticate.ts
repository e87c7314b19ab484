/**
 * Whether a Nitro hypervisor of AWS made a document. Guards form, chain to a pinned root at a time, and the signature. Says
 * nothing about which image runs; see verifier.ts.
 */
import { AttestationError } from '../errors.js'
import { parseCoseSign1 } from '../cbor/cose-sign1.js'
import { verifyChain } from '../x509/chain.node.js'
import { parseCertificate } from '../x509/certificate.js'
import { isRawEcdsa } from '../x509/signature.node.js'
import {
  parseNitroCertificates,
  parseNitroDocument,
  parseNitroPayload,
  type NitroDocument,
} from './document.js'

/** SHA-256 fingerprint of `aws.nitro-enclaves`, the root of the commercial regions. */
export const awsNitroRoots: readonly string[] = [
  '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b',
]

declare const authentic: unique symbol

/** A document that AWS signed. */
export type AuthenticNitroDocument = NitroDocument & {
  readonly [authentic]: true
  /** Until when every certificate of the chain is valid, in milliseconds. */
  readonly certificatesUntil: number
}

const es384 = -35
const algorithms = ['ecdsa-sha384'] as const

/**
 * Authenticates a document at a time in milliseconds. Its leaf certificate lives three hours.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`, `ALGORITHM`, `CHAIN_UNTRUSTED`, `NOT_YET_VALID`, `EXPIRED`,
 * `SIGNATURE_INVALID`.
 */
export function authenticateNitroDocument(
  bytes: Uint8Array,
  { at, roots }: { readonly at: number; readonly roots: readonly string[] },
): AuthenticNitroDocument {
  const message = parseCoseSign1(bytes, 'Nitro document')
  if (message.algorithm !== es384)
    throw refused('ALGORITHM', 'alg', `COSE algorithm ${message.algorithm}; expected ${es384}, ES384`)
  const payload = parseNitroPayload(message.payload)
  const { leaf, bundle } = parseNitroCertificates(payload)
  const certificate = parseCertificate(leaf, 'certificate of the enclave')
  const pool = bundle.map((der) => parseCertificate(der, 'certificate of the bundle'))

  const chain = verifyChain(certificate, pool, { at, roots, algorithms, what: 'certificate of the enclave' })
  if (certificate.keyUsage !== null && !certificate.keyUsage.includes('digitalSignature'))
    throw refused('CHAIN_UNTRUSTED', 'certificate', 'its key may not sign documents')
  const p384 = { curve: 'P-384', hash: 'sha384' } as const
  if (!isRawEcdsa(message, certificate.publicKey, p384, 'Nitro document'))
    throw refused('SIGNATURE_INVALID', 'signature', 'not made by the key of its certificate')
  // Read last, so that a byte that was changed on the way is told as a broken signature.
  const certificatesUntil = Math.min(...chain.map(({ validity }) => validity.until))
  return Object.freeze({ ...parseNitroDocument(payload), certificatesUntil }) as AuthenticNitroDocument
}

function refused(
  code: 'ALGORITHM' | 'CHAIN_UNTRUSTED' | 'SIGNATURE_INVALID',
  field: string,
  why: string,
): AttestationError {
  return new AttestationError(code, `Nitro document: ${field}: ${why}`, { stage: 'authenticate', field })
}
