/** What may be asked of an engine at all, before anything crosses the pipe. */
import { EngineError } from './errors.js'
import { ownerColumn, type LoadTable, type Parameter } from './tables.js'

const maximumQueryLength = 1_000_000

/** @throws EngineError `QUERY_TOO_LARGE`. */
export function requireText(sql: string): void {
  if (sql.length > maximumQueryLength)
    throw new EngineError(
      'QUERY_TOO_LARGE',
      `a query has at most ${maximumQueryLength} characters; got ${sql.length}`,
    )
}

/** @throws EngineError `REQUEST_INVALID` naming the table. */
export function requireTable({ name, columns, unit, parts }: LoadTable): void {
  const lower = Object.keys(columns).map((column) => column.toLowerCase())
  const sound =
    name !== '' &&
    parts.length > 0 &&
    Object.hasOwn(columns, unit) &&
    !lower.includes(ownerColumn) &&
    new Set(lower).size === lower.length
  if (!sound)
    throw new EngineError(
      'REQUEST_INVALID',
      `table ${name} needs a part, a unit among its columns, and columns of different names`,
      {
        table: name,
      },
    )
}

/** Whether an int, if it is one, is of 64 bits. */
export function isInt64(type: Parameter['type'], value: Parameter['value']): boolean {
  return type !== 'int' || value === null || BigInt.asIntN(64, BigInt(value)) === BigInt(value)
}
