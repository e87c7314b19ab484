/** Reads the rows of a generated SELECT into blocks of numbers and trains on them. What leaves is the training's report. */
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import {
  appendBatch,
  emptyPart,
  train,
  untrained,
  workAlone,
  type TrainingPlan,
  type TrainingReport,
} from '#libs/training'
import { ChildFailure } from './failure.js'
import { readRow } from './read-rows.node.js'
import { refuseUnsafe, startQuery } from './run-query.node.js'

/** A training as the parent asks for it. */
export interface Training {
  readonly rowsSql: string
  readonly repeatedSql: string
  readonly plan: TrainingPlan
  readonly maxRows: number
  readonly timeoutMilliseconds: number
}

/** Trains. The timer interrupts the database; the parent's own ends a fit that takes too long. */
export async function trainModel(
  connection: DuckDBConnection,
  tables: readonly string[],
  training: Training,
): Promise<TrainingReport> {
  const timer = setTimeout(() => {
    connection.interrupt()
  }, training.timeoutMilliseconds)
  try {
    for (const sql of [training.repeatedSql, training.rowsSql]) await refuseUnsafe(connection, sql, tables)
    // A unit with several rows would count as several people, and could stand in both parts.
    const [repeated] = await readRow(connection, training.repeatedSql)
    if (repeated !== 0n) return untrained('repeatedUnits')
    const { plan } = training
    return train(plan, await readParts(connection, training), workAlone(plan.columns.length))
  } finally {
    clearTimeout(timer)
  }
}

async function readParts(connection: DuckDBConnection, { rowsSql, plan, maxRows }: Training) {
  const width = plan.columns.length
  const parts = { train: emptyPart(width), test: emptyPart(width) }
  const result = await startQuery(connection, rowsSql, {})
  // After the plan's columns: the target, the part, the classes of units.
  if (result.columnCount !== width + 3) throw new ChildFailure('REQUEST_INVALID')
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    appendBatch(parts, {
      rows: chunk.rowCount,
      columns: plan.columns.map((_column, i) => numbersOf(chunk, i)),
      target: numbersOf(chunk, width),
      part: numbersOf(chunk, width + 1),
      classes: numbersOf(chunk, width + 2),
    })
    if (parts.train.rows + parts.test.rows > maxRows) throw new ChildFailure('RESULT_TOO_LARGE')
  }
  return parts
}

/** The values of a column as the database holds them: one array, without a copy. */
function numbersOf(chunk: DuckDBDataChunk, index: number): Float32Array | Int32Array {
  const vector: unknown = chunk.getColumnVector(index)
  const items = typeof vector === 'object' && vector !== null && 'items' in vector ? vector.items : undefined
  if (items instanceof Float32Array || items instanceof Int32Array) return items
  throw new ChildFailure('REQUEST_INVALID')
}
