/** A real engine for specs: parses texts and runs generated SQL. Importable from specs only. */
import type { DuckDBConnection } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'
import { serializeStatement } from './ast.js'
import { sqlTypes } from './expression-sql.js'
import { literalSql, quoteName } from './literal.js'
import type { QueryTable } from './table.js'
import { ownerColumn } from './table.js'

/** A value as the specs write it. */
export type Value = string | number | boolean | null

/** A table with its rows, as objects by column; `__owner` among them where there are several owners. */
export type Data = readonly Readonly<Record<string, Value>>[]

/** An in-memory engine. */
export class EngineFixture {
  private constructor(private readonly connection: DuckDBConnection) {}

  static async start(): Promise<EngineFixture> {
    const instance = await DuckDBInstance.create(':memory:')
    return new EngineFixture(await instance.connect())
  }

  /** The syntax tree of a text, as the sandboxed child gives it. */
  async parse(text: string): Promise<unknown> {
    const statement = await this.connection.prepare(serializeStatement)
    statement.bindVarchar(1, text)
    const [row] = (await statement.runAndReadAll()).getRows()
    return JSON.parse(String(row?.[0])) as unknown
  }

  /** Makes the tables and fills them. */
  async load(tables: readonly QueryTable[], data: Readonly<Record<string, Data>>): Promise<void> {
    for (const table of tables) {
      const owner = table.owners.length > 1 ? [[ownerColumn, 'string'] as const] : []
      const columns = [
        ...Object.entries(table.columns).map(([name, { type }]) => [name, type] as const),
        ...owner,
      ]
      const rows = (data[table.name] ?? []).map(
        (row) =>
          `(${columns.map(([name, type]) => `CAST(${valueSql(row[name] ?? null)} AS ${sqlTypes[type]})`).join(', ')})`,
      )
      const declared = columns.map(([name, type]) => `${quoteName(name)} ${sqlTypes[type]}`)
      await this.run(`CREATE OR REPLACE TABLE ${quoteName(table.name)} (${declared.join(', ')})`)
      for (let at = 0; at < rows.length; at += 500)
        await this.run(`INSERT INTO ${quoteName(table.name)} VALUES ${rows.slice(at, at + 500).join(', ')}`)
    }
  }

  async run(sql: string): Promise<void> {
    await this.connection.run(sql)
  }

  /** Rows of a query; whole numbers as numbers. */
  async rows(sql: string): Promise<Value[][]> {
    const reader = await this.connection.runAndReadAll(sql)
    const types = reader.columnTypes().map(String)
    return reader
      .getRowsJson()
      .map((row) =>
        row.map((value, index) =>
          isNumber(types[index]) && value !== null ? Number(value) : (value as Value),
        ),
      )
  }

  /** Names and engine types of a query's columns. */
  async types(sql: string): Promise<string[]> {
    return (await this.connection.runAndReadAll(sql)).columnTypes().map(String)
  }
}

function isNumber(type: string | undefined): boolean {
  return type === 'BIGINT' || type === 'DOUBLE'
}

function valueSql(value: Value): string {
  if (value === null) return 'NULL'
  if (typeof value === 'boolean') return literalSql({ type: 'bool', value })
  if (typeof value === 'number') return literalSql({ type: 'double', value })
  return literalSql({ type: 'string', value })
}
