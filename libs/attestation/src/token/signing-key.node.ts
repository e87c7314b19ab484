/**
 * By which names a contract may know the key that signed a token: its own thumbprint, or the fingerprint of a certificate above it. The set in which
 * the key stood came from anyone; what makes it believable is that the contract names one of these.
 */
import { CodedError, equalBytes, fromBase64 } from '#libs/canonical'
import type { ClaimDemand } from '../checklist.js'
import { AttestationError } from '../errors.js'
import { parseCertificate, type Certificate } from '../x509/certificate.js'
import { verifyChain } from '../x509/chain.node.js'
import { fingerprintOf } from '../x509/signature.node.js'
import type { ServiceKey } from './key-set.node.js'

/** Names of a signing key. */
export interface SigningKeyNames {
  readonly thumbprint: string
  /** Fingerprints of authorities whose certificate of this key is valid now; empty where there is none. */
  readonly certifiers: readonly string[]
  /** Why certificates that the set shows prove nothing; null where they do, or where it shows none. */
  readonly refusedCertificates: string | null
  /** Until when the certificates are valid, in milliseconds; null without any. */
  readonly certifiedUntil: number | null
}

const algorithms = [
  'rsa-pkcs1-sha256',
  'rsa-pkcs1-sha384',
  'rsa-pkcs1-sha512',
  'ecdsa-sha256',
  'ecdsa-sha384',
] as const

/** The names of a key at a time in milliseconds. */
export function namesOf(signer: ServiceKey, at: number): SigningKeyNames {
  const thumbprint = signer.thumbprint ?? ''
  const none = { thumbprint, certifiers: [], refusedCertificates: null, certifiedUntil: null }
  if (signer.certificates.length === 0) return none
  try {
    return { ...none, ...certifiersOf(signer, at) }
  } catch (error) {
    // The key may still be named by itself: certificates that prove nothing take nothing from it.
    if (!(error instanceof AttestationError)) throw error
    return { ...none, refusedCertificates: error.code }
  }
}

function certifiersOf(
  signer: ServiceKey,
  at: number,
): Pick<SigningKeyNames, 'certifiers' | 'certifiedUntil'> {
  const [leaf, ...above] = signer.certificates.map((text) => parseCertificate(derOf(text), what))
  if (leaf === undefined || above.length === 0) throw untrusted('no certificate above it is shown')
  checkKey(leaf, signer)
  const chains = above.map((authority) =>
    verifyChain(leaf, above, { at, roots: [fingerprintOf(authority)], algorithms, what }),
  )
  return {
    certifiers: above.map(fingerprintOf),
    certifiedUntil: Math.min(...chains.flat().map(({ validity }) => validity.until)),
  }
}

const what = 'certificate of a signing key'

function checkKey({ publicKey, keyUsage }: Certificate, { key }: ServiceKey): void {
  const spki = key?.export({ format: 'der', type: 'spki' })
  if (spki === undefined || !equalBytes(new Uint8Array(spki), publicKey.spki))
    throw untrusted('it is of another key than the one it stands beside')
  if (keyUsage !== null && !keyUsage.includes('digitalSignature')) throw untrusted('its key may not sign')
}

function derOf(text: string): Uint8Array {
  try {
    return fromBase64(text)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new AttestationError('MALFORMED', `${what}: it is not base64`, {
      stage: 'parse',
      field: 'x5c',
      cause,
    })
  }
}

function untrusted(why: string): AttestationError {
  return new AttestationError('CHAIN_UNTRUSTED', `${what}: ${why}`, { stage: 'authenticate', field: 'x5c' })
}

/**
 * Demands that a contract names the key.
 * @throws AttestationError `KEY_UNKNOWN`.
 */
export function demandSigningKey(
  { thumbprint, certifiers, refusedCertificates }: SigningKeyNames,
  accepted: readonly string[],
  demand: ClaimDemand,
): void {
  const beside =
    refusedCertificates === null ? '' : ` (its certificates prove nothing: ${refusedCertificates})`
  const seen = [thumbprint, ...certifiers]
  const isNamed = seen.some((name) => name !== '' && accepted.includes(name))
  demand('signing key', accepted.join(' or '), `${seen.join(' below ')}${beside}`, isNamed, 'KEY_UNKNOWN')
}
