/**
 * What kinds of computation and which controls there are: names, schemas and promises, nothing that runs. Coordinator and console
 * may import this file alone.
 */
import { z } from 'zod'

/** Kinds of computation in a contract, and whether this build runs them. */
export const computationKinds = {
  sql: { supported: true, says: 'an exact query that all signatories reviewed, with typed parameters' },
  'sql-aggregate': { supported: false, says: 'any query that the uses of the columns allow' },
  train: { supported: true, says: 'a model is trained on the joined data' },
  infer: { supported: true, says: 'a sealed model is applied to the rows of a reviewed query' },
} as const

/** One of {@link computationKinds}. */
export type ComputationKind = keyof typeof computationKinds

const decimal = z.string().regex(/^-?(?:0|[1-9]\d{0,29})(?:\.\d{0,29}[1-9])?$/)
const positiveDecimal = decimal.regex(/^(?!-)(?!0$)/)
const column = z.string().min(1).max(128)
const filled = (value: object): boolean => Object.keys(value).length > 0
const label = z.string().min(1).max(64)

/** What each control takes, by name. The largest minimumGroupSize is that of the query generator. */
export const controlSchemas = {
  minimumGroupSize: z.int().min(1).max(1_000_000_000),
  roundTo: z.record(column, positiveDecimal).refine(filled),
  clamp: z.record(column, z.strictObject({ min: decimal, max: decimal })).refine(filled),
  topCode: z.record(column, decimal).refine(filled),
  columns: z.array(column).min(1).max(2000),
  maxRows: z.int().min(1),
  uncontrolled: z.string().min(1).max(500),
  differentialPrivacy: z.strictObject({
    epsilon: positiveDecimal,
    delta: decimal,
    mechanism: z.enum(['discrete-laplace', 'discrete-gaussian']),
  }),
  releaseApproval: z.strictObject({ from: z.array(label).min(1), count: z.int().min(1) }),
  keep: z.literal('sealed'),
  rowsOf: label,
} as const

/** The name of a control. */
export type ControlName = keyof typeof controlSchemas

/** What a control takes. */
export type ControlParameters<Name extends ControlName> = z.output<(typeof controlSchemas)[Name]>

/** The promise of each control in one sentence, and whether this build keeps it; what it does not keep it refuses. */
export const controlCatalog: Readonly<
  Record<ControlName, { readonly supported: boolean; readonly guarantee: string }>
> = {
  minimumGroupSize: {
    supported: true,
    guarantee:
      'each row that leaves rests on at least this many different people (privacy units) of every owner whose data the query reads',
  },
  roundTo: {
    supported: true,
    guarantee:
      'numbers of these columns leave only as multiples of the given step, the nearest one, ties away from zero',
  },
  clamp: {
    supported: true,
    guarantee:
      'numbers of these columns leave only within the given bounds; those outside are shown as the bound',
  },
  topCode: {
    supported: true,
    guarantee: 'numbers of these columns above the given value are shown as this value',
  },
  columns: { supported: true, guarantee: 'only these columns leave' },
  maxRows: { supported: true, guarantee: 'a result of more rows than this does not leave at all' },
  uncontrolled: {
    supported: true,
    guarantee:
      'nothing is held back: the result leaves as computed, for the reason that the signatories accepted',
  },
  differentialPrivacy: {
    supported: false,
    guarantee: 'no result depends much on whether any one person is in the data',
  },
  releaseApproval: { supported: false, guarantee: 'the result opens only after the named approvers agree' },
  keep: { supported: false, guarantee: 'the output never leaves; only computations of this contract use it' },
  rowsOf: { supported: true, guarantee: 'each row that leaves is one that this owner itself has sealed' },
}
