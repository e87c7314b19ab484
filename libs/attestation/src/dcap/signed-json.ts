/**
 * What the texts that Intel signs have in common: their times, fields in hexadecimal, and levels from new to
 * old.
 */
import { z } from 'zod'
import { parseForeignJson } from '../json/foreign-json.js'
import { refusal } from './refusal.js'
import { tcbStatuses } from './tcb-status.js'

/** So many bytes in hexadecimal of either case. */
export const hexBytes = (bytes: number): z.ZodPipe<z.ZodString, z.ZodTransform<string, string>> =>
  z
    .string()
    .regex(new RegExp(`^[0-9A-Fa-f]{${2 * bytes}}$`))
    .transform((text) => text.toLowerCase())

/** A time to the second, in milliseconds. */
export const jsonTime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .refine((text) => !Number.isNaN(Date.parse(text)))
  .transform((text) => Date.parse(text))

/** A security version number of two bytes. */
export const svn16 = z.int().min(0).max(65_535)

/** Status and advisories of a level. */
export const levelFields = {
  tcbStatus: z.enum(tcbStatuses),
  advisoryIDs: z.array(z.string().max(100)).max(1000).optional(),
} as const

/** Levels of an enclave or module that has one SVN. */
export const isvLevels = z
  .array(z.looseObject({ tcb: z.looseObject({ isvsvn: svn16 }), ...levelFields }))
  .max(1000)

/** A signed text that is not what it must be. Intel signed it, so it is of another version or kind. */
export function parseSignedJson<Schema extends z.ZodType>(
  bytes: Uint8Array,
  schema: Schema,
  what: string,
): z.infer<Schema> {
  const result = schema.safeParse(parseForeignJson(bytes, what))
  if (result.success) return result.data
  const field = result.error.issues[0]?.path.join('.') ?? what
  throw refusal('MALFORMED', what, `${field || 'the whole'} is not as it must be`, 'parse', result.error)
}

/**
 * When Intel issued a text, in milliseconds, as the text itself says.
 * @throws AttestationError `MALFORMED`.
 */
export function issueDateOf(bytes: Uint8Array, what: string): number {
  return parseSignedJson(bytes, z.looseObject({ issueDate: jsonTime }), what).issueDate
}

/**
 * Checks a field by which Intel tells collateral apart.
 * @throws AttestationError `COLLATERAL_MISMATCH`.
 */
export function checkBelongs(
  what: string,
  fields: Readonly<Record<string, readonly [seen: string | number, expected: string | number]>>,
): void {
  for (const [field, [seen, expected]] of Object.entries(fields))
    if (seen !== expected)
      throw refusal(
        'COLLATERAL_MISMATCH',
        what,
        `${field} is ${seen}; expected ${expected}: it is of another platform, kind or version`,
      )
}
