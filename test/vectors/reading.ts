/** What the formats have in common: values in hexadecimal and base64, and objects checked member by member. */
import { z } from 'zod'
import { CodedError, fromBase64, fromHex } from '#libs/canonical'
import { MalformedVectors } from './kind.js'

/** Hexadecimal of either case, as bytes. */
export const hexBytes = z
  .string()
  .transform((text, context) => decoded(() => fromHex(text.toLowerCase()), context))

/** Padded base64, as bytes; JSON made by Go writes null for no bytes. */
export const base64Bytes = z
  .string()
  .nullable()
  .transform((text, context) => decoded(() => fromBase64(text ?? ''), context))

/** A count written as a number or as its digits. */
export const count = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number),
])

/**
 * A value of the form that a kind's files have.
 * @throws MalformedVectors naming the members that are not.
 */
export function readAs<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  const faults = read.error.issues.slice(0, 3).map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new MalformedVectors(`${where}: ${faults.join('; ')}`)
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function decoded(decode: () => Uint8Array<ArrayBuffer>, context: z.RefinementCtx): Uint8Array<ArrayBuffer> {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    context.addIssue({ code: 'custom', message: error.message })
    return z.NEVER
  }
}
