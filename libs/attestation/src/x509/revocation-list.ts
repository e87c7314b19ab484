/**
 * Certificate revocation lists (RFC 5280 §5): complete lists of one issuer. Delta and indirect lists, and lists for a part of
 * what an issuer issued, are refused, since they could be shown in place of a complete one.
 */
import { toHex } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { contextTag, derTag, parseDer, type DerReader } from '../der/der-reader.js'
import { extensionId, parseExtensions } from './extensions.js'
import { parseName, type DistinguishedName } from './name.js'
import { parseSignatureAlgorithm, type SignatureAlgorithm } from './signature-algorithm.js'
import { isTime, parseDerTime } from './time.js'

/** A revocation list that anyone may have made. */
export interface RevocationList {
  readonly signed: Uint8Array
  readonly signature: Uint8Array
  readonly algorithm: SignatureAlgorithm | 'unknown'
  readonly issuer: DistinguishedName
  /** From thisUpdate until nextUpdate, in milliseconds. */
  readonly validity: { readonly from: number; readonly until: number }
  /** Serial numbers in hexadecimal as encoded. */
  readonly revoked: ReadonlySet<string>
}

/**
 * Reads one list in DER.
 * @throws AttestationError `MALFORMED`, also where it has no nextUpdate; `TRAILING_DATA`.
 */
export function parseRevocationList(der: Uint8Array, what = 'revocation list'): RevocationList {
  const outer = parseDer(der, what)
  const signed = outer.next(derTag.sequence, 'tbsCertList')
  const algorithm = outer.next(derTag.sequence, 'signatureAlgorithm')
  const signature = outer.bitStringBytes('signature')
  outer.end('revocation list')

  const tbs = outer.enter(signed)
  const version = tbs.nextTag === derTag.integer ? tbs.smallInteger('version') : 0
  if (version > 1) throw malformed(what, `version is v${version + 1}; expected v2`)
  if (toHex(tbs.next(derTag.sequence, 'signature').encoded) !== toHex(algorithm.encoded))
    throw malformed(what, 'signatureAlgorithm differs from the signed one')
  const issuer = parseName(tbs, 'issuer')
  const from = parseDerTime(tbs, 'thisUpdate')
  if (!isTime(tbs)) throw malformed(what, 'no nextUpdate: it could be shown for ever')
  const until = parseDerTime(tbs, 'nextUpdate')
  const revoked = tbs.nextTag === derTag.sequence ? parseRevoked(tbs, what) : new Set<string>()
  if (tbs.nextTag === contextTag(0)) checkListExtensions(tbs, what)
  tbs.end('tbsCertList')

  return Object.freeze({
    signed: signed.encoded,
    signature,
    algorithm: parseSignatureAlgorithm(outer.enter(algorithm)),
    issuer,
    validity: { from, until },
    revoked,
  })
}

function parseRevoked(tbs: DerReader, what: string): ReadonlySet<string> {
  const entries = tbs.nested('revokedCertificates')
  const serials = new Set<string>()
  while (!entries.atEnd) {
    const entry = entries.nested('revokedCertificate')
    serials.add(toHex(entry.integerBytes('userCertificate')))
    parseDerTime(entry, 'revocationDate')
    if (!entry.atEnd) checkCritical(entry, what, [])
    entry.end('revokedCertificate')
  }
  return serials
}

function checkListExtensions(tbs: DerReader, what: string): void {
  const explicit = tbs.nested('crlExtensions', contextTag(0))
  checkCritical(explicit, what, [extensionId.crlNumber, extensionId.authorityKeyIdentifier])
  explicit.end('crlExtensions')
}

// §5.2: what makes a list partial, delta or indirect is critical; so is what we do not know.
function checkCritical(reader: DerReader, what: string, understood: readonly string[]): void {
  for (const [id, { critical }] of parseExtensions(reader.nested('extensions'), what))
    if (critical && !understood.includes(id)) throw malformed(what, `critical extension ${id}`)
}

function malformed(what: string, why: string): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${why}`, { stage: 'parse', field: what })
}
