/** Runs one generated SELECT on a shut database and turns its result into a table of plain values, within caps. */
import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampValue,
  DuckDBTypeId,
  StatementType,
  type DuckDBConnection,
  type DuckDBResult,
  type DuckDBValue,
} from '@duckdb/node-api'
import { dateText, dayNumber, microseconds, timestampText } from './calendar.js'
import { ChildFailure } from './failure.js'
import { parseText } from './parse-text.node.js'
import type { ColumnType, Parameter, Table, Value } from './tables.js'
import { isSafeTree } from './unsafe-query.js'

/** What bounds a query and its result. */
export interface QueryCaps {
  readonly maxRows: number
  readonly maxBytes: number
  readonly timeoutMilliseconds: number
}

const maximumTreeBytes = 16_000_000

/** Runs it. The timer interrupts the database from within; the parent's own timer kills the child where that is not enough. */
export async function runQuery(
  connection: DuckDBConnection,
  sql: string,
  parameters: Readonly<Record<string, Parameter>>,
  tables: readonly string[],
  caps: QueryCaps,
): Promise<Table> {
  const timer = setTimeout(() => {
    connection.interrupt()
  }, caps.timeoutMilliseconds)
  try {
    await refuseUnsafe(connection, sql, tables)
    const result = await startQuery(connection, sql, parameters)
    return await collect(result, caps)
  } finally {
    clearTimeout(timer)
  }
}

/** Refuses what is not one SELECT over these tables. @throws ChildFailure `QUERY_REFUSED`. */
export async function refuseUnsafe(
  connection: DuckDBConnection,
  sql: string,
  tables: readonly string[],
): Promise<void> {
  const tree = JSON.parse(await parseText(connection, sql, maximumTreeBytes)) as unknown
  if (!isSafeTree(tree, tables)) throw new ChildFailure('QUERY_REFUSED')
}

/** Starts one SELECT; its rows are fetched chunk by chunk. @throws ChildFailure `QUERY_REFUSED`, `REQUEST_INVALID`. */
export async function startQuery(
  connection: DuckDBConnection,
  sql: string,
  parameters: Readonly<Record<string, Parameter>>,
): Promise<DuckDBResult> {
  const statements = await connection.extractStatements(sql)
  if (statements.count !== 1) throw new ChildFailure('QUERY_REFUSED')
  const prepared = await statements.prepare(0)
  if (prepared.statementType !== StatementType.SELECT) throw new ChildFailure('QUERY_REFUSED')
  if (prepared.parameterCount !== Object.keys(parameters).length) throw new ChildFailure('REQUEST_INVALID')
  for (const [name, { type, value }] of Object.entries(parameters)) {
    const index = prepared.parameterIndex(name)
    if (value === null) prepared.bindNull(index)
    else if (type === 'int') prepared.bindBigInt(index, BigInt(value))
    else if (type === 'double') prepared.bindDouble(index, Number(value))
    else if (type === 'bool') prepared.bindBoolean(index, value === true)
    else if (type === 'date') prepared.bindDate(index, new DuckDBDateValue(dayNumber(String(value))))
    else if (type === 'timestamp')
      prepared.bindTimestamp(index, new DuckDBTimestampValue(microseconds(String(value))))
    else prepared.bindVarchar(index, String(value))
  }
  return prepared.stream()
}

async function collect(result: DuckDBResult, caps: QueryCaps): Promise<Table> {
  const types = result.columnTypes().map(({ typeId }) => columnTypeOf(typeId))
  const columns = result.columnNames().map((name, index) => ({ name, type: types[index] ?? 'string' }))
  const values: Value[][] = columns.map(() => [])
  let rows = 0
  let bytes = 0
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    rows += chunk.rowCount
    if (rows > caps.maxRows) throw new ChildFailure('RESULT_TOO_LARGE')
    for (const [index, column] of chunk.getColumns().entries())
      for (const item of column) {
        const value = plainValue(item)
        bytes += typeof value === 'string' ? value.length + 2 : 8
        values[index]?.push(value)
      }
    if (bytes > caps.maxBytes) throw new ChildFailure('RESULT_TOO_LARGE')
  }
  return { columns, rows, values }
}

const typeOf = new Map<DuckDBTypeId, ColumnType>([
  [DuckDBTypeId.VARCHAR, 'string'],
  [DuckDBTypeId.BOOLEAN, 'bool'],
  [DuckDBTypeId.DATE, 'date'],
  [DuckDBTypeId.TIMESTAMP, 'timestamp'],
  [DuckDBTypeId.FLOAT, 'double'],
  [DuckDBTypeId.DOUBLE, 'double'],
  [DuckDBTypeId.DECIMAL, 'double'],
  [DuckDBTypeId.SQLNULL, 'string'],
  ...[
    DuckDBTypeId.TINYINT,
    DuckDBTypeId.SMALLINT,
    DuckDBTypeId.INTEGER,
    DuckDBTypeId.BIGINT,
    DuckDBTypeId.HUGEINT,
  ].map((type) => [type, 'int'] as const),
  ...[DuckDBTypeId.UTINYINT, DuckDBTypeId.USMALLINT, DuckDBTypeId.UINTEGER, DuckDBTypeId.UBIGINT].map(
    (type) => [type, 'int'] as const,
  ),
])

function columnTypeOf(type: DuckDBTypeId): ColumnType {
  const found = typeOf.get(type)
  if (found === undefined) throw new ChildFailure('RESULT_TYPE_UNSUPPORTED')
  return found
}

/** JSON has no infinity and no NaN: both become missing, so that an overflow is no failure that someone could observe. */
export function plainValue(item: DuckDBValue): Value {
  if (item === null || typeof item === 'boolean' || typeof item === 'string') return item
  if (typeof item === 'number') return Number.isFinite(item) ? item : null
  if (typeof item === 'bigint') return plainInteger(item)
  if (item instanceof DuckDBDecimalValue) return item.toDouble()
  if (item instanceof DuckDBDateValue) return dateText(item.days)
  if (item instanceof DuckDBTimestampValue) return timestampText(item.micros)
  throw new ChildFailure('RESULT_TYPE_UNSUPPORTED')
}

function plainInteger(item: bigint): number | string {
  const near = item >= BigInt(Number.MIN_SAFE_INTEGER) && item <= BigInt(Number.MAX_SAFE_INTEGER)
  return near ? Number(item) : String(item)
}
