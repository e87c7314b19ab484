/** A data owner's file as a relation: its columns, what is wrong with its structure, and SQL that reads it. */
import { fstatSync, readSync } from 'node:fs'
import type { DuckDBConnection } from '@duckdb/node-api'
import { isWidened, textExpressions, typedExpressions, type ColumnExpressions } from './column-rules.js'
import { firstRecord } from './csv-scanner.js'
import type { FileFormat, Finding, FindingRule, ProfileOptions } from './profile-report.js'
import { readRows } from './read-rows.node.js'
import { descriptorPath, literal } from './sql-text.js'
import type { ColumnRules } from './tables.js'

/** Lines longer than this are not data. */
export const maximumLineBytes = 1_048_576

/** A file that can be read. */
export interface FileSource {
  readonly format: FileFormat
  readonly fd: number
  /** Number of columns in the file. */
  readonly width: number
  /** SQL relation; with `rejects` rows that cannot be read are set aside instead of ending the query. */
  readonly relation: (rejects: boolean) => string
  /** An expression for the number of the row, from 1. */
  readonly rowNumber: string
  readonly columns: readonly ColumnExpressions[]
  readonly ignored: readonly string[]
}

/** A file as found: findings where it does not have the columns agreed. */
export interface OpenedFile {
  readonly source: FileSource | undefined
  readonly findings: readonly Finding[]
}

/** A finding about the file as a whole. */
export function fileFinding(
  rule: FindingRule,
  expected: string,
  seen: string | null = null,
  column: string | null = null,
): Finding {
  return { rule, column, row: null, line: null, seen, expected }
}

/** Opens a file and compares its columns with the contract's. */
export async function openFile(
  connection: DuckDBConnection,
  fd: number,
  format: FileFormat,
  rules: ColumnRules,
  options: Required<ProfileOptions>,
): Promise<OpenedFile> {
  const size = fstatSync(fd).size
  if (size === 0)
    return { source: undefined, findings: [fileFinding('FILE_EMPTY', 'a file with data', '0 bytes')] }
  return format === 'csv' ? openCsv(fd, size, rules, options) : openParquet(connection, fd, rules)
}

function openCsv(
  fd: number,
  size: number,
  rules: ColumnRules,
  options: Required<ProfileOptions>,
): OpenedFile {
  const head = Buffer.alloc(Math.min(size, maximumLineBytes))
  const length = readSync(fd, head, 0, head.length, 0)
  const header = readHeader(head.subarray(0, length), options.delimiter, length === size)
  if (!Array.isArray(header)) return { source: undefined, findings: [header] }
  const findings = headerFindings(header, rules)
  const names = header.map((_, index) => `c${index}`)
  const columns = `{${names.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ')}}`
  const settings =
    `auto_detect = false, header = true, delim = ${literal(options.delimiter)}, quote = '"', escape = '"', ` +
    `nullstr = '', strict_mode = true, null_padding = false, max_line_size = ${maximumLineBytes}, columns = ${columns}`
  const source: FileSource = {
    format: 'csv',
    fd,
    width: header.length,
    relation: (rejects) =>
      `read_csv(${descriptorPath(fd)}, ${settings}${rejects ? ', store_rejects = true, rejects_limit = 10000' : ''})`,
    rowNumber: 'row_number() OVER ()',
    columns: Object.entries(rules).map(([name, rule]) =>
      textExpressions(name, rule, `c${header.indexOf(name)}`),
    ),
    ignored: header.filter((name) => !Object.hasOwn(rules, name)),
  }
  return { source: findings.length === 0 ? source : undefined, findings }
}

function readHeader(head: Uint8Array, delimiter: string, isWholeFile: boolean): string[] | Finding {
  const utf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)
  if (utf16) return fileFinding('ENCODING_INVALID', 'UTF-8', 'UTF-16')
  // Not fatal here: the piece may end within a character, and rows are checked where they are read.
  const text = new TextDecoder('utf-8').decode(head)
  const header = firstRecord(text, delimiter, isWholeFile)
  if (header === undefined)
    return fileFinding(
      'LINE_TOO_LONG',
      `a header of at most ${maximumLineBytes} bytes whose quotes are closed`,
    )
  const bad = header.find((name) => name.includes('\ufffd'))
  return bad === undefined ? header : fileFinding('ENCODING_INVALID', 'a header in UTF-8', bad.slice(0, 80))
}

function headerFindings(header: readonly string[], rules: ColumnRules): Finding[] {
  const seen = header.join(', ').slice(0, 80)
  return Object.keys(rules).flatMap((name) => {
    const count = header.filter((column) => column === name).length
    if (count === 1) return []
    const rule = count === 0 ? 'HEADER_COLUMN_MISSING' : 'HEADER_COLUMN_REPEATED'
    return [fileFinding(rule, `exactly one column named ${name}`, seen, name)]
  })
}

async function openParquet(
  connection: DuckDBConnection,
  fd: number,
  rules: ColumnRules,
): Promise<OpenedFile> {
  const relation = `read_parquet(${descriptorPath(fd)}, hive_partitioning = false, file_row_number = true)`
  let described: (readonly [string, string])[]
  try {
    const rows = await readRows(connection, `DESCRIBE SELECT * EXCLUDE (file_row_number) FROM ${relation}`)
    described = rows.map(([name, type]) => [String(name), String(type)] as const)
  } catch {
    return {
      source: undefined,
      findings: [fileFinding('FILE_UNREADABLE', 'a Parquet file without encryption')],
    }
  }
  const findings = parquetFindings(described, rules)
  const source: FileSource = {
    format: 'parquet',
    fd,
    width: described.length,
    relation: () => relation,
    rowNumber: 'file_row_number + 1',
    columns: Object.entries(rules).map(([name, rule]) => typedExpressions(name, rule)),
    ignored: described.map(([name]) => name).filter((name) => !Object.hasOwn(rules, name)),
  }
  return { source: findings.length === 0 ? source : undefined, findings }
}

function parquetFindings(described: readonly (readonly [string, string])[], rules: ColumnRules): Finding[] {
  const missing = headerFindings(
    described.map(([name]) => name),
    rules,
  )
  const misfits = described.flatMap(([name, type]) => {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (rule === undefined || isWidened(rule.type, type)) return []
    return [fileFinding('TYPE', `a column of type ${rule.type}`, `a column of type ${type}`, name)]
  })
  return [...missing, ...misfits]
}
