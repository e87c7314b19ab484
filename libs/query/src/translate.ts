/** The story: from what the engine's parser gives to the small form of a reviewed query. */
import { checkReleased } from './aggregate.js'
import { expectList, expectNode, malformed, onlyFields } from './ast.js'
import type { AstNode } from './ast.js'
import { CteScope } from './cte-scope.js'
import { QueryError } from './errors.js'
import type { ColumnId, OutputColumn, ReviewedQuery } from './form.js'
import { groupRule } from './group-rule.js'
import { foldName } from './names.js'
import type { Selected } from './one-select.js'
import type { Tail } from './output-order.js'
import { translateSelect } from './select.js'
import type { DeclaredParameter, QueryTable } from './table.js'
import { indexTables } from './table.js'
import { Translation } from './translation.js'

/** The longest query text, in UTF-16 code units. */
export const maximumQueryLength = 20_000

/** What a query may read and name. */
export interface TranslateOptions {
  readonly tables: readonly QueryTable[]
  readonly parameters?: Readonly<Record<string, DeclaredParameter>>
}

/**
 * Refuses a text before it is parsed.
 * @throws QueryError `QUERY_TOO_LARGE`, `SYNTAX` for text with NUL or lone surrogates.
 */
export function checkQueryText(text: string): void {
  if (text.length > maximumQueryLength)
    throw new QueryError(
      'QUERY_TOO_LARGE',
      `the query has ${text.length} characters; at most ${maximumQueryLength}`,
    )
  if (text.includes('\0') || !text.isWellFormed())
    throw new QueryError(
      'SYNTAX',
      'the query holds a character that has no place in text (NUL or a lone surrogate)',
    )
}

/**
 * Checks a query that all signatories reviewed and gives its small form; see {@link ReviewedQuery} for what that guarantees.
 * Uses of columns are not checked one by one, since the exact text was reviewed: but a column without a use is never read,
 * and only the unit and columns with the use `join` may link rows or be counted distinct.
 * @param serialized - the parsed JSON of {@link serializeStatement}; untrusted, for it comes from a sandboxed child.
 * @throws QueryError with the rule that refuses, the place, and how to mend it.
 */
export function translateQuery(serialized: unknown, options: TranslateOptions): ReviewedQuery {
  const translation = new Translation(indexTables(options.tables), options.parameters ?? {})
  let tail: Tail = { order: [], limit: null, offset: 0 }
  const selected = translateSelect(onlyStatement(serialized), translation, CteScope.inside(), 0, (read) => {
    tail = read
  })
  return lastBlock(selected, tail, translation)
}

/** The one statement of a serialized text. @throws QueryError `SYNTAX`, `NOT_A_SELECT`, `MULTIPLE_STATEMENTS`, `AST_MALFORMED`. */
export function onlyStatement(serialized: unknown): AstNode {
  const top = expectNode(serialized, 'the whole')
  if (top['error'] === true) {
    const position = Number(top['position'])
    if (top['error_type'] === 'parser')
      throw new QueryError(
        'SYNTAX',
        'the query does not parse',
        Number.isSafeInteger(position) ? position : undefined,
      )
    throw new QueryError('NOT_A_SELECT', 'the query is not one SELECT')
  }
  if (top['error'] !== false) throw malformed('it says neither error nor none')
  const statements = expectList(top['statements'], 'statements')
  if (statements.length !== 1)
    throw new QueryError(
      'MULTIPLE_STATEMENTS',
      `there are ${statements.length} statements; one SELECT is allowed`,
    )
  const statement = expectNode(statements[0], 'statement')
  onlyFields(statement, ['node', 'named_param_map'], 'a statement', 'AST_MALFORMED')
  return expectNode(statement['node'], 'node')
}

function lastBlock(selected: Selected, tail: Tail, translation: Translation): ReviewedQuery {
  if (selected.kind !== 'block')
    throw new QueryError('RAW_VALUE_OUTPUT', 'the query returns rows of people, not groups of them')
  const { block, columns } = selected
  checkReleased(block.aggregates, translation)
  const query: ReviewedQuery = {
    input: block.input.relation,
    keys: block.keys,
    aggregates: block.aggregates,
    units: block.input.units,
    sameUnits: sameUnits(
      block.input.units.map(({ column }) => column),
      translation,
    ),
    conditions: block.conditions,
    outputs: nameOutputs(columns),
    order: tail.order,
    limit: tail.limit === Number.MAX_SAFE_INTEGER ? null : tail.limit,
    offset: tail.offset,
    parameters: Object.fromEntries(
      Object.entries(translation.parameters).filter(([name]) => translation.usedParameters.has(name)),
    ),
  }
  // A query whose groups would need too many counts is refused here, before anyone signs.
  groupRule(query)
  return query
}

/** Sets of columns that hold the same unit in every row. */
export function sameUnits(columns: readonly ColumnId[], translation: Translation): ColumnId[][] {
  const classes: ColumnId[][] = []
  for (const column of new Set(columns)) {
    const known = classes.find(([first]) => first !== undefined && translation.knowledge.same(first, column))
    if (known === undefined) classes.push([column])
    else known.push(column)
  }
  return classes
}

/** Outputs without a label are called after their function; a second one of that name gets a number. */
function nameOutputs(columns: Selected['columns']): OutputColumn[] {
  const taken = new Set<string>()
  return columns.map(({ name, expr }) => {
    if (expr === undefined) throw malformed('an output has no expression')
    let unique = name
    for (let number = 2; taken.has(foldName(unique)); number++) unique = `${name}_${number}`
    taken.add(foldName(unique))
    return { name: unique, type: expr.facts.type === 'null' ? 'string' : expr.facts.type, expr }
  })
}
