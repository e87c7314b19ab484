/** Constants: from the AST, from text, to SQL. Each value has one spelling. */
import { expectNode, isSet, malformed } from './ast.js'
import type { AstNode } from './ast.js'
import { QueryError } from './errors.js'
import type { Literal } from './form.js'
import { showName } from './names.js'

const maximumTextLength = 4_000

/** The literal of a CONSTANT's `value`. @throws QueryError `AST_MALFORMED`, `PARAMETER_TYPE`. */
export function literalOf(value: unknown, location: number | undefined): Literal {
  const node = expectNode(value, 'constant')
  const type = expectNode(node['type'], 'type of a constant')
  if (isSet(node['is_null'], 'is_null')) return { type: 'null' }
  const content = node['value']
  switch (type['id']) {
    case 'BOOLEAN':
      if (typeof content !== 'boolean') throw malformed('a boolean constant holds none')
      return { type: 'bool', value: content }
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
      return { type: 'int', value: safeInteger(content, location) }
    case 'DECIMAL':
      return { type: 'double', value: decimal(type, safeInteger(content, location)) }
    case 'DOUBLE':
      if (typeof content !== 'number' || !Number.isFinite(content)) throw outOfRange(location)
      return { type: 'double', value: content }
    case 'VARCHAR':
      return { type: 'string', value: expectText(content, location) }
    default:
      throw new QueryError(
        'PARAMETER_TYPE',
        `a constant of type ${showName(String(type['id']))} is not understood; use text, whole numbers up to 2^53, decimals, dates`,
        location,
      )
  }
}

function decimal(type: AstNode, digits: number): number {
  const info = expectNode(type['type_info'], 'type of a decimal constant')
  // Defaults are left out: a scale of 0 is absent.
  const scale = info['scale'] ?? 0
  if (typeof scale !== 'number' || !Number.isInteger(scale) || scale < 0 || scale > 38)
    throw malformed('a decimal constant has no scale')
  return Number(`${digits}e-${scale}`)
}

function safeInteger(content: unknown, location: number | undefined): number {
  // A larger number has lost digits on its way through JSON.
  if (typeof content !== 'number' || !Number.isSafeInteger(content)) throw outOfRange(location)
  return content
}

function outOfRange(location: number | undefined): QueryError {
  return new QueryError(
    'PARAMETER_TYPE',
    'a number has more digits than can be kept exactly (2^53); write it as a double, for instance 1e20',
    location,
  )
}

/** Text of a query that may stand in SQL. @throws QueryError `AST_MALFORMED`, `QUERY_TOO_LARGE`, `PARAMETER_TYPE`. */
export function expectText(content: unknown, location?: number): string {
  if (typeof content !== 'string') throw malformed('a text constant holds none')
  if (content.length > maximumTextLength)
    throw new QueryError('QUERY_TOO_LARGE', `a text is longer than ${maximumTextLength} characters`, location)
  if (content.includes('\0') || !content.isWellFormed())
    throw new QueryError(
      'PARAMETER_TYPE',
      'a text holds a character that has no place in one (NUL or a lone surrogate)',
      location,
    )
  return content
}

const datePattern = /^(\d{4})-(\d{2})-(\d{2})$/
const timestampPattern = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?$/

/** `2025-01-31` of years 1 to 9999, or undefined. */
export function parseDate(text: string): string | undefined {
  const match = datePattern.exec(text)
  if (match === null) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (year < 1 || month < 1 || month > 12 || day < 1) return undefined
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
  return day <= days ? text : undefined
}

/** `2025-01-31 00:00:00`, with up to six decimals and no zero at their end, or undefined. A date is its midnight. */
export function parseTimestamp(text: string): string | undefined {
  if (parseDate(text) !== undefined) return `${text} 00:00:00`
  const match = timestampPattern.exec(text)
  const date = match?.[1]
  if (match === null || date === undefined || parseDate(date) === undefined) return undefined
  const [hour = '', minute = '', second = '00', fraction = ''] = [match[2], match[3], match[4], match[5]]
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const decimals = fraction.replace(/0+$/, '')
  return `${date} ${hour}:${minute}:${second}${decimals === '' ? '' : `.${decimals}`}`
}

/** The one spelling of a literal in generated SQL. */
export function literalSql(literal: Literal): string {
  switch (literal.type) {
    case 'null':
      return 'NULL'
    case 'bool':
      return literal.value ? 'TRUE' : 'FALSE'
    case 'int':
      return `CAST(${integerSql(literal.value)} AS BIGINT)`
    case 'double':
      return doubleSql(literal.value)
    case 'string':
      return quoteText(literal.value)
    case 'date':
      return `DATE ${quoteText(literal.value)}`
    case 'timestamp':
      return `TIMESTAMP ${quoteText(literal.value)}`
  }
}

/** A whole number in SQL. */
export function integerSql(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError('a literal is no safe integer')
  return value < 0 ? `(${value})` : String(value === 0 ? 0 : value)
}

function doubleSql(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError('a literal is not finite')
  // With an exponent the engine reads a double; without, a decimal.
  const text = String(value === 0 ? 0 : value)
  const spelled = text.includes('e') ? text : `${text}e0`
  return value < 0 ? `(${spelled})` : spelled
}

/** Text in SQL. The engine knows no escapes in plain quotes. */
export function quoteText(text: string): string {
  if (text.includes('\0') || !text.isWellFormed())
    throw new RangeError('a text holds NUL or a lone surrogate')
  return `'${text.replaceAll("'", "''")}'`
}

/** A name in SQL. */
export function quoteName(name: string): string {
  if (name.includes('\0') || !name.isWellFormed())
    throw new RangeError('a name holds NUL or a lone surrogate')
  return `"${name.replaceAll('"', '""')}"`
}
