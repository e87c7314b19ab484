/** Owners, unit, bounds, segments and budgets of datasets. */
import type { ColumnTerms, DatasetTerms, ModelTerms, TableTerms } from '../terms/terms.js'
import { compareDecimals } from '../terms/quantities.js'
import { shown } from './explain-issues.js'
import type { Findings } from './references.js'

/** Checks every dataset that could be read, and the budgets. */
export function checkDatasets(findings: Findings): void {
  const { datasets, budgets } = findings.draft
  findings.names(['datasets'], datasets.keys())
  for (const [name, dataset] of datasets) if (dataset !== null) checkDataset(findings, name, dataset)
  for (const [name, budget] of budgets) {
    if (!datasets.has(name))
      findings.add(
        ['budgets', name],
        'the name of a dataset',
        shown(name),
        findings.near(name, datasets.keys()) ?? 'Use a name of `datasets`.',
      )
    if (
      budget !== null &&
      (compareDecimals(budget.delta, '0') < 0 || compareDecimals(budget.delta, '1') >= 0)
    )
      findings.add(
        ['budgets', name, 'delta'],
        'a decimal from 0 to below 1',
        shown(budget.delta),
        'Write a small one, like "0.00001".',
      )
  }
}

function checkDataset(findings: Findings, name: string, dataset: DatasetTerms): void {
  const path = ['datasets', name]
  findings.parties([...path, 'owners'], dataset.owners, dataset.kind === 'model' ? 'model' : 'data')
  for (const field of ['minimums', 'pins'] as const)
    for (const label of Object.keys(dataset[field]))
      if (!dataset.owners.includes(label))
        findings.add(
          [...path, field, label],
          `an owner of ${name}`,
          shown(label),
          findings.near(label, dataset.owners) ?? 'Name one of its owners.',
        )
  if (dataset.kind === 'table') checkTable(findings, path, dataset)
  else checkModelDataset(findings, path, dataset)
}

function checkModelDataset(findings: Findings, path: readonly string[], model: ModelTerms): void {
  if (model.owners.length > 1)
    findings.add(
      [...path, 'owners'],
      'one owner of a model',
      `[${model.owners.join(', ')}]`,
      'Write a dataset for the model of each.',
    )
  if (Object.keys(model.minimums).length > 0)
    findings.add([...path, 'minimums'], 'no minimums: a model holds no people', 'some', 'Remove them.')
}

function checkTable(findings: Findings, path: readonly string[], table: TableTerms): void {
  const columns = Object.keys(table.columns)
  findings.names([...path, 'columns'], columns)
  const unit = table.columns[table.unit]
  if (unit === undefined)
    findings.add(
      [...path, 'unit'],
      'the name of a column',
      shown(table.unit),
      findings.near(table.unit, columns) ?? 'Add the column, or name another.',
    )
  else if (unit.use.some((use) => use !== 'join'))
    findings.add(
      [...path, 'columns', table.unit, 'use'],
      'no use but join: it names people',
      `[${unit.use.join(', ')}]`,
      'Write `use: [join]`.',
    )
  for (const [column, terms] of Object.entries(table.columns))
    checkColumn(findings, [...path, 'columns', column], terms)
  if (table.segments !== undefined) checkSegments(findings, path, table, table.segments)
}

function checkColumn(findings: Findings, path: readonly string[], column: ColumnTerms): void {
  if (
    'min' in column &&
    column.min !== undefined &&
    column.max !== undefined &&
    isAbove(column.type, column.min, column.max)
  )
    findings.add([...path, 'max'], `not below ${column.min}`, shown(column.max), 'Exchange min and max.')
  const numeric = column.type === 'int' || column.type === 'double' || column.type === 'bool'
  for (const use of column.use)
    if (!numeric && ['sum', 'avg', 'stddev', 'variance', 'quantile'].includes(use))
      findings.add(
        [...path, 'use'],
        `uses that a ${column.type} can have`,
        use,
        `Remove ${use}, or change the type.`,
      )
}

/** Whether a lower bound is above an upper one of the same type. */
export function isAbove(type: string, min: number | string, max: number | string): boolean {
  if (type === 'double') return compareDecimals(String(min), String(max)) > 0
  return min > max
}

function checkSegments(
  findings: Findings,
  path: readonly string[],
  table: TableTerms,
  segments: Readonly<Record<string, readonly string[]>>,
): void {
  findings.names([...path, 'segments'], Object.keys(segments))
  const placed = new Map<string, string>()
  for (const [segment, columns] of Object.entries(segments))
    columns.forEach((column, i) => {
      const own = [...path, 'segments', segment, i]
      const other = placed.get(column)
      if (!Object.hasOwn(table.columns, column))
        findings.add(
          own,
          'the name of a column',
          shown(column),
          findings.near(column, Object.keys(table.columns)) ?? 'Use a name of `columns`.',
        )
      else if (other !== undefined)
        findings.add(own, 'each column in one segment', `${column} in ${other} too`, 'Take it out of one.')
      placed.set(column, segment)
    })
  for (const column of Object.keys(table.columns))
    if (!placed.has(column))
      findings.add(
        [...path, 'segments'],
        'every column in a segment',
        `no ${column}`,
        `Add ${column} to a segment, or leave \`segments\` out.`,
      )
}
