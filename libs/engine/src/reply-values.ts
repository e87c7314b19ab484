/** Reads what the child answers. A child may have been taken over by its input, so nothing in its answers is taken on trust. */
import { isDate, isTimestamp } from './calendar.js'
import { findingRules, type Finding, type ProfileReport } from './profile-report.js'
import { columnTypes, type ColumnType, type Table, type Value } from './tables.js'

/** Thrown where an answer does not have the shape that was asked for. The parent turns it into `CHILD_DIED`. */
export class AnswerFault extends Error {}

/**
 * A table within caps.
 * @throws AnswerFault
 */
export function readTable(value: unknown, maximumRows: number): Table {
  const { columns, rows, values } = record(value)
  const table = {
    columns: list(columns).map((column) => {
      const { name, type } = record(column)
      return { name: text(name), type: columnType(type) }
    }),
    rows: count(rows),
    values: list(values).map((column) => list(column)) as Value[][],
  }
  if (table.rows > maximumRows || table.values.length !== table.columns.length) throw new AnswerFault('table')
  for (const [index, { type }] of table.columns.entries()) {
    const column = table.values[index] ?? []
    if (column.length !== table.rows || !column.every((item) => fits(type, item)))
      throw new AnswerFault('column')
  }
  return table
}

const integerText = /^-?[1-9]\d{0,38}$/

/** Whether a value has the spelling of its type. */
export function fits(type: ColumnType, value: unknown): value is Value {
  if (value === null) return true
  if (type === 'bool') return typeof value === 'boolean'
  if (type === 'int')
    return typeof value === 'number'
      ? Number.isSafeInteger(value)
      : typeof value === 'string' && integerText.test(value)
  if (type === 'double') return typeof value === 'number' && Number.isFinite(value)
  if (typeof value !== 'string') return false
  if (type === 'date') return isDate(value)
  return type === 'timestamp' ? isTimestamp(value) : true
}

/**
 * A profile.
 * @throws AnswerFault
 */
export function readProfile(value: unknown): ProfileReport {
  const { rows, columns, ignored, unit, findings, findingCount } = record(value)
  return {
    rows: count(rows),
    columns: list(columns).map((column) => {
      const each = record(column)
      return {
        ...{ name: text(each['name']), type: columnType(each['type']), present: each['present'] === true },
        ...{
          missing: count(each['missing']),
          misfits: count(each['misfits']),
          distinct: count(each['distinct']),
        },
        ...{ belowMinimum: count(each['belowMinimum']), aboveMaximum: count(each['aboveMaximum']) },
        ...{ distinctIsExact: each['distinctIsExact'] === true },
        ...{ minimum: optionalText(each['minimum']), maximum: optionalText(each['maximum']) },
      }
    }),
    ignored: list(ignored).map(text),
    unit: unit === null ? null : readUnit(record(unit)),
    findings: list(findings).map(readFinding),
    findingCount: count(findingCount),
  }
}

function readUnit({ column, distinct, maximumRowsPerUnit }: Fields): ProfileReport['unit'] {
  return { column: text(column), distinct: count(distinct), maximumRowsPerUnit: count(maximumRowsPerUnit) }
}

function readFinding(value: unknown): Finding {
  const { rule, column, row, line, seen, expected } = record(value)
  const known = findingRules.find((candidate) => candidate === rule)
  if (known === undefined) throw new AnswerFault('rule')
  return {
    ...{ rule: known, column: optionalText(column), row: row === null ? null : count(row) },
    ...{ line: line === null ? null : count(line), seen: optionalText(seen), expected: text(expected) },
  }
}

type Fields = Readonly<Record<string, unknown>>

function record(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new AnswerFault('object')
  return value as Fields
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new AnswerFault('list')
  return value as unknown[]
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new AnswerFault('text')
  return value
}

function optionalText(value: unknown): string | null {
  return value === null ? null : text(value)
}

/**
 * A whole number from 0.
 * @throws AnswerFault
 */
export function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new AnswerFault('count')
  return value
}

function columnType(value: unknown): ColumnType {
  const found = columnTypes.find((type) => type === value)
  if (found === undefined) throw new AnswerFault('type')
  return found
}

/** Reads the answer of what only confirms. */
export function nothing(value: unknown): void {
  if (value !== null) throw new AnswerFault('more than a confirmation')
}
