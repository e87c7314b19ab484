/**
 * Loads sealed Parquet segments into tables and checks them against the contract's schema.
 * Guards: a column of another name or type, a missing value where none may be, a value out of bounds, a row without a unit,
 * segments of different length. Says which table, owner and column, never which value.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { ChildFailure, failureOf } from './failure.js'
import { databaseTypes, type ChildSegment, type ChildTable } from './messages.js'
import { readRow, readRows } from './read-rows.node.js'
import { descriptorPath, identifier, literal } from './sql-text.js'
import { ownerColumn, type ColumnRule } from './tables.js'

/** Segments joined by position are scanned in this many ranges, one per thread. */
const rowsWorthSplitting = 200_000

interface LoadedSegment {
  readonly table: string
  readonly columns: readonly string[]
  readonly rows: number
}

/** Loads all tables; after it each is a view in `main` and its rows stand in the schema `sealed`. */
export async function loadTables(
  connection: DuckDBConnection,
  tables: readonly ChildTable[],
  threads: number,
): Promise<void> {
  await connection.run('CREATE SCHEMA sealed')
  for (const [index, table] of tables.entries()) await loadTable(connection, table, index, threads)
}

async function loadTable(
  connection: DuckDBConnection,
  table: ChildTable,
  index: number,
  threads: number,
): Promise<void> {
  const parts: string[] = []
  for (const [number, part] of table.parts.entries()) {
    const place = { table: table.name, owner: part.owner }
    const segments: LoadedSegment[] = []
    for (const [position, segment] of part.segments.entries()) {
      const wanted = segment.columns.filter((column) => Object.hasOwn(table.columns, column))
      if (wanted.length === 0) continue
      const name = `sealed.${identifier(`t${index}_p${number}_s${position}`)}`
      segments.push(await loadSegment(connection, table, place, segment, wanted, name))
    }
    requireAll(table, place, segments)
    parts.push(...partQueries(table, part.owner, segments, threads))
  }
  await connection.run(`CREATE VIEW ${identifier(table.name)} AS ${parts.join(' UNION ALL ')}`)
}

async function loadSegment(
  connection: DuckDBConnection,
  table: ChildTable,
  place: { table: string; owner: string },
  segment: ChildSegment,
  wanted: readonly string[],
  name: string,
): Promise<LoadedSegment> {
  const path = descriptorPath(segment.fd)
  try {
    await checkParquetSchema(connection, table, place, segment, path)
    const list = wanted.map(identifier).join(', ')
    await connection.run(
      `CREATE TABLE ${name} AS SELECT ${list} FROM read_parquet(${path}, hive_partitioning = false)`,
    )
  } catch (thrown) {
    const failure = failureOf(thrown, 'INPUT_INVALID')
    throw new ChildFailure(failure.code, { ...place, ...failure.place })
  }
  const rows = await checkValues(connection, table, place, wanted, name)
  return { table: name, columns: wanted, rows }
}

// Names, order and types exactly as agreed: a sealed file is made by our own converter, so anything else is a sign of foul play.
async function checkParquetSchema(
  connection: DuckDBConnection,
  table: ChildTable,
  place: { table: string; owner: string },
  segment: ChildSegment,
  path: string,
): Promise<void> {
  const nodes = await readRows(
    connection,
    `SELECT name, duckdb_type, repetition_type, num_children FROM parquet_schema(${path}) ORDER BY column_id`,
  )
  const [root, ...columns] = nodes
  if (root === undefined || columns.length !== segment.columns.length || Number(root[3]) !== columns.length)
    throw new ChildFailure('SCHEMA_MISMATCH', place)
  for (const [index, [name, type, repetition]] of columns.entries()) {
    const column = segment.columns[index]
    const rule = column === undefined ? undefined : table.columns[column]
    if (name !== column || repetition === 'REPEATED')
      throw new ChildFailure('SCHEMA_MISMATCH', { ...place, column })
    if (rule !== undefined && type !== databaseTypes[rule.type])
      throw new ChildFailure('SCHEMA_MISMATCH', { ...place, column })
  }
}

async function checkValues(
  connection: DuckDBConnection,
  table: ChildTable,
  place: { table: string; owner: string },
  columns: readonly string[],
  name: string,
): Promise<number> {
  const checks = columns.flatMap((column) => {
    const rule = table.columns[column]
    return rule === undefined ? [] : columnChecks(column, rule, column === table.unit)
  })
  const sums = checks.map(({ bad }) => bad)
  const [rows, ...counts] = await readRow(
    connection,
    `SELECT ${['count(*)', ...sums].join(', ')} FROM ${name}`,
  )
  const failed = checks.find((_, index) => counts[index] !== 0n)
  if (failed !== undefined) throw new ChildFailure(failed.code, { ...place, column: failed.column })
  return Number(rows)
}

interface ValueCheck {
  readonly column: string
  readonly code: 'UNIT_MISSING' | 'VALUE_MISSING' | 'BOUNDS_VIOLATED'
  /** Counts the rows that break the rule. */
  readonly bad: string
}

function columnChecks(column: string, rule: ColumnRule, isUnit: boolean): ValueCheck[] {
  const name = identifier(column)
  const checks: ValueCheck[] = []
  if (isUnit) checks.push({ column, code: 'UNIT_MISSING', bad: `count(*) - count(${name})` })
  else if (rule.nullable !== true)
    checks.push({ column, code: 'VALUE_MISSING', bad: `count(*) - count(${name})` })
  const outside = outOfBounds(name, rule)
  if (outside !== undefined)
    checks.push({ column, code: 'BOUNDS_VIOLATED', bad: `count(*) FILTER (${outside})` })
  return checks
}

/** The condition under which a value breaks its bounds, or is not finite; none where every value is good. */
export function outOfBounds(name: string, rule: ColumnRule): string | undefined {
  const type = databaseTypes[rule.type]
  const finite = rule.type === 'double' || rule.type === 'date' || rule.type === 'timestamp'
  const conditions = [
    ...(finite ? [`NOT isfinite(${name})`] : []),
    ...(rule.min === undefined ? [] : [`${name} < ${literal(String(rule.min))}::${type}`]),
    ...(rule.max === undefined ? [] : [`${name} > ${literal(String(rule.max))}::${type}`]),
  ]
  return conditions.length === 0 ? undefined : conditions.join(' OR ')
}

function requireAll(
  table: ChildTable,
  place: { table: string; owner: string },
  segments: readonly LoadedSegment[],
): void {
  for (const column of Object.keys(table.columns)) {
    const holders = segments.filter((segment) => segment.columns.includes(column))
    if (holders.length !== 1) throw new ChildFailure('SCHEMA_MISMATCH', { ...place, column })
  }
  if (new Set(segments.map(({ rows }) => rows)).size !== 1) throw new ChildFailure('SCHEMA_MISMATCH', place)
}

// A positional join runs on one thread, so a long one is cut into ranges of rows that run beside each other.
function partQueries(
  table: ChildTable,
  owner: string,
  segments: readonly LoadedSegment[],
  threads: number,
): string[] {
  const columns = [
    ...Object.keys(table.columns).map(identifier),
    `${literal(owner)} AS ${identifier(ownerColumn)}`,
  ]
  const [first] = segments
  if (first === undefined) return []
  if (segments.length === 1) return [`SELECT ${columns.join(', ')} FROM ${first.table}`]
  const ranges = first.rows < rowsWorthSplitting ? 1 : threads
  return Array.from({ length: ranges }, (_, index) => {
    const from = Math.floor((first.rows * index) / ranges)
    const until = Math.floor((first.rows * (index + 1)) / ranges)
    const sources = segments.map(
      (segment) =>
        `(SELECT ${segment.columns.map(identifier).join(', ')} FROM ${segment.table}` +
        `${ranges === 1 ? '' : ` WHERE rowid >= ${from} AND rowid < ${until}`})`,
    )
    return `SELECT ${columns.join(', ')} FROM ${sources.join(' POSITIONAL JOIN ')}`
  })
}
