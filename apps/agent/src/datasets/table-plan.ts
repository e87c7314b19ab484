/** How a contract wants a table of this owner: columns with their rules for the engine, and the column groups that are sealed. */
import { datasetOf, type ColumnTerms, type ContractTerms, type TableTerms } from '#libs/contract'
import type { ColumnRule, ColumnRules } from '#libs/engine'
import { AgentError } from '../errors.js'

export interface TablePlan {
  readonly dataset: string
  readonly terms: TableTerms
  readonly rules: ColumnRules
  readonly unit: string
  /** segments in the contract's order */
  readonly groups: readonly { readonly name: string; readonly columns: readonly string[] }[]
}

/**
 * The plan of a dataset that this party owns.
 * @throws AgentError `USAGE` where there is no such dataset, or it is no table; `REFUSED` where others own it.
 */
export function planTable(terms: ContractTerms, dataset: string, ownLabel: string): TablePlan {
  const found = datasetOf(terms, dataset)
  if (found === undefined)
    throw new AgentError(
      'USAGE',
      `contract ${terms.name} has no dataset ${dataset}; it has ${Object.keys(terms.datasets).join(', ')}`,
    )
  if (found.kind !== 'table')
    throw new AgentError('USAGE', `dataset ${dataset} is a ${found.kind}; this version seals tables`)
  if (!found.owners.includes(ownLabel))
    throw new AgentError(
      'REFUSED',
      `dataset ${dataset} is owned by ${found.owners.join(', ')}; this party is ${ownLabel}`,
    )
  const names = Object.keys(found.columns)
  const groups =
    found.segments === undefined
      ? names.map((name) => ({ name, columns: [name] }))
      : Object.entries(found.segments).map(([name, columns]) => ({ name, columns }))
  const rules = Object.fromEntries(
    Object.entries(found.columns).map(([name, column]) => [name, engineRule(column)]),
  )
  return { dataset, terms: found, rules, unit: found.unit, groups }
}

/** A column's rule as the engine takes it: an instant is written without zone, as its Parquet holds it. */
export function engineRule(column: ColumnTerms): ColumnRule {
  const bounds =
    column.type === 'string' || column.type === 'bool'
      ? {}
      : { min: bound(column, column.min), max: bound(column, column.max) }
  return { type: column.type, nullable: column.nullable, ...bounds }
}

function bound(column: ColumnTerms, value: number | string | undefined): number | string | undefined {
  if (column.type !== 'timestamp' || value === undefined) return value
  return String(value).replace('T', ' ').replace('Z', '')
}
