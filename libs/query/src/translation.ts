/** What one translation knows: the contract's tables, the columns numbered so far, what is known of each. */
import { VisitBudget } from './ast.js'
import { QueryError } from './errors.js'
import type { ColumnId, Expr, Facts, Relation, UnitColumn } from './form.js'
import { foldName, showName } from './names.js'
import type { DeclaredParameter, QueryTable } from './table.js'
import { UnitKnowledge } from './units.js'

const maximumReads = 16

/** The contract's column behind a column that is passed on unchanged. */
export interface Origin {
  readonly table: string
  readonly column: string
  /** It may link rows: it is the unit or has the use `join`. */
  readonly links: boolean
}

/** Rows on their way to the last block. */
export interface Rows {
  readonly relation: Relation
  readonly units: readonly UnitColumn[]
}

/** A column that a clause can name; `expr` undefined: it is there, but has no use, so no query may read it. */
export interface NamedColumn {
  readonly name: string
  readonly expr: Expr | undefined
}

/** The state of a translation. */
export class Translation {
  readonly budget = new VisitBudget()
  readonly knowledge = new UnitKnowledge()
  readonly usedParameters = new Set<string>()
  private readonly facts = new Map<ColumnId, Facts>()
  private readonly origins = new Map<ColumnId, Origin>()
  private readonly locations = new Map<ColumnId, number | undefined>()
  private reads = 0

  constructor(
    readonly tables: ReadonlyMap<string, QueryTable>,
    readonly parameters: Readonly<Record<string, DeclaredParameter>>,
  ) {}

  /** A new column of which that is known. */
  newColumn(facts: Facts, origin?: Origin, location?: number): ColumnId {
    const id = this.facts.size
    this.facts.set(id, facts)
    if (origin !== undefined) this.origins.set(id, origin)
    this.locations.set(id, location)
    return id
  }

  /** The column as an expression, with what is known now. */
  column(id: ColumnId): Expr {
    const facts = this.facts.get(id)
    if (facts === undefined) throw new QueryError('AST_MALFORMED', 'a column was never numbered')
    return { kind: 'column', id, facts }
  }

  /** The contract's column that this one is, unchanged. */
  originOf(expr: Expr): Origin | undefined {
    return expr.kind === 'column' ? this.origins.get(expr.id) : undefined
  }

  /** Where a column was written, for messages. */
  locationOf(id: ColumnId): number | undefined {
    return this.locations.get(id)
  }

  setNullable(id: ColumnId, nullable: boolean): void {
    const facts = this.facts.get(id)
    if (facts !== undefined) this.facts.set(id, { ...facts, nullable })
  }

  /** An expression as a column: itself, or a new one. */
  nameExpr(expr: Expr, location?: number): ColumnId {
    return expr.kind === 'column' ? expr.id : this.newColumn(expr.facts, undefined, location)
  }

  /**
   * A read of a table. Each read is followed on its own.
   * @throws QueryError `QUERY_TOO_LARGE`, `NAME_NOT_ALLOWED`.
   */
  scan(table: QueryTable, location: number | undefined): { rows: Rows; columns: NamedColumn[] } {
    const read = this.reads++
    if (this.reads > maximumReads)
      throw new QueryError('QUERY_TOO_LARGE', `the query reads tables over ${maximumReads} times`, location)
    const columns: { id: ColumnId; name: string }[] = []
    const named: NamedColumn[] = []
    for (const [name, column] of Object.entries(table.columns)) {
      const links = name === table.unit || column.use.includes('join')
      const id = this.newColumn(factsOfColumn(column), { table: table.name, column: name, links })
      columns.push({ id, name })
      named.push({ name, expr: column.use.length === 0 ? undefined : this.column(id) })
    }
    const unit = columns.find(({ name }) => name === table.unit)
    if (unit === undefined)
      throw new QueryError('TABLE_DECLARATION_INVALID', `table ${showName(table.name)} has no unit`)
    const units: UnitColumn[] = []
    const ownerUnits: { id: ColumnId; owner: string; unit: string }[] = []
    for (const owner of table.owners) {
      const id =
        table.owners.length === 1
          ? unit.id
          : this.newColumn({ ...this.column(unit.id).facts, nullable: true })
      if (id !== unit.id) {
        ownerUnits.push({ id, owner, unit: table.unit })
        this.knowledge.nullOrEqual(id, unit.id)
      }
      units.push({ table: table.name, owner, read, column: id, reduced: false })
    }
    return {
      rows: { relation: { kind: 'scan', table: table.name, columns, ownerUnits }, units },
      columns: named,
    }
  }

  /** What holds above a condition: columns that it compares or tests for NULL are not NULL. */
  learnFrom(condition: Expr): void {
    if (condition.kind !== 'call') return
    if (condition.operation === 'and') for (const part of condition.args) this.learnFrom(part)
    if (rejectsNull.has(condition.operation))
      for (const arg of condition.args) if (arg.kind === 'column') this.setNullable(arg.id, false)
    if (condition.operation === 'in' || condition.operation === 'notIn') {
      const [tested] = condition.args
      if (tested?.kind === 'column') this.setNullable(tested.id, false)
    }
  }

  /** The contract's table of that name, or undefined. */
  findTable(name: string): QueryTable | undefined {
    return this.tables.get(foldName(name))
  }
}

const rejectsNull = new Set([
  'isNotNull',
  'equal',
  'notEqual',
  'less',
  'lessOrEqual',
  'greater',
  'greaterOrEqual',
  'like',
  'notLike',
])

function factsOfColumn(column: QueryTable['columns'][string]): Facts {
  const { type, nullable, min, max } = column
  const isNumber = type === 'int' || type === 'double'
  const known =
    isNumber && min !== undefined && max !== undefined && Number.isFinite(min) && Number.isFinite(max)
  return { type, nullable, degree: 1, ...(known ? { bounds: { min, max } } : {}) }
}
