/**
 * Reads the JSON of DuckDB's json_serialize_sql as foreign data. A field that a reader does not name has a meaning that
 * it does not know, since defaults are left out: so it is refused, never skipped.
 */
import { QueryError } from './errors.js'
import type { QueryErrorCode } from './errors.js'
import { showName } from './names.js'

/**
 * The statement that gives the AST that {@link translateQuery} reads; the query text is its only parameter.
 * `skip_empty` must be false: with it the engine leaves out the empty grouping set, and ROLLUP (a) reads as GROUP BY a.
 */
export const serializeStatement =
  'SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_default := true, skip_empty := false)'

/** An object of the AST whose fields have not been looked at. */
export type AstNode = Readonly<Record<string, unknown>>

const maximumVisits = 20_000

/** Counts the nodes looked at, so that a small text that repeats its CTEs cannot make endless work. */
export class VisitBudget {
  private left = maximumVisits

  /** @throws QueryError `QUERY_TOO_LARGE`. */
  spend(location?: number): void {
    if (--this.left < 0)
      throw new QueryError(
        'QUERY_TOO_LARGE',
        `the query, its CTEs put in their places, has over ${maximumVisits} parts`,
        location,
      )
  }
}

/** @throws QueryError `AST_MALFORMED` where the value is no plain object. */
export function expectNode(value: unknown, what: string): AstNode {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${what} is not an object`)
  return value as AstNode
}

/** @throws QueryError `AST_MALFORMED` where the value is no list. */
export function expectList(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(`${what} is not a list`)
  return value
}

/** @throws QueryError `AST_MALFORMED` where the value is no string. */
export function expectString(value: unknown, what: string): string {
  if (typeof value !== 'string') throw malformed(`${what} is not a string`)
  return value
}

/** A list that may be absent, which is empty. */
export function optionalList(value: unknown, what: string): readonly unknown[] {
  return value === undefined ? [] : expectList(value, what)
}

/** A string that may be absent, which is undefined; the empty string stands for absence too. */
export function optionalString(value: unknown, what: string): string | undefined {
  if (value === undefined || value === '') return undefined
  return expectString(value, what)
}

/** A field of booleans that are left out where false. */
export function isSet(value: unknown, what: string): boolean {
  if (value === undefined || value === false) return false
  if (value !== true) throw malformed(`${what} is not a boolean`)
  return true
}

/** The offset that the parser noted, where it noted one. */
export function locationOf(node: AstNode): number | undefined {
  const location = node['query_location']
  return typeof location === 'number' && Number.isSafeInteger(location) && location >= 0
    ? location
    : undefined
}

/** Fields that every expression and table may have. */
const everywhere = ['class', 'type', 'alias', 'query_location']

/**
 * Refuses fields that the reader of a node does not know.
 * @throws QueryError with the given code.
 */
export function onlyFields(
  node: AstNode,
  fields: readonly string[],
  what: string,
  code: QueryErrorCode = 'NESTED_NOT_UNDERSTOOD',
): void {
  for (const name of Object.keys(node))
    if (!fields.includes(name) && !everywhere.includes(name))
      throw new QueryError(code, `${what} with ${showName(name)} is not understood`, locationOf(node))
}

/** The JSON is not what the engine's serializer gives. */
export function malformed(message: string): QueryError {
  return new QueryError('AST_MALFORMED', `the parsed query is malformed: ${message}`)
}
