/** The story: from the small form to the SQL that the engine runs, with small groups left out. */
import { QueryError } from './errors.js'
import type { Aggregate, ColumnId, Literal, ReviewedQuery } from './form.js'
import { aggregateSql, columnName, exprSql, outputSql } from './expression-sql.js'
import type { ParameterValues } from './expression-sql.js'
import type { GroupRule } from './group-rule.js'
import { groupRule } from './group-rule.js'
import { quoteName } from './literal.js'
import { relationSql, withReads } from './relation-sql.js'
import { showName } from './names.js'
import type { ColumnType } from './table.js'

/** The most that minimumGroupSize may ask for. */
export const maximumGroupSize = 1_000_000_000
/** Hidden columns of the result start with this; labels may not. */
export const unitCountPrefix = '__units_'

/** How SQL is made of a query. */
export interface GenerateOptions {
  /**
   * k: the largest of the output's control and the minimums of all owners whose data the query reads. `null` only for an
   * output that the contract calls uncontrolled: then nothing is counted and nothing left out.
   */
  readonly minimumGroupSize: number | null
  readonly parameters?: ParameterValues
}

/** A hidden column of the result: units of that owner that each row rests on at least. */
export interface UnitCount {
  readonly column: string
  readonly table: string
  readonly owner: string
  /** Tells several reads of one table apart. */
  readonly read: number
}

/** SQL for the engine and what its result looks like: first the outputs, then the hidden counts. */
export interface GeneratedSql {
  readonly sql: string
  readonly outputs: readonly { readonly name: string; readonly type: ColumnType }[]
  readonly unitCounts: readonly UnitCount[]
}

/**
 * SQL of a query, from its form only. Under `minimumGroupSize` a group leaves only if the row rule of {@link groupRule} holds, before
 * HAVING, outer conditions, order and limit see it. The hidden counts are lower bounds of the distinct units, at least k in every row
 * that leaves and exact where they are near k: the trusted parent checks them again and strips them.
 *
 * Counting distinct units of all rows costs more than the query itself, so each group first gets a sketch: every unit sets one of some
 * bits, by hash, and the number of bits set is a lower bound of the number of units (and zero only if there is none). Only groups
 * whose bound lies below k are counted exactly. So the decision is exact, whatever the hash does.
 *
 * Rows come sorted as the query says, then by all outputs, so that row order tells nothing.
 * @throws QueryError `GROUP_SIZE_INVALID`, `PARAMETER_TYPE` where a parameter of the query has no value, `QUERY_TOO_LARGE`.
 */
export function generateSql(query: ReviewedQuery, options: GenerateOptions): GeneratedSql {
  const parameters = options.parameters ?? {}
  checkParameters(query, parameters)
  const outputs = query.outputs.map(({ name, type }) => ({ name, type }))
  const k = options.minimumGroupSize
  if (k === null) return { sql: uncontrolledSql(query, parameters), outputs, unitCounts: [] }
  if (!Number.isSafeInteger(k) || k < 1 || k > maximumGroupSize)
    throw new QueryError('GROUP_SIZE_INVALID', `a group size is a whole number from 1 to ${maximumGroupSize}`)
  if (query.units.length === 0)
    throw new QueryError('NO_TABLE', 'the query reads no table, so it has no units')
  return { sql: new Controlled(query, k, parameters).sql(), outputs, unitCounts: unitCounts(query) }
}

function checkParameters(query: ReviewedQuery, parameters: ParameterValues): void {
  for (const [name, declared] of Object.entries(query.parameters)) {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    const shown = showName(`$${name}`)
    if (value?.type !== declared.type)
      throw new QueryError('PARAMETER_TYPE', `parameter ${shown} has no value of type ${declared.type}`)
    const isNumber = value.type === 'int' || value.type === 'double'
    if (isNumber && (value.value < (declared.min ?? -Infinity) || value.value > (declared.max ?? Infinity)))
      throw new QueryError('PARAMETER_TYPE', `parameter ${shown} lies outside of its declared bounds`)
  }
}

function unitCounts(query: ReviewedQuery): UnitCount[] {
  return query.units.map(({ table, owner, read, column }) => ({
    column: `${unitCountPrefix}${classOf(query, column)}`,
    table,
    owner,
    read,
  }))
}

function classOf(query: ReviewedQuery, column: ColumnId): number {
  return query.sameUnits.findIndex((same) => same.includes(column))
}

function uncontrolledSql(query: ReviewedQuery, parameters: ParameterValues): string {
  const reads = [
    ...query.keys.map(({ expr }) => expr),
    ...query.aggregates.flatMap(({ argument, filter }) => [argument, filter]),
  ]
  const columns = [
    ...query.keys.map(({ id, expr }) => `${exprSql(expr, parameters)} AS ${columnName(id)}`),
    ...query.aggregates.map((one) => `${aggregateOf(one, parameters)} AS ${columnName(one.id)}`),
  ]
  const by =
    query.keys.length === 0 ? '' : ` GROUP BY ${query.keys.map((_key, index) => index + 1).join(', ')}`
  const rows = relationSql(query.input, withReads(new Set(), ...reads), parameters)
  const groups = `SELECT ${columns.length === 0 ? 'count(*) AS __one' : columns.join(', ')} FROM (${rows}) AS r${by}`
  const conditions = query.conditions.map((condition) => exprSql(condition, parameters))
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  return `SELECT ${outputsSql(query, parameters).join(', ')} FROM (${groups}) AS g${where}${tailSql(query)}`
}

function aggregateOf(one: Aggregate, parameters: ParameterValues): string {
  return aggregateSql(
    one,
    one.argument && exprSql(one.argument, parameters),
    one.filter && exprSql(one.filter, parameters),
  )
}

function outputsSql(query: ReviewedQuery, parameters: ParameterValues): string[] {
  return query.outputs.map(({ name, expr }) => `${outputSql(expr, parameters)} AS ${quoteName(name)}`)
}

function tailSql(query: ReviewedQuery): string {
  const chosen = query.order.map(
    ({ output, descending, nullsFirst }) =>
      `${output + 1} ${descending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
  )
  const others = query.outputs.flatMap((_output, index) =>
    query.order.some(({ output }) => output === index) ? [] : [`${index + 1} ASC NULLS LAST`],
  )
  const limit = query.limit === null ? '' : ` LIMIT ${query.limit}`
  const offset = query.offset === 0 ? '' : ` OFFSET ${query.offset}`
  return ` ORDER BY ${[...chosen, ...others].join(', ')}${limit}${offset}`
}

/** One count of units: over the rows of a set (all rows where null), of one class of equal unit columns. */
interface Tally {
  readonly rowSet: number | null
  readonly unitClass: number
  readonly name: string
}

/** The SQL of one query under one k. */
class Controlled {
  private readonly rule: GroupRule
  private readonly tallies: readonly Tally[]
  private readonly words: number

  constructor(
    private readonly query: ReviewedQuery,
    private readonly k: number,
    private readonly parameters: ParameterValues,
  ) {
    this.rule = groupRule(query)
    const sets: (number | null)[] = [null, ...this.rule.rowSets.keys()]
    this.tallies = sets.flatMap((rowSet) =>
      query.sameUnits.map((_same, unitClass) => ({
        rowSet,
        unitClass,
        name: `${rowSet ?? 'all'}_${unitClass}`,
      })),
    )
    this.words = wordsFor(k)
  }

  sql(): string {
    const { query, parameters } = this
    const materialized = holdsReduction(query.input) ? 'MATERIALIZED' : 'NOT MATERIALIZED'
    const conditions = [
      ...this.ruleSql(),
      ...query.conditions.map((condition) => exprSql(condition, parameters)),
    ]
    const counts = query.sameUnits.map(
      (_same, unitClass) => `__t_all_${unitClass} AS ${unitCountPrefix}${unitClass}`,
    )
    const ctes = [
      `__rows AS ${materialized} (${this.rowsSql()})`,
      `__groups AS MATERIALIZED (${this.groupsSql()})`,
      ...this.exactCtes(),
    ]
    return (
      `WITH ${ctes.join(', ')} SELECT ${[...outputsSql(query, parameters), ...counts].join(', ')} FROM (${this.decidedSql()}) AS d ` +
      `WHERE ${conditions.join(' AND ')}${tailSql(query)}`
    )
  }

  /** One row per row of the last block: keys, arguments, conditions, units and their bits, each computed once. */
  private rowsSql(): string {
    const { query, parameters, rule } = this
    const expr = (one: Parameters<typeof exprSql>[0]): string => exprSql(one, parameters)
    const columns: string[] = [`TRUE AS __everything`]
    for (const { id, expr: key } of query.keys) columns.push(`${expr(key)} AS ${columnName(id)}`)
    query.aggregates.forEach(({ argument, filter }, index) => {
      if (argument !== null) columns.push(`${expr(argument)} AS __a${index}`)
      if (filter !== null) columns.push(`${expr(filter)} AS __f${index}`)
    })
    rule.presences.forEach((presence, index) => {
      columns.push(
        `(${presence.map((part) => `coalesce(${expr(part)}, FALSE)`).join(' AND ')}) AS __p${index}`,
      )
    })
    const units = query.sameUnits.map((same) => columnName(same[0] ?? -1))
    units.forEach((unit, index) => {
      columns.push(`${unit} AS __u${index}`)
      for (let word = 0; word < this.words; word++)
        columns.push(`${this.bitSql(unit, word)} AS __b${index}_${word}`)
    })
    const reads = [
      ...query.keys.map((key) => key.expr),
      ...query.aggregates.flatMap(({ argument, filter }) => [argument, filter]),
      ...rule.presences.flat(),
    ]
    const needed = withReads(new Set(query.sameUnits.flatMap((same) => same.slice(0, 1))), ...reads)
    return `SELECT ${columns.join(', ')} FROM (${relationSql(query.input, needed, parameters)}) AS r`
  }

  /** The bit of a unit in a word of its sketch; NULL where there is no unit, or its bit is in another word. */
  private bitSql(unit: string, word: number): string {
    const place = this.words === 1 ? '' : ` AND (hash(${unit}) >> 6) % ${this.words} = ${word}`
    return `CASE WHEN ${unit} IS NOT NULL${place} THEN CAST(1 AS UBIGINT) << (hash(${unit}) & 63) END`
  }

  private groupsSql(): string {
    const { query } = this
    const columns = [`__everything`, ...query.keys.map(({ id }) => columnName(id))]
    query.aggregates.forEach((one, index) => {
      const sql = aggregateSql(
        one,
        one.argument === null ? null : `__a${index}`,
        one.filter === null ? null : `__f${index}`,
      )
      columns.push(`${sql} AS ${columnName(one.id)}`)
    })
    this.rule.rowSets.forEach((set, index) => {
      if (set.mayBeEmpty) columns.push(`count(*) FILTER (WHERE ${this.setSql(index)}) AS __n${index}`)
    })
    for (const tally of this.tallies) columns.push(`${this.boundSql(tally)} AS __s_${tally.name}`)
    return `SELECT ${columns.join(', ')} FROM __rows GROUP BY ${this.groupingSql()}`
  }

  private boundSql({ rowSet, unitClass }: Tally): string {
    const filter = rowSet === null ? '' : ` FILTER (WHERE ${this.setSql(rowSet)})`
    if (this.words === 0) return `count(DISTINCT __u${unitClass})${filter}`
    const words = Array.from(
      { length: this.words },
      (_, word) => `CAST(coalesce(bit_count(bit_or(__b${unitClass}_${word})${filter}), 0) AS BIGINT)`,
    )
    return `(${words.join(' + ')})`
  }

  private setSql(index: number): string {
    const set = this.rule.rowSets[index]
    const parts = [
      set?.holds === null ? [] : [`__p${set?.holds ?? ''}`],
      set?.lacks === null ? [] : [`NOT __p${set?.lacks ?? ''}`],
    ].flat()
    return parts.join(' AND ')
  }

  /** The grouping columns: one that is always true, so that a query without keys is no special case, and the keys. */
  private groupingSql(): string {
    return ['__everything', ...this.query.keys.map(({ id }) => columnName(id))].join(', ')
  }

  private sameGroupSql(a: string, b: string): string {
    const columns = ['__everything', ...this.query.keys.map(({ id }) => columnName(id))]
    return columns.map((column) => `${a}.${column} IS NOT DISTINCT FROM ${b}.${column}`).join(' AND ')
  }

  /** Groups whose lower bound does not decide, and their exact counts. */
  private exactCtes(): string[] {
    if (this.words === 0) return []
    const open = this.tallies.map(({ name }) => `__s_${name} BETWEEN 1 AND ${this.k - 1}`)
    const exact = this.tallies.map(({ rowSet, unitClass, name }) => {
      const filter = rowSet === null ? '' : ` FILTER (WHERE ${this.setSql(rowSet)})`
      return `count(DISTINCT __u${unitClass})${filter} AS __e_${name}`
    })
    const grouping = this.groupingSql()
    return [
      `__undecided AS MATERIALIZED (SELECT ${grouping} FROM __groups WHERE ${open.join(' OR ')})`,
      `__exact AS MATERIALIZED (SELECT ${grouping}, ${exact.join(', ')} FROM __rows SEMI JOIN __undecided ON ${this.sameGroupSql('__rows', '__undecided')} GROUP BY ${grouping})`,
    ]
  }

  /** Groups with one count per tally: the exact one where it was made, else a bound that decides. */
  private decidedSql(): string {
    const counts = this.tallies.map(({ name }) =>
      this.words === 0
        ? `__s_${name} AS __t_${name}`
        : `greatest(__s_${name}, coalesce(__e_${name}, 0)) AS __t_${name}`,
    )
    const join = this.words === 0 ? '' : ` LEFT JOIN __exact ON ${this.sameGroupSql('__groups', '__exact')}`
    return `SELECT __groups.*, ${counts.join(', ')} FROM __groups${join}`
  }

  private ruleSql(): string[] {
    const { k } = this
    const classes = [...this.query.sameUnits.keys()]
    const all = classes.map((unitClass) => `__t_all_${unitClass} >= ${k}`)
    const sets = this.rule.rowSets.map((set, index) => {
      const each = classes.map(
        (unitClass) => `(__t_${index}_${unitClass} = 0 OR __t_${index}_${unitClass} >= ${k})`,
      )
      const some = classes.map((unitClass) => `__t_${index}_${unitClass} >= ${k}`)
      const enough = `(${each.join(' AND ')} AND (${some.join(' OR ')}))`
      return set.mayBeEmpty ? `(__n${index} = 0 OR ${enough})` : enough
    })
    return [...all, ...sets]
  }
}

/**
 * Words of 64 bits in a sketch: about twice as many bits as units are asked for. With a k above some hundreds the exact count is
 * no dearer, so there is no sketch.
 */
function wordsFor(k: number): number {
  const words = Math.ceil(k / 40)
  return words > 8 ? 0 : words
}

function holdsReduction(relation: ReviewedQuery['input']): boolean {
  switch (relation.kind) {
    case 'scan':
      return false
    // Sums of doubles depend on how threads share rows: computed twice they could fall into two groups.
    case 'reduce':
      return true
    case 'join':
      return holdsReduction(relation.left) || holdsReduction(relation.right)
    case 'filter':
    case 'project':
      return holdsReduction(relation.input)
    case 'union':
      return relation.branches.some(holdsReduction)
  }
}

/** The literal of a parameter's value, as the generator takes it. */
export type ParameterLiteral = Exclude<Literal, { type: 'null' }>
