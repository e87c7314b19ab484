/** Extensions of certificates and revocation lists (RFC 5280 §4.2): each at most once, found by object identifier. */
import { AttestationError } from '../errors.js'
import { derTag, parseDer, readDer, type DerReader } from '../der/der-reader.js'

/** What stands under one object identifier. */
export interface Extension {
  readonly critical: boolean
  /** The content of its OCTET STRING. */
  readonly value: Uint8Array
}

/** Extensions by dotted object identifier. */
export type Extensions = ReadonlyMap<string, Extension>

/** Object identifiers of what every certificate may hold. */
export const extensionId = {
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  authorityKeyIdentifier: '2.5.29.35',
} as const

/**
 * Reads a SEQUENCE OF Extension.
 * @throws AttestationError `MALFORMED`, also where one comes twice.
 */
export function parseExtensions(list: DerReader, what: string): Extensions {
  const extensions = new Map<string, Extension>()
  while (!list.atEnd) {
    const entry = list.nested('extension')
    const id = entry.objectIdentifier('extension')
    const critical = entry.nextTag === derTag.boolean ? entry.boolean('critical') : false
    const value = entry.octetString('extension')
    entry.end('extension')
    if (extensions.has(id))
      throw new AttestationError('MALFORMED', `${what} has extension ${id} twice`, {
        stage: 'parse',
        field: id,
      })
    extensions.set(id, { critical, value })
  }
  return extensions
}

/** BasicConstraints (§4.2.1.9); absent: not a certificate authority. */
export interface BasicConstraints {
  readonly isAuthority: boolean
  /** How many authorities may stand below; null: any number. */
  readonly pathLength: number | null
}

/** Reads BasicConstraints. */
export function parseBasicConstraints(extensions: Extensions): BasicConstraints {
  const extension = extensions.get(extensionId.basicConstraints)
  if (extension === undefined) return { isAuthority: false, pathLength: null }
  const reader = parseDer(extension.value, 'basic constraints')
  const isAuthority = reader.nextTag === derTag.boolean ? reader.boolean('cA') : false
  const pathLength = reader.atEnd ? null : reader.smallInteger('pathLenConstraint')
  reader.end('basic constraints')
  return { isAuthority, pathLength }
}

/** What a key may be used for (§4.2.1.3), of those that matter here. */
export type KeyUse = 'digitalSignature' | 'keyCertSign' | 'cRLSign'

const bitOf: Readonly<Record<KeyUse, number>> = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 }

/** Reads KeyUsage: null where absent, which permits every use. */
export function parseKeyUsage(extensions: Extensions): readonly KeyUse[] | null {
  const extension = extensions.get(extensionId.keyUsage)
  if (extension === undefined) return null
  const reader = readDer(extension.value, 'key usage')
  const bits = reader.namedBits('key usage')
  reader.end('key usage')
  return (['digitalSignature', 'keyCertSign', 'cRLSign'] as const).filter(
    (use) => (bits & (1 << bitOf[use])) !== 0,
  )
}
