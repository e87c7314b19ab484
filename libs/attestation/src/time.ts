import { z } from 'zod'

/** ISO 8601, UTC, milliseconds: one spelling per instant, and only instants that exist. */
export const timeSchema = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text, 'no such time')
