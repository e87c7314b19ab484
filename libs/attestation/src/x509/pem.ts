/**
 * Certificates and revocation lists as people hand them over (RFC 7468): DER, or PEM blocks one after the other. Text before a block is skipped,
 * as that RFC has it; after the last block nothing but white space may follow.
 */
import { CodedError, fromBase64, fromUtf8 } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { parseCertificate, type Certificate } from './certificate.js'
import { parseRevocationList, type RevocationList } from './revocation-list.js'

/** More certificates in one file are refused. */
export const maximumCertificates = 32
const maximumPemLength = 1_048_576

/**
 * The DER of every `label` block of a PEM text.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function parsePem(text: string, what: string, label = 'CERTIFICATE'): readonly Uint8Array[] {
  if (text.length > maximumPemLength) throw malformed(what, `${text.length} characters`)
  const blocks: Uint8Array[] = []
  let body: string[] | null = null
  let after = ''
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (body !== null) {
      if (line !== `-----END ${label}-----`) {
        body.push(line)
        continue
      }
      blocks.push(fromBody(body.join(''), what))
      body = null
      after = ''
      if (blocks.length > maximumCertificates) throw malformed(what, 'too many PEM blocks')
    } else if (line === `-----BEGIN ${label}-----`) {
      body = []
    } else {
      after += line
    }
  }
  if (body !== null) throw malformed(what, 'a PEM block without its end')
  if (blocks.length === 0) throw malformed(what, `no PEM block of type ${label}`)
  if (after !== '')
    throw new AttestationError(
      'TRAILING_DATA',
      `${what} has ${after.length} characters after its PEM blocks`,
      {
        stage: 'parse',
        field: what,
      },
    )
  return blocks
}

/**
 * The certificates of a file, in its order: one in DER, or any number in PEM.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function parseCertificates(bytes: Uint8Array, what: string): readonly Certificate[] {
  return derOf(bytes, what, 'CERTIFICATE').map((der) => parseCertificate(der, what))
}

/**
 * The revocation lists of a file: one in DER, or any number in PEM. None where there is no file.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function parseRevocationLists(bytes: Uint8Array | undefined, what: string): readonly RevocationList[] {
  if (bytes === undefined) return []
  return derOf(bytes, what, 'X509 CRL').map((der) => parseRevocationList(der, what))
}

// DER of either begins with a SEQUENCE, which no PEM text does.
function derOf(bytes: Uint8Array, what: string, label: string): readonly Uint8Array[] {
  return bytes[0] === 0x30 ? [bytes] : parsePem(pemText(bytes, what), what, label)
}

function pemText(bytes: Uint8Array, what: string): string {
  try {
    return fromUtf8(bytes)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw malformed(what, 'neither DER nor PEM', cause)
  }
}

function fromBody(body: string, what: string): Uint8Array {
  try {
    return fromBase64(body)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw malformed(what, 'a PEM block that is not base64', cause)
  }
}

function malformed(what: string, why: string, cause?: unknown): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${why}`, { stage: 'parse', field: what, cause })
}
