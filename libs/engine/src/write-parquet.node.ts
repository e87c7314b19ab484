/** Writes typed Parquet: a data owner's file in column groups, or a result table. */
import { ftruncateSync } from 'node:fs'
import {
  DuckDBDataChunk,
  DuckDBDateValue,
  DuckDBTimestampValue,
  BIGINT,
  BOOLEAN,
  DATE,
  DOUBLE,
  TIMESTAMP,
  VARCHAR,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { ColumnExpressions } from './column-rules.js'
import { ChildFailure } from './failure.js'
import { openFile } from './file-source.node.js'
import { databaseTypes } from './messages.js'
import type { FileFormat, ProfileOptions } from './profile-report.js'
import { requireSource } from './profile-file.node.js'
import { dayNumber, microseconds } from './calendar.js'
import { descriptorPath, identifier, literal } from './sql-text.js'
import type { ColumnRules, ColumnType, Table, Value } from './tables.js'

// No temporary file beside the target: a descriptor has no folder.
const parquet = 'FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, USE_TMP_FILE false'

/** A column group and where it goes. */
export interface OutputGroup {
  readonly columns: readonly string[]
  readonly fd: number
}

/**
 * Writes each group, all in the file's own order of rows, so that they join by position. A value that breaks its rule ends it:
 * nothing is rounded, cut or dropped. Answers the number of rows.
 */
export async function convertFile(
  connection: DuckDBConnection,
  fd: number,
  format: FileFormat,
  rules: ColumnRules,
  options: Required<ProfileOptions>,
  groups: readonly OutputGroup[],
  onProgress: (percent: number) => void,
): Promise<number> {
  const source = requireSource((await openFile(connection, fd, format, rules, options)).source)
  const counts: number[] = []
  for (const [index, group] of groups.entries()) {
    const columns = group.columns.map((name) => {
      const column = source.columns.find((candidate) => candidate.name === name)
      if (column === undefined) throw new ChildFailure('REQUEST_INVALID', { column: name })
      return `${strict(column, column.name === options.unit)} AS ${identifier(name)}`
    })
    const timer = setInterval(() => {
      const done = Math.max(0, connection.progress.percentage)
      onProgress(Math.floor((100 * index + Math.min(done, 100)) / groups.length))
    }, 100)
    try {
      ftruncateSync(group.fd, 0)
      const query = `SELECT ${columns.join(', ')} FROM ${source.relation(false)}`
      const written = await connection.run(`COPY (${query}) TO ${descriptorPath(group.fd)} (${parquet})`)
      counts.push(written.rowsChanged)
    } finally {
      clearInterval(timer)
    }
  }
  if (new Set(counts).size > 1) throw new ChildFailure('INPUT_INVALID')
  onProgress(100)
  return counts[0] ?? 0
}

function strict(column: ColumnExpressions, isUnit: boolean): string {
  const missingIsWrong = isUnit || column.rule.nullable !== true
  const bad = [column.isMisfit, column.isBelow, column.isAbove, ...(missingIsWrong ? [column.isMissing] : [])]
  const wrong = bad.map((condition) => `coalesce(${condition}, false)`).join(' OR ')
  return `CASE WHEN ${wrong} THEN error(${literal('rule')}) ELSE ${column.typed} END`
}

const types: Record<ColumnType, DuckDBType> = {
  ...{ string: VARCHAR, int: BIGINT, double: DOUBLE, bool: BOOLEAN, date: DATE, timestamp: TIMESTAMP },
}

const rowsPerChunk = 2048

/** Writes a table of plain values. */
export async function writeTable(connection: DuckDBConnection, table: Table, fd: number): Promise<void> {
  const columns = table.columns.map(({ name, type }) => `${identifier(name)} ${databaseTypes[type]}`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE written (${columns.join(', ')})`)
  const appender = await connection.createAppender('written')
  for (let from = 0; from < table.rows; from += rowsPerChunk) {
    const rows = Math.min(rowsPerChunk, table.rows - from)
    const chunk = DuckDBDataChunk.create(
      table.columns.map(({ type }) => types[type]),
      rows,
    )
    chunk.setColumns(
      table.columns.map(({ type }, index) =>
        (table.values[index] ?? []).slice(from, from + rows).map((value) => databaseValue(type, value)),
      ),
    )
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
  ftruncateSync(fd, 0)
  await connection.run(`COPY written TO ${descriptorPath(fd)} (${parquet})`)
  await connection.run('DROP TABLE written')
}

function databaseValue(type: ColumnType, value: Value): DuckDBValue {
  if (value === null) return null
  if (type === 'int') return BigInt(value)
  if (type === 'double') return Number(value)
  if (type === 'date') return new DuckDBDateValue(dayNumber(String(value)))
  if (type === 'timestamp') return new DuckDBTimestampValue(microseconds(String(value)))
  return type === 'bool' ? value === true : String(value)
}
