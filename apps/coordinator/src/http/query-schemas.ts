/** Numbers in queries: one spelling each, bounded before they are read. */
import { z } from 'zod'

/** A count, cursor, version or size. */
export const wholeNumber = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,14})$/, 'expected a whole number')
  .transform(Number)

/** How long a poll waits. */
export const waitSeconds = z
  .string()
  .regex(/^\d{1,3}(?:\.\d{1,3})?$/, 'expected seconds')
  .transform(Number)
