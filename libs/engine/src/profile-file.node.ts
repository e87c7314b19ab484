/** Profiles a data owner's file against the contract's schema, in one pass where it is clean. */
import { readSync } from 'node:fs'
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import { expectedForm, type ColumnExpressions } from './column-rules.js'
import { CsvScanner } from './csv-scanner.js'
import { ChildFailure, failureOf } from './failure.js'
import { fileFinding, maximumLineBytes, openFile, type FileSource } from './file-source.node.js'
import type {
  ColumnProfile,
  FileFormat,
  Finding,
  FindingRule,
  ProfileOptions,
  ProfileReport,
} from './profile-report.js'
import { readRow, readRows } from './read-rows.node.js'
import type { ColumnRules } from './tables.js'

/** Up to here distinct values are counted exactly. */
const rowsCountedExactly = 2_000_000

/** The whole report. */
export async function profileFile(
  connection: DuckDBConnection,
  fd: number,
  format: FileFormat,
  rules: ColumnRules,
  options: Required<ProfileOptions>,
): Promise<ProfileReport> {
  const opened = await openFile(connection, fd, format, rules, options)
  if (opened.source === undefined) return unreadReport(rules, opened.findings)
  const { source } = opened
  const counted = await countAll(connection, source)
  if (counted === undefined) return unreadReport(rules, await diagnose(source, options), source.ignored)
  if (counted.rows > options.maximumRows)
    return unreadReport(rules, [
      fileFinding('FILE_TOO_LARGE', `at most ${options.maximumRows} rows`, `${counted.rows} rows`),
    ])
  const rejected = source.format === 'csv' ? await rejectedRows(connection) : []
  const columns = await withDistinct(connection, source, counted)
  const values = await valueFindings(connection, source, columns, options)
  const broken = rejectFindings(rejected, options.maximumFindings)
  const lines =
    source.format === 'csv' ? findLines(source, values, rejected, counted.rows, options) : undefined
  const findings = [
    ...(counted.rows === 0 && rejected.length === 0 ? [fileFinding('NO_ROWS', 'at least one row')] : []),
    ...broken.map(({ record, ...finding }) => ({ ...finding, line: lines?.ofRecord.get(record) ?? null })),
    ...values.map((finding) => ({ ...finding, line: lines?.ofRow.get(finding.row ?? 0) ?? null })),
  ]
  const violations = columns.reduce((sum, column) => sum + violationCount(column, rules, options.unit), 0)
  return {
    rows: counted.rows,
    columns,
    ignored: source.ignored,
    unit: await unitProfile(connection, source, options.unit),
    findings,
    findingCount: violations + findings.length - values.length + rejected.length - broken.length,
  }
}

function unreadReport(
  rules: ColumnRules,
  findings: readonly Finding[],
  ignored: readonly string[] = [],
): ProfileReport {
  const absent = new Set(
    findings.filter(({ rule }) => rule === 'HEADER_COLUMN_MISSING').map(({ column }) => column),
  )
  const columns = Object.entries(rules).map(([name, { type }]) => ({
    ...{ name, type, present: !absent.has(name), missing: 0, misfits: 0, belowMinimum: 0, aboveMaximum: 0 },
    ...{ distinct: 0, distinctIsExact: false, minimum: null, maximum: null },
  }))
  return { rows: 0, columns, ignored, unit: null, findings, findingCount: findings.length }
}

interface Counted {
  readonly rows: number
  readonly columns: readonly ColumnProfile[]
}

const perColumn = 7

// One pass, in parallel and in bounded memory; undefined where the file's structure ends the reading.
async function countAll(connection: DuckDBConnection, source: FileSource): Promise<Counted | undefined> {
  await dropRejects(connection)
  const sums = source.columns.flatMap((column) => [
    `count(*) FILTER (${column.isMissing})`,
    `count(*) FILTER (${column.isMisfit})`,
    `count(*) FILTER (${column.isBelow})`,
    `count(*) FILTER (${column.isAbove})`,
    `approx_count_distinct(${column.typed})`,
    `min(${column.typed})::VARCHAR`,
    `max(${column.typed})::VARCHAR`,
  ])
  try {
    const row = await readRow(
      connection,
      `SELECT ${['count(*)', ...sums].join(', ')} FROM ${source.relation(true)}`,
    )
    return {
      rows: Number(row[0]),
      columns: source.columns.map((column, index) => columnProfile(column, row, index)),
    }
  } catch (thrown) {
    const failure = failureOf(thrown, 'INPUT_INVALID')
    if (failure.code !== 'INPUT_INVALID') throw failure
    return undefined
  }
}

function columnProfile(column: ColumnExpressions, row: readonly DuckDBValue[], index: number): ColumnProfile {
  const [missing, misfits, below, above, distinct, minimum, maximum] = row.slice(1 + index * perColumn)
  return {
    ...{
      name: column.name,
      type: column.rule.type,
      present: true,
      missing: Number(missing),
      misfits: Number(misfits),
    },
    ...{
      belowMinimum: Number(below),
      aboveMaximum: Number(above),
      distinct: Number(distinct),
      distinctIsExact: false,
    },
    ...{ minimum: shown(minimum), maximum: shown(maximum) },
  }
}

function shown(value: DuckDBValue | undefined): string | null {
  return typeof value === 'string' ? value.slice(0, 80) : null
}

async function withDistinct(
  connection: DuckDBConnection,
  source: FileSource,
  counted: Counted,
): Promise<readonly ColumnProfile[]> {
  if (counted.rows > rowsCountedExactly) return counted.columns
  await dropRejects(connection)
  const counts = source.columns.map(({ typed }) => `count(DISTINCT ${typed})`)
  const row = await readRow(connection, `SELECT ${['0', ...counts].join(', ')} FROM ${source.relation(true)}`)
  return counted.columns.map((column, index) => ({
    ...column,
    distinct: Number(row[index + 1]),
    distinctIsExact: true,
  }))
}

async function unitProfile(
  connection: DuckDBConnection,
  source: FileSource,
  unit: string | null,
): Promise<ProfileReport['unit']> {
  const column = source.columns.find(({ name }) => name === unit)
  if (column === undefined) return null
  await dropRejects(connection)
  const groups = `SELECT count(*) AS n FROM (SELECT ${column.typed} AS u FROM ${source.relation(true)}) WHERE u IS NOT NULL GROUP BY u`
  const [distinct, most] = await readRow(connection, `SELECT count(*), coalesce(max(n), 0) FROM (${groups})`)
  return { column: column.name, distinct: Number(distinct), maximumRowsPerUnit: Number(most) }
}

/** The rules that a column's values can break, with what is counted and what is asked. */
function columnRules(column: ColumnExpressions, profile: ColumnProfile, unit: string | null) {
  const isUnit = column.name === unit
  const missingIsWrong = isUnit || column.rule.nullable !== true
  const rules: { rule: FindingRule; condition: string; count: number; expected: string }[] = [
    {
      rule: isUnit ? 'UNIT_MISSING' : 'VALUE_MISSING',
      condition: column.isMissing,
      count: missingIsWrong ? profile.missing : 0,
      expected: isUnit ? 'a privacy unit in every row' : 'a value in every row; the column is not nullable',
    },
    {
      rule: 'TYPE',
      condition: column.isMisfit,
      count: profile.misfits,
      expected: expectedForm[column.rule.type],
    },
    {
      rule: 'BELOW_MINIMUM',
      condition: column.isBelow,
      count: profile.belowMinimum,
      expected: `at least ${column.rule.min ?? ''}`,
    },
    {
      rule: 'ABOVE_MAXIMUM',
      condition: column.isAbove,
      count: profile.aboveMaximum,
      expected: `at most ${column.rule.max ?? ''}`,
    },
  ]
  return rules.filter(({ count }) => count > 0)
}

function violationCount(profile: ColumnProfile, rules: ColumnRules, unit: string | null): number {
  const missingIsWrong = profile.name === unit || rules[profile.name]?.nullable !== true
  return (
    (missingIsWrong ? profile.missing : 0) + profile.misfits + profile.belowMinimum + profile.aboveMaximum
  )
}

// A second pass, with row numbers and so on one thread, only where the first found something.
async function valueFindings(
  connection: DuckDBConnection,
  source: FileSource,
  profiles: readonly ColumnProfile[],
  options: Required<ProfileOptions>,
): Promise<Finding[]> {
  const broken = source.columns.flatMap((column, index) => {
    const profile = profiles[index]
    return profile === undefined
      ? []
      : columnRules(column, profile, options.unit).map((rule) => ({ ...rule, column }))
  })
  if (broken.length === 0 || options.maximumFindings === 0) return []
  await dropRejects(connection)
  const lists = broken.flatMap(({ condition, column }) => [
    `min(__row, ${options.maximumFindings}) FILTER (${condition})`,
    `arg_min(coalesce(left((${column.raw})::VARCHAR, 80), ''), __row, ${options.maximumFindings}) FILTER (${condition})`,
  ])
  const numbered = `(SELECT *, ${source.rowNumber} AS __row FROM ${source.relation(true)})`
  const row =
    (await connection.runAndReadAll(`SELECT ${lists.join(', ')} FROM ${numbered}`)).getRowsJson()[0] ?? []
  return broken.flatMap(({ rule, column, expected }, index) => {
    const rows = row[2 * index] as readonly string[] | null
    const seen = row[2 * index + 1] as readonly string[] | null
    return (rows ?? []).map((number, position) => ({
      ...{ rule, column: column.name, row: Number(number), line: null },
      ...{
        seen: rule === 'VALUE_MISSING' || rule === 'UNIT_MISSING' ? null : (seen?.[position] ?? null),
        expected,
      },
    }))
  })
}

interface RejectedRow {
  /** Number of the record, from 1, header and blank lines counted; what the database calls its line. */
  readonly record: number
  readonly kind: string
  readonly text: string
}

async function dropRejects(connection: DuckDBConnection): Promise<void> {
  await connection.run('DROP TABLE IF EXISTS reject_errors')
  await connection.run('DROP TABLE IF EXISTS reject_scans')
}

async function rejectedRows(connection: DuckDBConnection): Promise<RejectedRow[]> {
  const rows = await readRows(
    connection,
    `SELECT line, any_value(error_type::VARCHAR), any_value(left(csv_line, 80)) FROM reject_errors GROUP BY line ORDER BY line`,
  )
  return rows.map(([record, kind, text]) => ({
    record: Number(record),
    kind: String(kind),
    text: shown(text) ?? '',
  }))
}

function rejectFindings(rejected: readonly RejectedRow[], maximum: number): (Finding & { record: number })[] {
  return rejected.slice(0, maximum).map(({ record, kind, text }) => {
    const [rule, expected] = rejectRule(kind)
    return { ...fileFinding(rule, expected, text), record }
  })
}

function rejectRule(kind: string): readonly [FindingRule, string] {
  if (kind === 'MISSING COLUMNS' || kind === 'TOO MANY COLUMNS')
    return ['ROW_RAGGED', 'as many fields as the header has']
  if (kind === 'UNQUOTED VALUE') return ['QUOTE_INVALID', 'quotes that are closed, and nothing after them']
  if (kind === 'INVALID ENCODING') return ['ENCODING_INVALID', 'UTF-8']
  if (kind === 'LINE SIZE OVER MAXIMUM')
    return ['LINE_TOO_LONG', `lines of at most ${maximumLineBytes} bytes`]
  return ['FILE_UNREADABLE', 'a row of comma-separated values (RFC 4180)']
}

interface Lines {
  readonly ofRecord: ReadonlyMap<number, number>
  readonly ofRow: ReadonlyMap<number, number>
}

// The database counts rows, people look for lines; where our count of rows differs from the database's, no line is named.
function findLines(
  source: FileSource,
  findings: readonly Finding[],
  rejected: readonly RejectedRow[],
  rows: number,
  options: Required<ProfileOptions>,
): Lines | undefined {
  if (findings.length === 0 && rejected.length === 0) return undefined
  const wanted = new Set(findings.map((finding) => finding.row))
  const skipped = new Set(rejected.map(({ record }) => record))
  const ofRecord = new Map<number, number>()
  const ofRow = new Map<number, number>()
  let record = 0
  let row = -1
  scan(source.fd, options.delimiter, ({ line, blank }) => {
    record++
    if (skipped.has(record)) ofRecord.set(record, line)
    else if (!blank || source.width === 1) {
      row++
      if (wanted.has(row)) ofRow.set(row, line)
    }
  })
  return row === rows ? { ofRecord, ofRow } : undefined
}

function scan(
  fd: number,
  delimiter: string,
  onRecord: ConstructorParameters<typeof CsvScanner>[1],
): CsvScanner {
  const scanner = new CsvScanner(delimiter, onRecord)
  const buffer = Buffer.alloc(1 << 20)
  let position = 0
  for (
    let read = readSync(fd, buffer, 0, buffer.length, 0);
    read > 0;
    read = readSync(fd, buffer, 0, buffer.length, position)
  ) {
    position += read
    scanner.push(buffer.subarray(0, read))
  }
  scanner.finish()
  return scanner
}

// Where the database gives up on the whole file, says on which lines it is broken.
async function diagnose(source: FileSource, options: Required<ProfileOptions>): Promise<Finding[]> {
  if (source.format === 'parquet')
    return [fileFinding('FILE_UNREADABLE', 'a Parquet file that can be read to its end')]
  const findings: Finding[] = []
  const add = (rule: FindingRule, line: number, expected: string): void => {
    if (findings.length < options.maximumFindings) findings.push({ ...fileFinding(rule, expected), line })
  }
  const scanner = scan(source.fd, options.delimiter, (record) => {
    if (record.lengthBytes > maximumLineBytes)
      add('LINE_TOO_LONG', record.line, `lines of at most ${maximumLineBytes} bytes`)
    else if (record.quoteBroken)
      add('QUOTE_INVALID', record.line, 'quotes that are closed, and nothing after them')
    else if (!record.blank && record.fields !== source.width)
      add('ROW_RAGGED', record.line, `${source.width} fields, as the header has; ${record.fields} are there`)
  })
  const { lf, crlf, cr } = scanner.lineEnds
  if ([lf, crlf, cr].filter((count) => count > 0).length > 1)
    findings.unshift(
      fileFinding('LINE_ENDS_MIXED', 'one kind of line end throughout', `${lf} LF, ${crlf} CRLF, ${cr} CR`),
    )
  if (findings.length === 0)
    findings.push(fileFinding('FILE_UNREADABLE', 'comma-separated values (RFC 4180) in UTF-8'))
  return Promise.resolve(findings)
}

/** Refuses to go on with a file that has findings about its structure. */
export function requireSource(source: FileSource | undefined): FileSource {
  if (source === undefined) throw new ChildFailure('SCHEMA_MISMATCH')
  return source
}
