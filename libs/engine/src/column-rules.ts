/** A contract's rule for a column, as expressions over what the file holds. */
import { databaseTypes } from './messages.js'
import { identifier, literal } from './sql-text.js'
import type { ColumnRule, ColumnType } from './tables.js'

/** Expressions over one column of the file. */
export interface ColumnExpressions {
  readonly name: string
  readonly rule: ColumnRule
  /** What stands in the file. */
  readonly raw: string
  /** The typed value; NULL where it is missing or does not fit. */
  readonly typed: string
  readonly isMissing: string
  readonly isMisfit: string
  readonly isBelow: string
  readonly isAbove: string
}

// Stricter than the database's casts, which round '1.5' to 2 and take 'yes' for true.
const patterns = {
  int: '[+-]?[0-9]{1,19}',
  double: '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?',
  bool: '(?i:true|false|0|1)',
  date: '[0-9]{4}-[0-9]{2}-[0-9]{2}',
  timestamp: '[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?Z?',
} as const

/** What a value of each type looks like, for people. */
export const expectedForm = {
  string: 'text',
  int: 'a whole number of 64 bits',
  double: 'a number with a point as decimal sign',
  bool: 'true or false',
  date: 'a date like 2025-01-31',
  timestamp: 'a time like 2025-01-31 13:45:00',
} as const satisfies Record<ColumnType, string>

/** Which types of a Parquet file can become which type of a contract without losing anything. */
const widened: Record<ColumnType, readonly RegExp[]> = {
  string: [/^VARCHAR$/, /^ENUM/],
  int: [/^U?(TINYINT|SMALLINT|INTEGER|BIGINT)$/],
  double: [/^(FLOAT|DOUBLE)$/, /^DECIMAL/, /^U?(TINYINT|SMALLINT|INTEGER)$/],
  bool: [/^BOOLEAN$/],
  date: [/^DATE$/],
  timestamp: [/^TIMESTAMP(_S|_MS|_NS)?$/],
}

/** Whether a Parquet column of this database type can hold the contract's type. */
export function isWidened(type: ColumnType, databaseType: string): boolean {
  return widened[type].some((pattern) => pattern.test(databaseType))
}

/** Expressions over a text column of a CSV file. */
export function textExpressions(name: string, rule: ColumnRule, source: string): ColumnExpressions {
  const raw = identifier(source)
  return expressions(name, rule, raw, rule.type === 'string' ? raw : typedText(raw, rule.type))
}

/** Expressions over a typed column of a Parquet file. */
export function typedExpressions(name: string, rule: ColumnRule): ColumnExpressions {
  const raw = identifier(name)
  const cast = `TRY_CAST(${raw} AS ${databaseTypes[rule.type]})`
  return expressions(name, rule, raw, rule.type === 'string' ? cast : finite(cast, rule.type))
}

function typedText(raw: string, type: Exclude<ColumnType, 'string'>): string {
  const cast = `TRY_CAST(${raw} AS ${databaseTypes[type]})`
  return `CASE WHEN regexp_full_match(${raw}, ${literal(patterns[type])}) THEN ${finite(cast, type)} END`
}

function finite(cast: string, type: ColumnType): string {
  if (type !== 'double' && type !== 'date' && type !== 'timestamp') return cast
  return `CASE WHEN isfinite(${cast}) THEN ${cast} END`
}

function expressions(name: string, rule: ColumnRule, raw: string, typed: string): ColumnExpressions {
  const bound = (value: number | string): string => `${literal(String(value))}::${databaseTypes[rule.type]}`
  return {
    name,
    rule,
    raw,
    typed,
    isMissing: `(${raw}) IS NULL`,
    isMisfit: `(${raw}) IS NOT NULL AND (${typed}) IS NULL`,
    isBelow: rule.min === undefined ? 'false' : `(${typed}) < ${bound(rule.min)}`,
    isAbove: rule.max === undefined ? 'false' : `(${typed}) > ${bound(rule.max)}`,
  }
}
