import { z } from 'zod'
import type { JsonValue, StatementKind, StatementType } from '#libs/canonical'
import { bytesSchema, thumbprintSchema, timeSchema } from '../primitives.js'

/** The fields that every statement holds (design: section 3). `salt` keeps digests of guessable content from telling it. */
export function statementSchema<Type extends StatementType, Shape extends z.core.$ZodShape>(
  type: Type,
  shape: Shape,
) {
  return z.strictObject({
    type: z.literal(type),
    by: thumbprintSchema,
    log: z.string().min(1).max(200),
    issuedAt: timeSchema,
    salt: bytesSchema(32),
    ...shape,
  })
}

/** A statement kind from its schema; the message of a failed parse names the fields, never their values. */
export function statementKind<Payload>(
  type: StatementType,
  schema: z.ZodType<Payload>,
): StatementKind<Payload> {
  return {
    type,
    parse: (value: JsonValue) => {
      const result = schema.safeParse(value)
      if (result.success) return result.data
      const issues = result.error.issues.map(
        (issue) => `${issue.path.join('.') || '(payload)'}: ${issue.message}`,
      )
      throw new TypeError(issues.slice(0, 10).join('; '))
    },
  }
}
