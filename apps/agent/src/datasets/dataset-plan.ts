/** How a contract wants a dataset of this owner: of a table columns with their rules and the groups that are sealed, of a model its face. */
import {
  datasetOf,
  type ColumnTerms,
  type ContractTerms,
  type ModelTerms,
  type TableTerms,
} from '#libs/contract'
import type { ColumnRule, ColumnRules } from '#libs/engine'
import { AgentError } from '../errors.js'

export interface TablePlan {
  readonly kind: 'table'
  readonly dataset: string
  readonly terms: TableTerms
  readonly rules: ColumnRules
  readonly unit: string
  /** segments in the contract's order */
  readonly groups: readonly { readonly name: string; readonly columns: readonly string[] }[]
}

/** A model of this owner's, with the face that the contract gives it. */
export interface ModelPlan {
  readonly kind: 'model'
  readonly dataset: string
  readonly terms: ModelTerms
}

/** What a contract wants of a dataset. */
export type DatasetPlan = TablePlan | ModelPlan

/**
 * The plan of a dataset that this party owns.
 * @throws AgentError `USAGE` where there is no such dataset; `REFUSED` where others own it.
 */
export function planDataset(terms: ContractTerms, dataset: string, ownLabel: string): DatasetPlan {
  const found = datasetOf(terms, dataset)
  if (found === undefined)
    throw new AgentError(
      'USAGE',
      `contract ${terms.name} has no dataset ${dataset}; it has ${Object.keys(terms.datasets).join(', ')}`,
    )
  if (!found.owners.includes(ownLabel))
    throw new AgentError(
      'REFUSED',
      `dataset ${dataset} is owned by ${found.owners.join(', ')}; this party is ${ownLabel}`,
    )
  return found.kind === 'model' ? { kind: 'model', dataset, terms: found } : planTable(dataset, found)
}

function planTable(dataset: string, terms: TableTerms): TablePlan {
  const names = Object.keys(terms.columns)
  const groups =
    terms.segments === undefined
      ? names.map((name) => ({ name, columns: [name] }))
      : Object.entries(terms.segments).map(([name, columns]) => ({ name, columns }))
  const rules = Object.fromEntries(
    Object.entries(terms.columns).map(([name, column]) => [name, engineRule(column)]),
  )
  return { kind: 'table', dataset, terms, rules, unit: terms.unit, groups }
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
