import type { ColumnType, QueryColumn, QueryTable } from './table.js'

/** Tables for specs: a clinic, its insurer, a ward register of two hospitals. Importable from specs only. */
export const exampleTables: readonly QueryTable[] = [
  {
    name: 'visits',
    owners: ['clinic'],
    unit: 'patient_id',
    columns: {
      patient_id: column('string', ['join']),
      region: column('string', ['dimension', 'filter'], { nullable: true }),
      age: column('int', ['filter', 'avg'], { min: 0, max: 120 }),
      day: column('date', ['dimension', 'filter']),
      seen: column('timestamp', ['dimension', 'filter']),
      cost: column('double', ['sum', 'avg'], { nullable: true }),
      stay: column('int', ['sum', 'avg'], { nullable: true, min: 0, max: 365 }),
      score: column('int', ['avg']),
      urgent: column('bool', ['avg']),
      name: column('string', []),
    },
  },
  {
    name: 'claims',
    owners: ['insurer'],
    unit: 'insured_id',
    columns: {
      insured_id: column('string', ['join']),
      member_no: column('int', ['join']),
      plan: column('string', ['dimension']),
      amount: column('double', ['sum'], { nullable: true, min: 0, max: 500_000 }),
      iban: column('string', []),
    },
  },
  {
    name: 'stays',
    owners: ['north', 'south'],
    unit: 'person_id',
    columns: {
      person_id: column('string', ['join']),
      ward: column('string', ['dimension']),
      days: column('int', ['avg'], { nullable: true, min: 0, max: 365 }),
    },
  },
]

function column(
  type: ColumnType,
  use: readonly string[],
  more: { readonly nullable?: boolean; readonly min?: number; readonly max?: number } = {},
): QueryColumn {
  return { nullable: false, ...more, type, use }
}
