/** Between the engine's rows and the model's scores: which rows the model is asked about, and what leaves of its answers. */
import { applyControls, type Released } from './apply-controls.js'
import { ComputationError } from './errors.js'
import { defaultCaps, parseResultTable, type Cell, type ResultTable, type TableCaps } from './result-table.js'
import type { PreparedScores } from './scoring.js'

/** Rows for a model. */
export interface RowsToScore {
  readonly table: ResultTable
  /** Numbers of the rows that miss no feature, in order: the only ones that the model is asked about. */
  readonly complete: readonly number[]
  /** By feature, the values of the complete rows. */
  readonly columns: Readonly<Record<string, Float64Array>>
}

/** Scores of the complete rows, row by row: as many for each as the model's output has columns. */
export type RowScores = Float32Array | Float64Array

/**
 * Reads the rows that the child gave for prepared SQL. A row that misses a feature, or has one that its input cannot hold, is not
 * complete: nothing is filled in for it, and it gets no score.
 * @throws ComputationError `RESULT_MALFORMED`, `RESULT_TOO_LARGE`.
 */
export function readRowsToScore(prepared: PreparedScores, fromChild: unknown, caps?: TableCaps): RowsToScore {
  const { features, unit, columns: expected } = prepared
  const wide = { ...defaultCaps, maximumColumns: expected.length, maximumCells: Number.MAX_SAFE_INTEGER }
  const table = parseResultTable(fromChild, caps ?? wide)
  const same =
    table.columns.length === expected.length &&
    table.columns.every(({ name, type }, i) => name === expected[i]?.name && type === expected[i].type)
  if (!same)
    throw new ComputationError(
      'RESULT_MALFORMED',
      `the rows have not the ${expected.length} columns that their SQL gives`,
    )
  const first = unit === null ? 0 : 1
  const values = features.map(({ type }, i) =>
    Float64Array.from(table.values[first + i] ?? [], (cell) => numberFor(type, cell)),
  )
  const complete = Array.from({ length: table.rows }, (_, row) => row).filter((row) =>
    values.every((column) => !Number.isNaN(column[row])),
  )
  const columns = features.map(
    ({ name }, i) => [name, Float64Array.from(complete, (row) => values[i]?.[row] ?? NaN)] as const,
  )
  return { table, complete, columns: Object.fromEntries(columns) }
}

// An int beyond 2^53 comes as text; a double may be beyond what single precision holds. Neither is what the owner has sealed any more.
function numberFor(type: PreparedScores['features'][number]['type'], cell: Cell): number {
  if (typeof cell !== 'number') return NaN
  return type === 'float32' && !Number.isFinite(Math.fround(cell)) ? NaN : cell
}

/**
 * What leaves of scores: beside each the unit of its owner, or, where it is not said whose they are, sorted. A score that is no finite
 * number is none.
 * @throws ComputationError where there are not as many scores as rows, and what the controls refuse.
 */
export function releaseScores(prepared: PreparedScores, rows: RowsToScore, scores: RowScores): Released {
  const { unit, controls, unitCounts, scores: columns } = prepared
  const { table, complete } = rows
  if (scores.length !== complete.length * columns.length)
    throw new ComputationError(
      'RESULT_MALFORMED',
      `there are ${scores.length} scores for ${complete.length} rows`,
    )
  const cells = columns.map(() => Array<Cell>(table.rows).fill(null))
  complete.forEach((row, at) => {
    columns.forEach((_column, c) => {
      const score = scores[at * columns.length + c] ?? NaN
      const column = cells[c]
      if (column !== undefined && Number.isFinite(score)) column[row] = score
    })
  })
  const units = unitCounts.map(({ column, table: source, owner }) => {
    const index = table.columns.findIndex(({ name }) => name === column)
    return {
      table: source,
      owner,
      atLeast: (table.values[index] ?? []).map((cell) => (typeof cell === 'number' ? cell : 0)),
    }
  })
  const shown: ResultTable =
    unit === null
      ? { columns, rows: table.rows, values: sorted(cells) }
      : { columns: [unit, ...columns], rows: table.rows, values: [table.values[0] ?? [], ...cells] }
  // Sorted rows have lost their units, and no control that counts them stands there.
  return applyControls({ table: shown, units: unit === null ? null : units }, controls)
}

function sorted(columns: readonly (readonly Cell[])[]): readonly (readonly Cell[])[] {
  const order = (columns[0] ?? []).map((_cell, row) => row)
  const key = (row: number, c: number) => Number(columns[c]?.[row] ?? Infinity)
  order.sort((a, b) => {
    for (let c = 0; c < columns.length; c++) {
      const [x, y] = [key(a, c), key(b, c)]
      if (x !== y) return x < y ? -1 : 1
    }
    return 0
  })
  return columns.map((column) => order.map((row) => column[row] ?? null))
}
