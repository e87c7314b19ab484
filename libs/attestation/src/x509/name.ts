/** Distinguished names: compared as the bytes that were signed, read only to be named and for a common name. */
import { toHex } from '#libs/canonical'
import { derTag, type DerElement, type DerReader } from '../der/der-reader.js'

/** A name as encoded, with what people call it. */
export interface DistinguishedName {
  /** Hexadecimal of its DER: two names are one where these are equal. */
  readonly encoded: string
  /** The one common name; null where there is none, or more than one. */
  readonly commonName: string | null
}

const commonName = '2.5.4.3'
const textTags: readonly number[] = [derTag.utf8String, derTag.printableString, derTag.ia5String]
const decoder = new TextDecoder('utf-8')

/** Reads a Name (RFC 5280 §4.1.2.4). */
export function parseName(reader: DerReader, field: string): DistinguishedName {
  const name = reader.next(derTag.sequence, field)
  const names = attributesOf(reader.enter(name), field).filter(({ type }) => type === commonName)
  const only = names.length === 1 ? names[0]?.value : undefined
  return {
    encoded: toHex(name.encoded),
    commonName: only !== undefined && textTags.includes(only.tag) ? decoder.decode(only.content) : null,
  }
}

function attributesOf(sets: DerReader, field: string): { type: string; value: DerElement }[] {
  const attributes = []
  while (!sets.atEnd) {
    const set = sets.nested(field, derTag.set)
    do {
      const attribute = set.nested(field)
      attributes.push({ type: attribute.objectIdentifier(field), value: attribute.any(field) })
      attribute.end(field)
    } while (!set.atEnd)
  }
  return attributes
}
