/**
 * RFC 8785, the JSON Canonicalization Scheme: one byte string per JSON value, so that a signature covers a meaning.
 * Says nothing about what the value means; schemas do that.
 */
import { fromUtf8, utf8 } from './bytes.js'
import { CanonicalError } from './errors.js'

/** What JSON can hold. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [name: string]: JsonValue }

/** Deeper values are refused: no statement needs them, and a parser must not be made to exhaust its stack. */
export const maximumDepth = 64

/**
 * The canonical text of a value.
 * @throws CanonicalError `JSON_UNSUPPORTED_VALUE` for what JSON cannot hold (undefined, functions, NaN, lone surrogates),
 * `JSON_TOO_DEEP`.
 */
export function canonicalJson(value: unknown): string {
  return encode(value, 0)
}

/** The UTF-8 bytes of {@link canonicalJson}. */
export function canonicalBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return utf8(canonicalJson(value))
}

/**
 * Parses bytes that must already be canonical. Repeated names, other spacing, other number spellings and unsorted names
 * all differ from the canonical form of what was read, so one comparison refuses them.
 * @throws CanonicalError `JSON_MALFORMED`, `JSON_NOT_CANONICAL`, `JSON_TOO_DEEP`, `JSON_UNSUPPORTED_VALUE`, `BYTES_MALFORMED`.
 */
export function parseCanonical(bytes: Uint8Array): JsonValue {
  const text = fromUtf8(bytes)
  const value = parseJson(text)
  // Decoding is strict and keeps every character, so that equal texts are equal bytes.
  if (canonicalJson(value) !== text)
    throw new CanonicalError('JSON_NOT_CANONICAL', `${bytes.length} bytes of JSON are not in RFC 8785 form`)
  return value
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch (cause) {
    throw new CanonicalError('JSON_MALFORMED', 'not JSON', { cause })
  }
}

function encode(value: unknown, depth: number): string {
  if (depth > maximumDepth) throw new CanonicalError('JSON_TOO_DEEP', `deeper than ${maximumDepth} levels`)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return encodeString(value)
  if (typeof value === 'number') return encodeNumber(value)
  // Array.from visits holes too, which map would leave empty.
  if (Array.isArray(value)) return `[${Array.from(value, (item) => encode(item, depth + 1)).join(',')}]`
  if (typeof value === 'object' && isPlain(value)) {
    // RFC 8785 §3.2.3 sorts by UTF-16 code units, which is what JavaScript's own comparison does.
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${members.map(([name, member]) => `${encodeString(name)}:${encode(member, depth + 1)}`).join(',')}}`
  }
  throw new CanonicalError('JSON_UNSUPPORTED_VALUE', `JSON cannot hold a value of type ${typeof value}`)
}

// RFC 8785 §3.2.2.2 is the serialization of ECMAScript, but for lone surrogates, which have no UTF-8 form.
function encodeString(text: string): string {
  if (!text.isWellFormed())
    throw new CanonicalError('JSON_UNSUPPORTED_VALUE', 'a string holds a lone surrogate')
  return JSON.stringify(text)
}

// RFC 8785 §3.2.2.3 is Number.prototype.toString; negative zero becomes 0.
function encodeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new CanonicalError('JSON_UNSUPPORTED_VALUE', 'a number is not finite')
  return String(value === 0 ? 0 : value)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
