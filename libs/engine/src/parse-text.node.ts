/** Turns query text into the parser's own tree. The text is bound as a value; it is never run. */
import type { DuckDBConnection } from '@duckdb/node-api'
import { ChildFailure } from './failure.js'

const serialize =
  'SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_default := true, skip_empty := false)::VARCHAR'

/** The tree as JSON text, or a failure that says where and why the text is not one or more SELECTs. */
export async function parseText(
  connection: DuckDBConnection,
  sql: string,
  maximumBytes: number,
): Promise<string> {
  const text = (await connection.runAndReadAll(serialize, [sql])).getRows()[0]?.[0]
  if (typeof text !== 'string') throw new ChildFailure('SYNTAX')
  if (text.length > maximumBytes) throw new ChildFailure('QUERY_TOO_LARGE')
  if (text.startsWith('{"error":true'))
    throw syntaxFailure(JSON.parse(text) as Readonly<Record<string, unknown>>)
  return text
}

function syntaxFailure(answer: Readonly<Record<string, unknown>>): ChildFailure {
  const { error_type: type, error_message: message, position } = answer
  if (type === 'not implemented') return new ChildFailure('NOT_A_SELECT')
  const place = typeof position === 'string' && /^\d+$/.test(position) ? { position: Number(position) } : {}
  return new ChildFailure('SYNTAX', place, typeof message === 'string' ? message.slice(0, 500) : undefined)
}
