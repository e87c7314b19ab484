/** Roots that somebody pins by handing over the certificate instead of its fingerprint. */
import { AttestationError } from '../errors.js'
import { parseCertificates } from './pem.js'
import { fingerprintOf } from './signature.node.js'

/**
 * SHA-256 fingerprint of the one certificate in a file, DER or PEM, in hexadecimal.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function certificateFingerprint(file: Uint8Array): string {
  const [certificate, ...more] = parseCertificates(file, 'root certificate')
  if (certificate === undefined || more.length > 0)
    throw new AttestationError('MALFORMED', `a root is one certificate; the file has ${more.length + 1}`, {
      stage: 'parse',
      field: 'root',
    })
  return fingerprintOf(certificate)
}
