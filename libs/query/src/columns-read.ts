import type { ColumnId, Relation, ReviewedQuery } from './form.js'
import { withReads } from './relation-sql.js'

/**
 * The columns of each table that a query needs, the unit among them: only their segments are released.
 * Names are spelled as the contract does, sorted. The hidden owner column is not among them.
 */
export function columnsRead(query: ReviewedQuery): Readonly<Record<string, readonly string[]>> {
  const reads = new Map<string, Set<string>>()
  const top = withReads(
    new Set(query.units.map(({ column }) => column)),
    ...query.keys.map(({ expr }) => expr),
    ...query.aggregates.flatMap(({ argument, filter }) => [argument, filter]),
  )
  collect(query.input, top, reads)
  return Object.fromEntries([...reads].map(([table, columns]) => [table, [...columns].sort()]))
}

function collect(relation: Relation, needed: ReadonlySet<ColumnId>, reads: Map<string, Set<string>>): void {
  switch (relation.kind) {
    case 'scan': {
      const columns = reads.get(relation.table) ?? new Set<string>()
      for (const { id, name } of relation.columns) if (needed.has(id)) columns.add(name)
      for (const { id, unit } of relation.ownerUnits) if (needed.has(id)) columns.add(unit)
      reads.set(relation.table, columns)
      return
    }
    case 'join': {
      const below = new Set(needed)
      for (const { left, right } of relation.on) below.add(left).add(right)
      collect(relation.left, below, reads)
      collect(relation.right, below, reads)
      return
    }
    case 'filter':
      collect(relation.input, withReads(needed, relation.condition), reads)
      return
    case 'project':
      collect(
        relation.input,
        withReads(needed, ...relation.columns.filter(({ id }) => needed.has(id)).map(({ expr }) => expr)),
        reads,
      )
      return
    case 'reduce': {
      const aggregates = relation.aggregates.filter(({ id }) => needed.has(id))
      const units = relation.units.map(({ unit }) => unit)
      const exprs = [
        ...relation.keys.map(({ expr }) => expr),
        ...aggregates.flatMap(({ argument, filter }) => [argument, filter]),
      ]
      collect(relation.input, withReads(new Set(units), ...exprs), reads)
      return
    }
    case 'union':
      relation.branches.forEach((branch, index) => {
        const below = new Set<ColumnId>()
        for (const { id, from } of relation.columns) {
          const source = from[index]
          if (needed.has(id) && source !== undefined && source !== null) below.add(source)
        }
        collect(branch, below, reads)
      })
  }
}
