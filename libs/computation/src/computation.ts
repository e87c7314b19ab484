/** The story of a reviewed query: review its form, make SQL under the output's controls, check what came back, release. */
import type { ContractTerms, OutputTerms, SqlTerms } from '#libs/contract'
import type { GeneratedSql, QueryColumn, QueryTable, ReviewedQuery } from '#libs/query'
import { columnsRead, generateSql, translateQuery } from '#libs/query'
import type { ParsedControl, Released } from './apply-controls.js'
import { applyControls, parseControls, unsupportedControls } from './apply-controls.js'
import { ComputationError } from './errors.js'
import type { UnitEvidence } from './output-control.js'
import type { ParameterSet } from './parameters.js'
import { declaredForQuery } from './parameters.js'
import type { Cell, ResultTable, TableCaps } from './result-table.js'
import { parseResultTable } from './result-table.js'

/** A reviewed query of a contract, understood. */
export interface ReviewedComputation {
  readonly query: ReviewedQuery
  /** Names of the datasets that it reads, sorted. */
  readonly reads: readonly string[]
  /** Columns of each that it needs, the unit among them: only their segments are released. */
  readonly columns: Readonly<Record<string, readonly string[]>>
}

/** One output of a run: the SQL to run, what must come back, and under which controls it leaves. */
export interface PreparedOutput extends GeneratedSql {
  /** Each row rests on so many units of every owner; null for an uncontrolled output. */
  readonly minimumGroupSize: number | null
  readonly controls: readonly ParsedControl[]
}

/** What of a contract a query can read. */
export type DatasetsView = ContractTerms['datasets']

/**
 * Tables of a contract as the checker of queries takes them. With several owners of one dataset the engine's table has the hidden
 * column `__owner`.
 * @throws ComputationError `DATASET_UNKNOWN` for a name that is no table of the contract.
 */
export function queryTables(datasets: DatasetsView, names: readonly string[]): readonly QueryTable[] {
  return names.map((name) => {
    const dataset = Object.hasOwn(datasets, name) ? datasets[name] : undefined
    if (dataset?.kind !== 'table')
      throw new ComputationError('DATASET_UNKNOWN', `${JSON.stringify(name)} is no table of the contract`)
    const columns = Object.entries(dataset.columns).map(([column, terms]): [string, QueryColumn] => [
      column,
      queryColumn(terms),
    ])
    return { name, owners: dataset.owners, unit: dataset.unit, columns: Object.fromEntries(columns) }
  })
}

function queryColumn(
  terms: Extract<DatasetsView[string], { kind: 'table' }>['columns'][string],
): QueryColumn {
  const { type, nullable, use } = terms
  if (terms.type !== 'int' && terms.type !== 'double') return { type, nullable, use }
  return {
    ...{ type, nullable, use },
    ...(terms.min === undefined ? {} : { min: Number(terms.min) }),
    ...(terms.max === undefined ? {} : { max: Number(terms.max) }),
  }
}

/**
 * Checks the contract's own query text, parsed by the engine.
 * @param syntaxTree - the JSON of `serializeStatement` for that text, from a sandboxed child; untrusted.
 * @throws QueryError with the rule that refuses; ComputationError `DATASET_UNKNOWN`.
 */
export function reviewComputation(
  datasets: DatasetsView,
  computation: Pick<SqlTerms, 'parameters' | 'over'>,
  syntaxTree: unknown,
): ReviewedComputation {
  const tables = queryTables(datasets, computation.over)
  const query = translateQuery(syntaxTree, { tables, parameters: declaredForQuery(computation.parameters) })
  const columns = columnsRead(query)
  return { query, columns, reads: Object.keys(columns).sort() }
}

/**
 * The group size that holds for an output: the largest of its own control and the minimums of all owners of what the query reads, at
 * least 1; null only where the output is uncontrolled and no owner demands one.
 */
export function groupSizeFor(
  datasets: DatasetsView,
  output: Pick<OutputTerms, 'controls'>,
  reads: readonly string[],
): number | null {
  const controls = parseControls(output.controls)
  const own = controls.flatMap(({ name, value }) =>
    name === 'minimumGroupSize' && typeof value === 'number' ? [value] : [],
  )
  const demanded = reads.flatMap((name) => {
    const dataset = Object.hasOwn(datasets, name) ? datasets[name] : undefined
    return Object.values(dataset?.minimums ?? {}).map(({ minimumGroupSize }) => minimumGroupSize)
  })
  const k = Math.max(1, ...own, ...demanded)
  return k === 1 && controls.some(({ name }) => name === 'uncontrolled') ? null : k
}

/**
 * SQL and controls for one output. Where owners demand a group size, it holds although the output's own controls say less or nothing.
 * @throws ComputationError `CONTROL_UNSUPPORTED`, `CONTROL_INVALID` and the like; QueryError where the query cannot be counted.
 */
export function prepareOutput(
  datasets: DatasetsView,
  reviewed: ReviewedComputation,
  output: Pick<OutputTerms, 'controls' | 'rowsOf'>,
  parameters: ParameterSet,
): PreparedOutput {
  const own = parseControls(output.controls)
  const [unsupported] = [...unsupportedControls(own), ...(output.rowsOf === undefined ? [] : ['rowsOf'])]
  if (unsupported !== undefined)
    throw new ComputationError(
      'CONTROL_UNSUPPORTED',
      `this build does not keep the control ${unsupported}, so the output is refused`,
    )
  const minimumGroupSize = groupSizeFor(datasets, output, reviewed.reads)
  const generated = generateSql(reviewed.query, { minimumGroupSize, parameters })
  return { ...generated, minimumGroupSize, controls: effectiveControls(own, minimumGroupSize) }
}

/** An output's controls with the group size that holds for it. */
export function effectiveControls(
  own: readonly ParsedControl[],
  minimumGroupSize: number | null,
): readonly ParsedControl[] {
  if (minimumGroupSize === null) return own
  const raised: ParsedControl = { name: 'minimumGroupSize', value: minimumGroupSize }
  if (own.some(({ name }) => name === 'minimumGroupSize'))
    return own.map((control) => (control.name === 'minimumGroupSize' ? raised : control))
  return [raised, ...own.filter(({ name }) => name !== 'uncontrolled')]
}

/**
 * What leaves of a table that the child gave for prepared SQL: its columns are checked against the expected ones, the hidden counts
 * are taken out, every control is applied.
 * @throws ComputationError where the table is not what the SQL gives, a row rests on too few units, or a control refuses.
 */
export function releaseOutput(prepared: PreparedOutput, fromChild: unknown, caps?: TableCaps): Released {
  const table = parseResultTable(fromChild, caps)
  const hidden = [...new Set(prepared.unitCounts.map(({ column }) => column))]
  const expected = [...prepared.outputs, ...hidden.map((name) => ({ name, type: 'int' as const }))]
  const same =
    table.columns.length === expected.length &&
    table.columns.every(
      ({ name, type }, index) => name === expected[index]?.name && type === expected[index].type,
    )
  if (!same)
    throw new ComputationError(
      'RESULT_MALFORMED',
      `the result has not the ${expected.length} columns that its SQL gives, or others`,
    )
  const shown: ResultTable = {
    columns: table.columns.slice(0, prepared.outputs.length),
    rows: table.rows,
    values: table.values.slice(0, prepared.outputs.length),
  }
  return applyControls({ table: shown, units: evidence(prepared, table) }, prepared.controls)
}

function evidence(prepared: PreparedOutput, table: ResultTable): readonly UnitEvidence[] | null {
  if (prepared.minimumGroupSize === null) return null
  return prepared.unitCounts.map(({ column, table: source, owner }) => {
    const index = table.columns.findIndex(({ name }) => name === column)
    return { table: source, owner, atLeast: (table.values[index] ?? []).map(countOf) }
  })
}

/** A count that is no number is none. */
function countOf(cell: Cell): number {
  return typeof cell === 'number' ? cell : 0
}
