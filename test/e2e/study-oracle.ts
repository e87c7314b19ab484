/** The reviewed queries of the study, computed by hand: plain loops over rows, no SQL, none of the project's code. */
import { readFile } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'

export interface Rows {
  readonly registry: readonly { id: number; age: number; bmi: number | null; died: boolean }[]
  readonly labs: readonly { id: number; test: string; value: number }[]
  readonly events: readonly { id: number; event: string }[]
}

/** A result row before rounding: the group, how many people, and the means. */
export interface OracleRow {
  readonly group: string
  readonly people: number
  readonly means: readonly number[]
}

export async function readRows(registryCsv: string, labsParquet: string, eventsCsv: string): Promise<Rows> {
  const registry = (await csv(registryCsv)).map((row) => ({
    id: Number(row['id']),
    age: Number(row['age']),
    bmi: row['bmi'] === '' ? null : Number(row['bmi']),
    died: row['died'] === 'true',
  }))
  const events = (await csv(eventsCsv)).map((row) => ({ id: Number(row['id']), event: row['event'] ?? '' }))
  return { registry, events, labs: await parquetRows(labsParquet) }
}

/** Death rate and mean HDL by BMI band and diabetes; groups of fewer than ten people do not leave. */
export function deathRates({ registry, labs, events }: Rows): readonly OracleRow[] {
  const diabetic = new Map<number, boolean>()
  for (const { id, event } of events) diabetic.set(id, (diabetic.get(id) ?? false) || event === 'diabetes')
  const hdl = meanByPerson(labs, 'hdl')
  const groups = new Map<string, { died: number[]; hdl: number[] }>()
  for (const { id, bmi, died } of registry) {
    const [ill, meanHdl] = [diabetic.get(id), hdl.get(id)]
    if (bmi === null || ill === undefined || meanHdl === undefined) continue
    const band =
      bmi < 25 ? '1: under 25' : bmi < 30 ? '2: 25 to 30' : bmi < 35 ? '3: 30 to 35' : '4: 35 and over'
    const group = `${band}|${ill}`
    const members = groups.get(group) ?? { died: [], hdl: [] }
    groups.set(group, members)
    members.died.push(died ? 1 : 0)
    members.hdl.push(meanHdl)
  }
  return rowsOf([...groups].map(([group, members]) => [group, [members.died, members.hdl]]))
}

/** How many people all three owners know, with an HDL value: those on whom a training rests. */
export function knownToAll({ registry, labs, events }: Rows): number {
  const insured = new Set(events.map(({ id }) => id))
  const hdl = meanByPerson(labs, 'hdl')
  return registry.filter(({ id }) => insured.has(id) && hdl.has(id)).length
}

/** Mean fibrosis score and number of diagnoses by age band, from an age on. */
export function fibrosisByAge({ registry, labs, events }: Rows, fromAge: number): readonly OracleRow[] {
  const diagnoses = new Map<number, number>()
  for (const { id } of events) diagnoses.set(id, (diagnoses.get(id) ?? 0) + 1)
  const scores = meanByPerson(labs, 'fib4')
  const groups = new Map<string, { fib4: number[]; diagnoses: number[] }>()
  for (const { id, age } of registry) {
    const [score, count] = [scores.get(id), diagnoses.get(id)]
    if (age < fromAge || score === undefined || count === undefined) continue
    const members = groups.get(ageBand(age)) ?? { fib4: [], diagnoses: [] }
    groups.set(ageBand(age), members)
    members.fib4.push(score)
    members.diagnoses.push(count)
  }
  return rowsOf([...groups].map(([group, members]) => [group, [members.fib4, members.diagnoses]]))
}

function ageBand(age: number): string {
  const bands = [
    [30, '18 to 29'],
    [40, '30 to 39'],
    [50, '40 to 49'],
    [60, '50 to 59'],
    [70, '60 to 69'],
    [80, '70 to 79'],
    [95, '80 to 94'],
  ] as const
  return bands.find(([until]) => age < until)?.[1] ?? '95 and over'
}

function rowsOf(
  groups: readonly (readonly [string, readonly (readonly number[])[]])[],
): readonly OracleRow[] {
  return groups
    .map(([group, columns]) => ({ group, people: columns[0]?.length ?? 0, means: columns.map(mean) }))
    .toSorted((a, b) => (a.group < b.group ? -1 : 1))
}

function meanByPerson(labs: Rows['labs'], test: string): Map<number, number> {
  const values = new Map<number, number[]>()
  for (const row of labs) {
    if (row.test !== test) continue
    const own = values.get(row.id) ?? []
    values.set(row.id, own)
    own.push(row.value)
  }
  return new Map([...values].map(([id, own]) => [id, mean(own)]))
}

function mean(values: readonly number[]): number {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}

async function csv(path: string): Promise<Record<string, string>[]> {
  const [header = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n')
  const names = header.split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']))
  })
}

async function parquetRows(path: string): Promise<Rows['labs']> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const reader = await connection.runAndReadAll(`select * from '${path}'`)
    return reader
      .getRowObjects()
      .map((row) => ({ id: Number(row['id']), test: String(row['test']), value: Number(row['value']) }))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
