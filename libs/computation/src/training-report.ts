/** The report of a training as it comes from the child: read strictly, since the child may have been taken over by its input. */
import { z } from 'zod'
import { ComputationError } from './errors.js'

/** Columns that a training may have: its work grows with their square for each row. */
export const maximumTerms = 2000

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
  columns: z.array(columnSchema).max(maximumTerms),
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

/** Whether a number of a report rests on enough units of every class. What names no class rests on nobody. */
export function restsOnEnough(support: readonly number[], minimumUnits: number): boolean {
  return support.length > 0 && support.every((units) => units >= minimumUnits)
}

/** What a model does with a column before it adds it up. */
export type ColumnTold = Pick<TrainingReading['columns'][number], 'fill' | 'centre' | 'scale' | 'coefficient'>

/**
 * The numbers of a model, with those of columns that were held back, or which rest on too few units, at what changes nothing; null
 * where there is no model to tell of. The child leaves such columns out; here its word is not taken for it.
 */
export function coefficientsTold(
  { status, support, intercept, columns }: TrainingReading,
  minimumUnits: number,
): { readonly intercept: number; readonly columns: readonly ColumnTold[] } | null {
  if (status !== 'trained' || !restsOnEnough(support, minimumUnits)) return null
  return {
    intercept,
    columns: columns.map(({ heldBack, fill, centre, scale, coefficient, support: behind }) =>
      heldBack === null && restsOnEnough(behind, minimumUnits)
        ? { fill, centre, scale, coefficient }
        : { fill: 0, centre: 0, scale: 1, coefficient: 0 },
    ),
  }
}

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
