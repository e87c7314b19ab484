/** The report of a training as it comes from the child: read strictly, since the child may have been taken over by its input. */
import { z } from 'zod'
import { ComputationError } from './errors.js'

const number = z.number()
const count = z.int().min(0)
const support = z.array(count).max(30)
const part = z.enum(['train', 'test'])

const columnSchema = z.strictObject({
  heldBack: z.enum(['tooFewUnits', 'collinear']).nullable(),
  fill: number,
  centre: number,
  scale: number,
  coefficient: number,
  standardError: number,
  support,
})

const reportSchema = z.strictObject({
  status: z.enum(['trained', 'repeatedUnits', 'tooFewUnits', 'noFeatures', 'notConverged']),
  iterations: count,
  intercept: number,
  interceptStandardError: number,
  support,
  columns: z.array(columnSchema).max(10_000),
  metrics: z
    .array(
      z.strictObject({
        metric: z.enum(['auc', 'logLoss', 'brier', 'r2', 'rootMeanSquaredError']),
        part,
        value: number,
        low: number.nullable(),
        high: number.nullable(),
        rows: count,
        support,
      }),
    )
    .max(20),
  confusion: z
    .array(z.strictObject({ part, actual: z.boolean(), predicted: z.boolean(), count, support }))
    .max(8),
  calibration: z
    .array(
      z.strictObject({
        ...{ part, from: number, until: number, rows: count },
        ...{ predicted: number, observed: number, support },
      }),
    )
    .max(40),
})

/** A report whose form was checked. What it says is the child's word: a child that lies is held by the sandbox only. */
export type TrainingReading = z.output<typeof reportSchema>

/**
 * Reads a report about so many columns.
 * @throws ComputationError `RESULT_MALFORMED`.
 */
export function parseTrainingReport(value: unknown, columns: number): TrainingReading {
  const parsed = reportSchema.safeParse(value)
  if (!parsed.success)
    throw new ComputationError('RESULT_MALFORMED', 'the report of the training has another form')
  const { status, columns: fitted } = parsed.data
  if (fitted.length !== (status === 'trained' ? columns : 0))
    throw new ComputationError(
      'RESULT_MALFORMED',
      `the report of the training is about ${fitted.length} columns; ${columns} were to be learned from`,
    )
  return parsed.data
}
