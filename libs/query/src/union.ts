/** UNION ALL of rows: each branch keeps the units of its own reads; those of the others are NULL in it. */
import { QueryError } from './errors.js'
import type { ColumnId, Expr, Relation, UnitColumn } from './form.js'
import { refuseRepeatedReads } from './join.js'
import { showName } from './names.js'
import type { NamedColumn, Origin, Rows, Translation } from './translation.js'
import type { ColumnType } from './table.js'

/** Rows with the names of their columns. */
export interface NamedRows {
  readonly rows: Rows
  readonly columns: readonly NamedColumn[]
}

/** @throws QueryError `SETOP_NOT_ALLOWED` for branches of other columns, `TABLE_REPEATED`. */
export function unionRows(branches: readonly NamedRows[], translation: Translation): NamedRows {
  const [first] = branches
  if (first === undefined) throw new QueryError('SETOP_NOT_ALLOWED', 'UNION ALL of nothing')
  branches.forEach((branch, index) => {
    for (const other of branches.slice(index + 1)) refuseRepeatedReads(branch.rows, other.rows, undefined)
    if (branch.columns.length !== first.columns.length)
      throw new QueryError('SETOP_NOT_ALLOWED', 'the branches of UNION ALL have different numbers of columns')
  })
  const joined: Extract<Relation, { kind: 'union' }>['columns'][number][] = []
  const columns = first.columns.map(({ name }, position): NamedColumn => {
    const parts = branches.map((branch) => branch.columns[position]?.expr)
    const ids = parts.map((part) => {
      if (part?.kind !== 'column')
        throw new QueryError(
          'SETOP_NOT_ALLOWED',
          `column ${showName(name)} is not in every branch of UNION ALL`,
        )
      return part.id
    })
    const id = unionColumn(parts as Expr[], name, translation)
    joined.push({ id, type: typeOf(translation.column(id)), from: ids })
    return { name, expr: translation.column(id) }
  })
  const units: UnitColumn[] = []
  branches.forEach((branch, index) => {
    for (const unit of branch.rows.units) {
      const { facts } = translation.column(unit.column)
      const id = translation.newColumn({ ...facts, nullable: true })
      joined.push({
        id,
        type: typeOf(translation.column(id)),
        from: branches.map((_, at) => (at === index ? unit.column : null)),
      })
      units.push({ ...unit, column: id })
      // In its own branch the unit is this column; in the others it is NULL.
      for (const { id: target, from } of joined) {
        const source = from[index]
        if (
          target !== id &&
          source !== undefined &&
          source !== null &&
          translation.knowledge.determinedBy(unit.column, source)
        )
          translation.knowledge.nullOrEqual(id, target)
      }
    }
  })
  const relation: Relation = {
    kind: 'union',
    branches: branches.map(({ rows }) => rows.relation),
    columns: joined,
  }
  return { rows: { relation, units }, columns }
}

function unionColumn(parts: readonly Expr[], name: string, translation: Translation): ColumnId {
  const types = new Set(parts.map(({ facts }) => facts.type))
  const [type] = types
  if (types.size !== 1 || type === undefined || type === 'null')
    throw new QueryError(
      'SETOP_NOT_ALLOWED',
      `column ${showName(name)} has different types in the branches of UNION ALL: ${[...types].join(', ')}`,
    )
  const bounds = parts.map(({ facts }) => facts.bounds)
  const known = bounds.every((one) => one !== undefined)
  const origins = parts.map((part) => translation.originOf(part))
  const links = origins.every((origin) => origin?.links === true)
  const origin: Origin | undefined = links ? origins[0] : undefined
  return translation.newColumn(
    {
      type,
      nullable: parts.some(({ facts }) => facts.nullable),
      degree: Math.max(...parts.map(({ facts }) => facts.degree)),
      ...(known
        ? {
            bounds: {
              min: Math.min(...bounds.map((one) => one.min)),
              max: Math.max(...bounds.map((one) => one.max)),
            },
          }
        : {}),
    },
    origin,
  )
}

function typeOf({ facts }: Expr): ColumnType {
  return facts.type === 'null' ? 'string' : facts.type
}
