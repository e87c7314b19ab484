/**
 * The small form of a query: all that the generator can say. It holds no text of a party but labels, names of the
 * contract's tables and columns, and literals. Every column of every relation has a number of its own, unique in the
 * query, so names mean nothing below the output.
 */
import type { ColumnType, DeclaredParameter } from './table.js'

/** The number of a column, unique in a query. */
export type ColumnId = number

/** What is known of an expression's values, in each row where it stands. */
export interface Facts {
  readonly type: ColumnType | 'null'
  readonly nullable: boolean
  /** Finite inclusive bounds of a number; both or none. A double that has them is never NaN or infinite. */
  readonly bounds?: { readonly min: number; readonly max: number }
  /** How many columns of the contract are multiplied in it at most. */
  readonly degree: number
}

/** A constant. Dates are `2025-01-31`, timestamps `2025-01-31 00:00:00` with up to six decimals. */
export type Literal =
  | { readonly type: 'null' }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int' | 'double'; readonly value: number }
  | { readonly type: 'string' | 'date' | 'timestamp'; readonly value: string }

/** Functions and operators that the generator knows. All are total: they give a value or NULL, never an error. */
export type Operation =
  | 'and'
  | 'or'
  | 'not'
  | 'isNull'
  | 'isNotNull'
  | 'equal'
  | 'notEqual'
  | 'less'
  | 'lessOrEqual'
  | 'greater'
  | 'greaterOrEqual'
  | 'distinctFrom'
  | 'notDistinctFrom'
  | 'in'
  | 'notIn'
  | 'like'
  | 'notLike'
  | 'ilike'
  | 'notIlike'
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'integerDivide'
  | 'modulo'
  | 'negate'
  | 'abs'
  | 'round'
  | 'floor'
  | 'ceil'
  | 'greatest'
  | 'least'
  | 'coalesce'
  | 'nullif'
  | 'withinVariance'
  | 'lower'
  | 'upper'
  | 'trim'
  | 'ltrim'
  | 'rtrim'
  | 'left'
  | 'right'
  | 'substr'
  | 'length'
  | 'concat'
  | 'append'
  | 'startsWith'
  | 'endsWith'
  | 'contains'
  | 'dateTrunc'
  | 'datePart'
  | 'dateDiff'

/** A value in each row. */
export type Expr = ExprShape & { readonly facts: Facts }

/** The shapes of an expression, without what is known of it. */
export type ExprShape =
  | { readonly kind: 'column'; readonly id: ColumnId }
  | { readonly kind: 'literal'; readonly literal: Literal }
  | { readonly kind: 'parameter'; readonly name: string }
  /** `guarded`: the engine's function may raise an error here, so the generator turns that into NULL. */
  | {
      readonly kind: 'call'
      readonly operation: Operation
      readonly args: readonly Expr[]
      readonly guarded: boolean
    }
  | {
      readonly kind: 'case'
      readonly branches: readonly { readonly when: Expr; readonly then: Expr }[]
      readonly otherwise: Expr
    }
  /** What does not convert becomes NULL. `bits` narrows an int, which stays 64 bits wide. */
  | { readonly kind: 'cast'; readonly to: ColumnType; readonly bits: 8 | 16 | 32 | 64; readonly arg: Expr }

/** Aggregates of the last block; those of {@link UnitAggregateFunction} stand in a reduction per unit too. */
export type AggregateFunction =
  | 'countRows'
  | 'count'
  | 'countDistinct'
  | 'sum'
  | 'avg'
  | 'stddevSample'
  | 'stddevPopulation'
  | 'varianceSample'
  | 'variancePopulation'

/** Aggregates that return values of one unit, which stay inside. */
export type UnitAggregateFunction = AggregateFunction | 'min' | 'max' | 'boolOr' | 'boolAnd'

/** One aggregate of a block. */
export interface Aggregate {
  readonly id: ColumnId
  readonly function: UnitAggregateFunction
  /** Null for `countRows` only. */
  readonly argument: Expr | null
  readonly filter: Expr | null
}

/** A grouping key: `expr` over the input's columns, known above as `id`. */
export interface NamedExpr {
  readonly id: ColumnId
  readonly expr: Expr
}

/** Rows, before the last block. Columns that nothing needs are not read. */
export type Relation =
  | {
      readonly kind: 'scan'
      readonly table: string
      readonly columns: readonly { readonly id: ColumnId; readonly name: string }[]
      /** Only with several owners: the unit column in the rows of one owner, NULL in those of the others. */
      readonly ownerUnits: readonly { readonly id: ColumnId; readonly owner: string; readonly unit: string }[]
    }
  | {
      readonly kind: 'join'
      readonly join: 'inner' | 'left' | 'right'
      readonly left: Relation
      readonly right: Relation
      readonly on: readonly { readonly left: ColumnId; readonly right: ColumnId }[]
    }
  | { readonly kind: 'filter'; readonly input: Relation; readonly condition: Expr }
  | { readonly kind: 'project'; readonly input: Relation; readonly columns: readonly NamedExpr[] }
  /** One row per group; the unit of every read is a key or NULL, so no group holds rows of two units of one owner. */
  | {
      readonly kind: 'reduce'
      readonly input: Relation
      readonly keys: readonly NamedExpr[]
      readonly aggregates: readonly Aggregate[]
      /** Unit columns that a key determines but for NULL. */
      readonly units: readonly { readonly id: ColumnId; readonly unit: ColumnId }[]
    }
  /** UNION ALL; `from` null stands for NULL, in unit columns of other branches. */
  | {
      readonly kind: 'union'
      readonly branches: readonly Relation[]
      readonly columns: readonly {
        readonly id: ColumnId
        readonly type: ColumnType
        readonly from: readonly (ColumnId | null)[]
      }[]
    }

/** Where the privacy units of one owner, as one read of one table met them, stand in the rows of the last block. */
export interface UnitColumn {
  readonly table: string
  readonly owner: string
  /** Counts the reads of tables in a query, from 0. */
  readonly read: number
  readonly column: ColumnId
  /** Whether this read was reduced to one unit per row before anything else saw it. */
  readonly reduced: boolean
}

/** A column of the result. */
export interface OutputColumn {
  readonly name: string
  readonly type: ColumnType
  readonly expr: Expr
}

/** Sorts by the output of that index. */
export interface OutputOrder {
  readonly output: number
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/**
 * A query that the checker accepted. It guarantees: the result is one row per group of one last aggregate block; every
 * row that enters the block carries the units of every read of every owner, so groups can be counted; conditions, order
 * and limit apply to released rows only; no operation raises an error, depends on clock, randomness or row order, or
 * makes text longer than what went in, but by literals; no column without a use is read.
 * It does not say that a group is large enough: {@link generateSql} sees to that.
 */
export interface ReviewedQuery {
  readonly input: Relation
  readonly keys: readonly NamedExpr[]
  readonly aggregates: readonly Aggregate[]
  readonly units: readonly UnitColumn[]
  /** Sets of unit columns that hold the same unit in every row. */
  readonly sameUnits: readonly (readonly ColumnId[])[]
  /** HAVING and outer conditions, over keys and aggregates. */
  readonly conditions: readonly Expr[]
  readonly outputs: readonly OutputColumn[]
  readonly order: readonly OutputOrder[]
  readonly limit: number | null
  readonly offset: number
  /** The parameters that stand in it, as declared: the generator refuses values outside of what the checker relied on. */
  readonly parameters: Readonly<Record<string, DeclaredParameter>>
}

/** Equal for expressions that say the same. */
export function exprKey(expr: Expr): string {
  return JSON.stringify(expr, (name, value: unknown) => (name === 'facts' ? undefined : value))
}

/** Calls `visit` with each column that an expression reads. */
export function eachColumn(expr: Expr, visit: (id: ColumnId) => void): void {
  eachPart(expr, (part) => {
    if (part.kind === 'column') visit(part.id)
  })
}

/** Calls `visit` with an expression and each of its parts. */
export function eachPart(expr: Expr, visit: (part: Expr) => void): void {
  visit(expr)
  switch (expr.kind) {
    case 'column':
    case 'literal':
    case 'parameter':
      return
    case 'call':
      for (const arg of expr.args) eachPart(arg, visit)
      return
    case 'case':
      for (const branch of expr.branches) {
        eachPart(branch.when, visit)
        eachPart(branch.then, visit)
      }
      eachPart(expr.otherwise, visit)
      return
    case 'cast':
      eachPart(expr.arg, visit)
  }
}
