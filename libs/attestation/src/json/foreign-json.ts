/**
 * JSON that others wrote. Guards size and that it is JSON; every member is read as what it must be, of the object's own
 * members only, at the level where the reader stands. Says nothing about who wrote it.
 */
import { CodedError, fromUtf8 } from '#libs/canonical'
import { AttestationError } from '../errors.js'

/** An object of which nothing is known. */
export type ForeignObject = Readonly<Record<string, unknown>>

const maximumJsonLength = 16 * 1024 * 1024

/**
 * Reads JSON from UTF-8 bytes.
 * @throws AttestationError `MALFORMED`.
 */
export function parseForeignJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > maximumJsonLength)
    throw malformed(what, `it has ${bytes.length} bytes; at most ${maximumJsonLength}`)
  try {
    return JSON.parse(fromUtf8(bytes)) as unknown
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof CodedError)) throw cause
    throw malformed(what, 'it is not JSON in UTF-8', cause)
  }
}

/** Whether a value is an object: no array and not null. */
export function isForeignObject(value: unknown): value is ForeignObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The value as an object.
 * @throws AttestationError `MALFORMED`.
 */
export function expectObject(value: unknown, what: string): ForeignObject {
  if (isForeignObject(value)) return value
  throw malformed(what, 'it is not an object')
}

/**
 * The value as an array.
 * @throws AttestationError `MALFORMED`.
 */
export function expectArray(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[]
  throw malformed(what, 'it is not an array')
}

/**
 * The value as text.
 * @throws AttestationError `MALFORMED`.
 */
export function expectText(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw malformed(what, 'it is not text')
}

/** A member of the object itself, never of its prototype; undefined where there is none. */
export function memberOf(object: ForeignObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** The member as an object; an empty one where there is none, so that all that is read in it is absent. */
export function objectIn(object: ForeignObject, name: string): ForeignObject {
  const value = memberOf(object, name)
  return isForeignObject(value) ? value : {}
}

/** The member as text; null where it is none. */
export function textIn(object: ForeignObject, name: string): string | null {
  const value = memberOf(object, name)
  return typeof value === 'string' ? value : null
}

/** What was seen of a claim, for refusals: short, and never an object. */
export function seenOf(value: unknown): string {
  if (value === undefined) return 'absent'
  if (typeof value === 'string') return value.slice(0, 80)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return 'neither text, number nor boolean'
}

function malformed(what: string, why: string, cause?: unknown): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${why}`, { stage: 'parse', field: what, cause })
}
