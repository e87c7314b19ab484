/**
 * Collateral as a file and as an attachment: JSON, for each place names to bytes. Bounds what is read; says nothing about whether any of it is
 * genuine.
 */
import { z } from 'zod'
import { canonicalBytes, CodedError, fromBase64url, toBase64url } from '#libs/canonical'
import type { Collateral } from '../evidence.js'
import { AttestationError } from '../errors.js'
import { parseForeignJson } from '../json/foreign-json.js'

/** More files under one ask are refused. */
const maximumFiles = 32
/** The longest form that is read, in bytes: as much as can be kept beside a statement. */
export const maximumCollateralTextLength = 1_048_576

/** As many as a run may have Offers. */
const maximumPlaces = 64

const filesSchema = z
  .record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/), z.string().regex(/^[A-Za-z0-9_-]*$/))
  .refine((files) => Object.keys(files).length <= maximumFiles)
const placesSchema = z.array(filesSchema).max(maximumPlaces)

/** The collateral of each Offer of a round, in the order of their places, as canonical JSON. */
export function writeCollateral(places: readonly Collateral[]): Uint8Array {
  return canonicalBytes(places.map(textsOf))
}

function textsOf(collateral: Collateral): Record<string, string> {
  return Object.fromEntries(Object.entries(collateral).map(([name, bytes]) => [name, toBase64url(bytes)]))
}

/**
 * Reads what {@link writeCollateral} wrote, or what anyone says it did.
 * @throws AttestationError `MALFORMED`.
 */
export function parseCollateral(bytes: Uint8Array): readonly Collateral[] {
  if (bytes.length > maximumCollateralTextLength)
    throw malformed(`it has ${bytes.length} bytes; at most ${maximumCollateralTextLength}`)
  const result = placesSchema.safeParse(parseForeignJson(bytes, 'collateral'))
  if (!result.success) throw malformed('it is not a list of objects of names to base64url', result.error)
  return result.data.map((files) =>
    Object.fromEntries(Object.entries(files).map(([name, text]) => [name, bytesOf(text)])),
  )
}

function bytesOf(text: string): Uint8Array {
  try {
    return fromBase64url(text)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw malformed('a file in it is not base64url', cause)
  }
}

function malformed(why: string, cause?: unknown): AttestationError {
  return new AttestationError('MALFORMED', `collateral: ${why}`, {
    stage: 'parse',
    field: 'collateral',
    cause,
  })
}
