/** The story of an inference: review its query against the model's face, make SQL, read rows, give each its score, release. */
import type { InferTerms, ModelTerms, OutputTerms } from '#libs/contract'
import {
  generateScoredRowsSql,
  rowColumnsRead,
  translateRowsKeptInside,
  type ReviewedRows,
  type ScoredRowsSql,
} from '#libs/query'
import { parseControls, unsupportedControls, type ParsedControl } from './apply-controls.js'
import { groupSizeFor, queryTables, type DatasetsView } from './computation.js'
import { ComputationError } from './errors.js'
import { declaredForQuery, type ParameterSet } from './parameters.js'
import type { ResultColumn } from './result-table.js'

/** A feature as its input takes it. */
export interface Feature {
  readonly name: string
  readonly type: ModelTerms['inputs'][number]['type']
}

/** What of a model's terms scoring asks for; whoever has another source of models gives the same. */
export type ModelFace = Pick<ModelTerms, 'inputs' | 'output'>

/** An inference of a contract, understood. */
export interface ReviewedScoring {
  readonly rows: ReviewedRows
  readonly face: ModelFace
  /** In the order of the model's inputs. */
  readonly features: readonly Feature[]
  /** Names of the tables that it reads, sorted. */
  readonly reads: readonly string[]
  /** Columns of each that it needs, the unit among them: only their segments are released. */
  readonly columns: Readonly<Record<string, readonly string[]>>
}

/** One output of scores: the SQL of its rows, what leaves of them, and under which controls. */
export interface PreparedScores extends ScoredRowsSql {
  readonly name: string
  /** The unit that stands beside each score; null where it is not said whose a score is. */
  readonly unit: ResultColumn | null
  readonly scores: readonly ResultColumn[]
  readonly features: readonly Feature[]
  readonly controls: readonly ParsedControl[]
}

/**
 * Checks an inference's query, parsed by the engine: that it gives the features in types that the model takes, that each row is of one
 * person, and that each output can keep its controls.
 * @param face - of the model, as the contract says it
 * @param syntaxTree - from a sandboxed child; untrusted.
 * @throws QueryError with the rule that refuses; ComputationError `SCORING_INVALID`, `DATASET_UNKNOWN`, and those of controls.
 */
export function reviewScoring(
  datasets: DatasetsView,
  computation: Pick<InferTerms, 'over' | 'parameters' | 'features' | 'outputs'>,
  face: ModelFace,
  syntaxTree: unknown,
): ReviewedScoring {
  const rows = translateRowsKeptInside(syntaxTree, {
    tables: queryTables(datasets, computation.over),
    parameters: declaredForQuery(computation.parameters),
  })
  if (!rows.onePerson)
    throw invalid(
      'the rows are joined on more than units, so a score could be made of two people; join on the unit columns',
    )
  const columns = rowColumnsRead(rows)
  const features = featuresOf(rows, computation.features, face)
  const reviewed: ReviewedScoring = { rows, face, features, columns, reads: Object.keys(columns).sort() }
  for (const [name, output] of Object.entries(computation.outputs))
    scoresOutput(datasets, reviewed, name, output)
  return reviewed
}

/** The face of an inference's model. @throws ComputationError `SCORING_INVALID` where the contract has no such dataset. */
export function modelFaceOf(datasets: DatasetsView, { model }: Pick<InferTerms, 'model'>): ModelFace {
  const dataset = Object.hasOwn(datasets, model) ? datasets[model] : undefined
  if (dataset?.kind !== 'model') throw invalid(`${JSON.stringify(model)} is no model of the contract`)
  return dataset
}

/** SQL and controls of every output that anybody receives. */
export function prepareScoring(
  datasets: DatasetsView,
  reviewed: ReviewedScoring,
  computation: Pick<InferTerms, 'outputs'>,
  parameters: ParameterSet,
): readonly PreparedScores[] {
  return Object.entries(computation.outputs)
    .filter(([, output]) => output.recipients.length > 0)
    .map(([name, output]) => {
      const { features, rows } = reviewed
      const { unit, scores, controls, owner } = scoresOutput(datasets, reviewed, name, output)
      const columns = features.map((feature) => ({ name: feature.name, whole: feature.type === 'int64' }))
      const own = owner === null || unit === null ? null : { owner, unitType: unit.type }
      return {
        name,
        unit,
        scores,
        features,
        controls,
        ...generateScoredRowsSql(rows, columns, { own, parameters }),
      }
    })
}

function featuresOf(rows: ReviewedRows, names: readonly string[], { inputs }: ModelFace): readonly Feature[] {
  const types = inputs.flatMap(({ type, columns }) => Array.from({ length: columns }, () => type))
  if (types.length !== names.length)
    throw invalid(`the model takes ${types.length} features; the contract names ${names.length}`)
  return names.map((name, i) => {
    const type = types[i] ?? 'float64'
    const column = rows.columns.find((one) => one.name === name)
    if (column === undefined)
      throw invalid(
        `the query gives no column ${JSON.stringify(name)}; it gives ${rows.columns.map((one) => one.name).join(', ')}`,
      )
    const fits = type === 'int64' ? ['int', 'bool'] : ['int', 'double', 'bool']
    if (!fits.includes(column.type))
      throw invalid(
        `the feature ${JSON.stringify(name)} is ${column.type}; an input of ${type} takes ${fits.join(', ')}`,
      )
    return { name, type }
  })
}

function scoresOutput(datasets: DatasetsView, reviewed: ReviewedScoring, name: string, output: OutputTerms) {
  const own = parseControls(output.controls)
  const [unsupported] = unsupportedControls(own)
  if (unsupported !== undefined)
    throw new ComputationError(
      'CONTROL_UNSUPPORTED',
      `this build does not keep the control ${unsupported}, so the output is refused`,
    )
  const { rowsOf } = output
  const unit = rowsOf === undefined ? null : unitOf(datasets, reviewed, rowsOf)
  const scores = scoreColumns(reviewed.face.output.columns)
  if (scores.some((score) => score.name === unit?.name))
    throw invalid(`the unit ${JSON.stringify(unit?.name)} has the name of a score; rename the column`)
  expectNamed(name, own, [...(unit === null ? [] : [unit]), ...scores])
  expectNoGroups(datasets, reviewed, name, output, own)
  const controls = rowsOf === undefined ? own : [{ name: 'rowsOf', value: rowsOf } as const, ...own]
  return { unit, scores, controls, owner: rowsOf ?? null }
}

/** The names under which scores leave. */
function scoreColumns(count: number): readonly ResultColumn[] {
  return Array.from({ length: count }, (_, i) => ({
    name: count === 1 ? 'score' : `score_${i + 1}`,
    type: 'double' as const,
  }))
}

function unitOf(datasets: DatasetsView, { rows }: ReviewedScoring, owner: string): ResultColumn {
  const read = rows.units.find((unit) => unit.owner === owner)
  const table = read === undefined ? undefined : datasets[read.table]
  const column = table?.kind === 'table' ? table.columns[table.unit] : undefined
  if (table?.kind !== 'table' || column === undefined)
    throw invalid(`${owner} owns none of the tables that the query reads, so no row is its own`)
  return { name: table.unit, type: column.type }
}

// A score rests on one person: where anybody whose rows are in it demands a group, none can leave.
function expectNoGroups(
  datasets: DatasetsView,
  { rows, reads }: ReviewedScoring,
  name: string,
  { controls, rowsOf }: OutputTerms,
  own: readonly ParsedControl[],
): void {
  if (own.some((control) => control.name === 'minimumGroupSize'))
    throw invalid(`output ${name}: a score rests on one person, so minimumGroupSize cannot hold`)
  if (rowsOf === undefined) {
    if (groupSizeFor(datasets, { controls }, reads) !== null)
      throw invalid(
        `output ${name}: without rowsOf scores leave only as uncontrolled, and where no owner demands a group`,
      )
    return
  }
  const homes = rows.units.filter(({ owner }) => owner === rowsOf)
  const home = new Set(homes.map(({ read }) => read))
  const homeTables = new Set(homes.map(({ table }) => table))
  // Rows of one read are apart until they are grouped: a group of a unit holds the rows of every owner that knows the person.
  const apart = home.size === 1 && homes.every(({ reduced }) => !reduced)
  for (const { table, owner, read } of rows.units) {
    if (owner === rowsOf || (apart && home.has(read))) continue
    const minimums = datasets[table]?.minimums ?? {}
    const demanded = Object.hasOwn(minimums, owner) ? (minimums[owner]?.minimumGroupSize ?? 1) : 1
    if (demanded > 1)
      throw invalid(
        `output ${name}: ${owner} demands groups of ${demanded}; a score made of its rows too rests on one person`,
      )
    // The contract tells its signatories that owners of one table do not meet (`ownersBehind`).
    if (homeTables.size === 1 && homeTables.has(table))
      throw invalid(
        `output ${name}: the query groups ${table}, or reads it twice, so rows of ${rowsOf} and of ${owner} would make one score; read its rows as they are, or declare a dataset of ${rowsOf} alone`,
      )
  }
}

function expectNamed(
  name: string,
  controls: readonly ParsedControl[],
  columns: readonly ResultColumn[],
): void {
  const known = columns.map((column) => column.name)
  for (const { name: control, value } of controls) {
    const named =
      control === 'columns' && Array.isArray(value)
        ? (value as readonly string[])
        : control === 'roundTo'
          ? Object.keys(value as object)
          : []
    const foreign = named.find((column) => !known.includes(column))
    if (foreign !== undefined)
      throw new ComputationError(
        'CONTROL_INVALID',
        `output ${name}: control ${control} names column ${JSON.stringify(foreign)}; there are ${known.join(', ')}`,
      )
  }
}

function invalid(message: string): ComputationError {
  return new ComputationError('SCORING_INVALID', message)
}
