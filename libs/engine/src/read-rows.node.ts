import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'

/** All rows of a small result. */
export async function readRows(connection: DuckDBConnection, sql: string): Promise<DuckDBValue[][]> {
  return (await connection.runAndReadAll(sql)).getRows()
}

/** The only row of a result. */
export async function readRow(connection: DuckDBConnection, sql: string): Promise<DuckDBValue[]> {
  return (await readRows(connection, sql))[0] ?? []
}
