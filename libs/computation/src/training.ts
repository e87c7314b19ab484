/** The story of a training: review its query, make SQL and a plan, read the child's report, release what the controls let out. */
import type { OutputTerms, TrainTerms } from '#libs/contract'
import { generateRowsSql, rowColumnsRead, translateRowsKeptInside } from '#libs/query'
import type { ReviewedRows, RowColumn } from '#libs/query'
import type { TrainingPlan } from '#libs/training'
import type { ParsedControl, Released } from './apply-controls.js'
import { applyControls, parseControls, unsupportedControls } from './apply-controls.js'
import { effectiveControls, groupSizeFor, queryTables, type DatasetsView } from './computation.js'
import { ComputationError } from './errors.js'
import type { ParameterSet } from './parameters.js'
import { declaredForQuery } from './parameters.js'
import { maximumTerms, type TrainingReading } from './training-report.js'
import { tableOf } from './training-tables.js'

/** A column of the design matrix: a number of the query, or one text of a column of texts. */
export interface DesignTerm extends RowColumn {
  readonly scale: boolean
  readonly impute: 'mean' | number | null
  /** Number of the feature whose texts are columns; null for a column of numbers. */
  readonly text: number | null
}

/** A training of a contract, understood. */
export interface ReviewedTraining {
  readonly rows: ReviewedRows
  readonly terms: readonly DesignTerm[]
  /** Columns that a row must have to be learned from, the target among them. */
  readonly complete: readonly string[]
  /** Names of the datasets that it reads, sorted. */
  readonly reads: readonly string[]
  /** Columns of each that it needs, the unit among them: only their segments are released. */
  readonly columns: Readonly<Record<string, readonly string[]>>
}

/** One output of a training and what it takes to leave. */
export interface PreparedTrainingOutput {
  readonly name: string
  readonly minimumGroupSize: number | null
  readonly controls: readonly ParsedControl[]
}

/** A training, ready to run. */
export interface PreparedTraining {
  readonly sql: { readonly rows: string; readonly repeated: string }
  readonly plan: TrainingPlan
  readonly outputs: readonly PreparedTrainingOutput[]
}

type Algorithm = TrainingPlan['algorithm']

/**
 * Checks a training's query, parsed by the engine, and that it gives what the terms name, in types that can be learned from.
 * @param syntaxTree - from a sandboxed child; untrusted.
 * @throws QueryError with the rule that refuses; ComputationError `TRAINING_INVALID`, `DATASET_UNKNOWN`.
 */
export function reviewTraining(
  datasets: DatasetsView,
  computation: Omit<TrainTerms, 'outputs'>,
  syntaxTree: unknown,
): ReviewedTraining {
  const tables = queryTables(datasets, computation.over)
  const rows = translateRowsKeptInside(syntaxTree, {
    tables,
    parameters: declaredForQuery(computation.parameters),
  })
  const target = targetOf(rows, computation)
  const terms = computation.features.flatMap((feature, i) => termsOf(rows, computation, feature, i))
  if (terms.length > maximumTerms)
    throw invalid(
      `the features give ${terms.length} columns; at most ${maximumTerms} are learned from. Name fewer features, or fewer texts under oneHot`,
    )
  const complete = terms.flatMap(({ name, level, impute }) =>
    level === null && impute === null ? [name] : [],
  )
  const columns = rowColumnsRead(rows)
  return { rows, terms, complete: [target, ...complete], columns, reads: Object.keys(columns).sort() }
}

function columnOf(rows: ReviewedRows, name: string, what: string) {
  const column = rows.columns.find((one) => one.name === name)
  if (column === undefined)
    throw invalid(
      `the query gives no column ${JSON.stringify(name)}, the ${what}; it gives ${rows.columns.map((one) => one.name).join(', ')}`,
    )
  return column
}

function targetOf(
  rows: ReviewedRows,
  { algorithm, target }: Pick<TrainTerms, 'algorithm' | 'target'>,
): string {
  if (target === undefined) throw invalid('there is no target')
  const { type } = columnOf(rows, target, 'target')
  const fits = algorithm === 'logistic-regression' ? type === 'bool' : type === 'int' || type === 'double'
  if (!fits)
    throw invalid(
      `the target ${JSON.stringify(target)} is ${type}; ${algorithm} learns ${algorithm === 'logistic-regression' ? 'a bool' : 'an int or a double'}`,
    )
  return target
}

function termsOf(
  rows: ReviewedRows,
  { preprocessing }: Pick<TrainTerms, 'preprocessing'>,
  feature: string,
  number: number,
): DesignTerm[] {
  const { type } = columnOf(rows, feature, 'feature')
  const steps = Object.hasOwn(preprocessing, feature) ? preprocessing[feature] : undefined
  const scale = (steps?.scale ?? 'standard') === 'standard'
  if (steps?.oneHot !== undefined) {
    if (type !== 'string')
      throw invalid(`oneHot takes texts; the feature ${JSON.stringify(feature)} is ${type}`)
    return steps.oneHot.map((level) => ({ name: feature, level, scale, impute: null, text: number }))
  }
  if (type !== 'int' && type !== 'double' && type !== 'bool')
    throw invalid(
      `the feature ${JSON.stringify(feature)} is ${type}; name its texts under preprocessing as oneHot, or let the query make it a number`,
    )
  const impute = steps?.impute === undefined || steps.impute === 'mean' ? steps?.impute : Number(steps.impute)
  return [{ name: feature, level: null, scale, impute: impute ?? null, text: null }]
}

/**
 * SQL, plan and outputs of a training. The plan leaves out what rests on fewer units than any of its outputs may show.
 * @throws ComputationError `CONTROL_UNSUPPORTED`, `COMPUTATION_UNSUPPORTED`; QueryError where the rows cannot be generated.
 */
export function prepareTraining(
  datasets: DatasetsView,
  reviewed: ReviewedTraining,
  computation: TrainTerms,
  parameters: ParameterSet,
): PreparedTraining {
  const { rows, terms, complete, reads } = reviewed
  const outputs = Object.entries(computation.outputs).map(([name, output]) =>
    prepareTrainingOutput(datasets, name, output, reads),
  )
  const target = { name: complete[0] ?? '', level: null }
  const { split } = computation
  return {
    sql: generateRowsSql(rows, [...terms, target], {
      complete,
      split: split === undefined ? null : { seed: split.seed, part: Number(split.test) },
      parameters,
    }),
    plan: {
      algorithm: algorithmOf(computation),
      columns: terms.map(({ scale, impute, text }) => ({ scale, impute, text })),
      l2: Number(computation.l2),
      unitClasses: rows.sameUnits.length,
      minimumUnits: Math.max(1, ...outputs.map(({ minimumGroupSize }) => minimumGroupSize ?? 1)),
    },
    outputs,
  }
}

function algorithmOf({ algorithm }: TrainTerms): Algorithm {
  if (algorithm === 'linear-regression' || algorithm === 'logistic-regression') return algorithm
  throw new ComputationError('COMPUTATION_UNSUPPORTED', `this build does not train ${algorithm}`)
}

function prepareTrainingOutput(
  datasets: DatasetsView,
  name: string,
  output: OutputTerms,
  reads: readonly string[],
): PreparedTrainingOutput {
  const own = parseControls(output.controls)
  const [unsupported] = [...unsupportedControls(own), ...(output.rowsOf === undefined ? [] : ['rowsOf'])]
  if (unsupported !== undefined)
    throw new ComputationError(
      'CONTROL_UNSUPPORTED',
      `this build does not keep the control ${unsupported}, so the output is refused`,
    )
  const minimumGroupSize = groupSizeFor(datasets, output, reads)
  return { name, minimumGroupSize, controls: effectiveControls(own, minimumGroupSize) }
}

/**
 * One output's table of a report, through its controls. Rows on fewer units than the controls demand are not in it.
 * @throws ComputationError where a control refuses.
 */
export function releaseTraining(
  reviewed: ReviewedTraining,
  output: PreparedTrainingOutput,
  report: TrainingReading,
): Released {
  const { table, supports } = tableOf(output.name, reviewed.terms, report, output.minimumGroupSize ?? 0)
  const { units, sameUnits } = reviewed.rows
  const evidence = units.map(({ table: source, owner, column }) => {
    const unitClass = sameUnits.findIndex((same) => same.includes(column))
    return { table: source, owner, atLeast: supports.map((support) => support[unitClass] ?? 0) }
  })
  return applyControls({ table, units: output.minimumGroupSize === null ? null : evidence }, output.controls)
}

function invalid(message: string): ComputationError {
  return new ComputationError('TRAINING_INVALID', message)
}
