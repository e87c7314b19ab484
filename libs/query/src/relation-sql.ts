/** Rows of the form as SQL: only columns that are needed, each under its number. */
import type { ColumnId, Expr, NamedExpr, Relation } from './form.js'
import { eachColumn } from './form.js'
import { aggregateSql, columnName, exprSql, sqlTypes } from './expression-sql.js'
import type { ParameterValues } from './expression-sql.js'
import { quoteName, quoteText } from './literal.js'
import { ownerColumn } from './table.js'

/** A set of columns that are needed above. */
export type Needed = ReadonlySet<ColumnId>

/** Columns with those that expressions read. */
export function withReads(needed: Needed, ...exprs: readonly (Expr | null)[]): Set<ColumnId> {
  const all = new Set(needed)
  for (const expr of exprs) if (expr !== null) eachColumn(expr, (id) => all.add(id))
  return all
}

/** The SELECT that gives the needed columns of a relation. */
export function relationSql(relation: Relation, needed: Needed, parameters: ParameterValues): string {
  const expr = (one: Expr): string => exprSql(one, parameters)
  const named = ({ id, expr: one }: NamedExpr): string => `${expr(one)} AS ${columnName(id)}`
  switch (relation.kind) {
    case 'scan': {
      const columns = relation.columns
        .filter(({ id }) => needed.has(id))
        .map(({ id, name }) => `${quoteName(name)} AS ${columnName(id)}`)
      const units = relation.ownerUnits
        .filter(({ id }) => needed.has(id))
        .map(
          ({ id, owner, unit }) =>
            `CASE WHEN ${quoteName(ownerColumn)} = ${quoteText(owner)} THEN ${quoteName(unit)} END AS ${columnName(id)}`,
        )
      return `SELECT ${list([...columns, ...units])} FROM ${quoteName(relation.table)}`
    }
    case 'join': {
      const below = new Set(needed)
      for (const { left, right } of relation.on) below.add(left).add(right)
      const on = relation.on.map(({ left, right }) => `${columnName(left)} = ${columnName(right)}`)
      const [left, right] = [relation.left, relation.right].map(
        (side) => `(${relationSql(side, below, parameters)})`,
      )
      const columns = [...provided(relation)].filter((id) => needed.has(id)).map(columnName)
      return `SELECT ${list(columns)} FROM ${left ?? ''} AS l ${relation.join.toUpperCase()} JOIN ${right ?? ''} AS r ON ${on.join(' AND ')}`
    }
    case 'filter': {
      const below = relationSql(relation.input, withReads(needed, relation.condition), parameters)
      const columns = [...provided(relation)].filter((id) => needed.has(id)).map(columnName)
      return `SELECT ${list(columns)} FROM (${below}) AS r WHERE ${expr(relation.condition)}`
    }
    case 'project': {
      const computed = relation.columns.filter(({ id }) => needed.has(id))
      const passed = [...provided(relation.input)].filter((id) => needed.has(id))
      const below = withReads(new Set(passed), ...computed.map((column) => column.expr))
      return `SELECT ${list([...passed.map(columnName), ...computed.map(named)])} FROM (${relationSql(relation.input, below, parameters)}) AS r`
    }
    case 'reduce': {
      const aggregates = relation.aggregates.filter(({ id }) => needed.has(id))
      const units = relation.units.filter(({ id }) => needed.has(id))
      const reads = [
        ...relation.keys.map((key) => key.expr),
        ...aggregates.flatMap(({ argument, filter }) => [argument, filter]),
      ]
      const below = withReads(new Set(units.map(({ unit }) => unit)), ...reads)
      const columns = [
        ...relation.keys.map(named),
        ...aggregates.map(
          (one) =>
            `${aggregateSql(one, one.argument && expr(one.argument), one.filter && expr(one.filter))} AS ${columnName(one.id)}`,
        ),
        ...units.map(({ id, unit }) => `any_value(${columnName(unit)}) AS ${columnName(id)}`),
      ]
      const groups = relation.keys.map((_key, index) => String(index + 1))
      return `SELECT ${columns.join(', ')} FROM (${relationSql(relation.input, below, parameters)}) AS r GROUP BY ${groups.join(', ')}`
    }
    case 'union': {
      const columns = relation.columns.filter(({ id }) => needed.has(id))
      const branches = relation.branches.map((branch, index) => {
        const from = columns.map((column) => column.from[index] ?? null)
        const below = new Set(from.filter((id) => id !== null))
        const items = columns.map(({ id, type }, at) => {
          const source = from[at] ?? null
          return `${source === null ? `CAST(NULL AS ${sqlTypes[type]})` : columnName(source)} AS ${columnName(id)}`
        })
        return `SELECT ${list(items)} FROM (${relationSql(branch, below, parameters)}) AS r`
      })
      return branches.join(' UNION ALL ')
    }
  }
}

/** The columns that a relation hands on. */
export function provided(relation: Relation): Set<ColumnId> {
  switch (relation.kind) {
    case 'scan':
      return new Set([...relation.columns, ...relation.ownerUnits].map(({ id }) => id))
    case 'join':
      return new Set([...provided(relation.left), ...provided(relation.right)])
    case 'filter':
      return provided(relation.input)
    case 'project':
      return new Set([...provided(relation.input), ...relation.columns.map(({ id }) => id)])
    case 'reduce':
      return new Set([...relation.keys, ...relation.aggregates, ...relation.units].map(({ id }) => id))
    case 'union':
      return new Set(relation.columns.map(({ id }) => id))
  }
}

function list(columns: readonly string[]): string {
  return columns.length === 0 ? '1 AS __one' : columns.join(', ')
}
