/**
 * Signatures of a vTPM by its RSA attestation key: raw, as Azure hands them over, which is RSASSA with
 * SHA-256, or as TPMT_SIGNATURE (TCG TPM 2.0 library, part 2), which names its scheme. Guards that scheme and
 * key are on the list.
 */
import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto'
import { ByteReader } from '../bytes/byte-reader.js'
import { AttestationError } from '../errors.js'
import { minimumRsaBits } from '../x509/signature.node.js'
import type { HashName } from '../x509/signature-algorithm.js'
import type { AttestationKey } from './runtime-data.js'
import type { TpmQuote } from './tpm-quote.js'

const schemes: Readonly<Record<number, 'rsassa' | 'rsapss'>> = { 0x0014: 'rsassa', 0x0016: 'rsapss' }
const hashes: Readonly<Record<number, HashName>> = { 0x000b: 'sha256', 0x000c: 'sha384', 0x000d: 'sha512' }
const maximumRsaBits = 8192

/**
 * Checks that the attestation key signed a message.
 * @throws AttestationError `ALGORITHM`, `SIGNATURE_INVALID`, `MALFORMED`.
 */
export function verifyTpmSignature({ message, signature }: TpmQuote, jwk: AttestationKey): void {
  const key = importKey(jwk)
  const bytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
  const { scheme, hash, value } =
    signature.length === bytes
      ? ({ scheme: 'rsassa', hash: 'sha256', value: signature } as const)
      : parseSignature(signature, bytes)
  const padding = scheme === 'rsassa' ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_PSS_PADDING
  // TPMs differ in the salt: as long as the digest, or as long as fits.
  const saltLength = constants.RSA_PSS_SALTLEN_AUTO
  const options = scheme === 'rsassa' ? { key, padding } : { key, padding, saltLength }
  if (!verify(hash, message, options, value))
    throw refused('SIGNATURE_INVALID', 'the attestation key in the runtime data did not sign it')
}

interface TpmtSignature {
  readonly scheme: 'rsassa' | 'rsapss'
  readonly hash: HashName
  readonly value: Uint8Array
}

function parseSignature(signature: Uint8Array, bytes: number): TpmtSignature {
  if (signature.length !== bytes + 6)
    throw refused(
      'MALFORMED',
      `it has ${signature.length} bytes; expected ${bytes}, or ${bytes + 6} with scheme`,
    )
  const reader = new ByteReader(signature, 'TPM signature')
  const scheme = schemes[reader.uintBe(2, 'scheme')]
  const hash = hashes[reader.uintBe(2, 'hash')]
  if (scheme === undefined || hash === undefined)
    throw refused('ALGORITHM', 'its scheme is not RSASSA or RSAPSS with SHA-256, SHA-384 or SHA-512')
  const value = reader.take(reader.uintBe(2, 'length'), 'signature')
  reader.end()
  return { scheme, hash, value }
}

function importKey({ n, e }: AttestationKey): KeyObject {
  const key = createKey({ n, e })
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < minimumRsaBits || bits > maximumRsaBits || bits % 8 !== 0 || e !== 'AQAB')
    throw refused(
      'ALGORITHM',
      `an RSA key of ${bits} bits with exponent ${e}; expected 2048 or more and AQAB`,
    )
  return key
}

function createKey(jwk: AttestationKey): KeyObject {
  try {
    return createPublicKey({ key: { kty: 'RSA', ...jwk }, format: 'jwk' })
  } catch (cause) {
    throw refused('MALFORMED', 'the attestation key cannot be used', cause)
  }
}

function refused(
  code: 'ALGORITHM' | 'SIGNATURE_INVALID' | 'MALFORMED',
  why: string,
  cause?: unknown,
): AttestationError {
  return new AttestationError(code, `TPM quote: signature: ${why}`, {
    stage: 'authenticate',
    field: 'signature',
    cause,
  })
}
