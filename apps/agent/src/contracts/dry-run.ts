/** Runs each computation of a contract on made-up rows of its schema, with the SQL and the controls that an enclave would use. */
import { CodedError } from '#libs/canonical'
import {
  modelFaceOf,
  parseParameters,
  prepareOutput,
  prepareScoring,
  readRowsToScore,
  releaseOutput,
  releaseScores,
  reviewScoring,
  type Released,
  type ResultTable,
} from '#libs/computation'
import type { ComputationTerms, ContractTerms, InferTerms, ParameterTerms, SqlTerms } from '#libs/contract'
import { withEngine, type Engine } from '#libs/engine'
import { understand } from './check-queries.js'
import { withMadeUpTables } from './made-up-tables.js'

const queryCaps = { maxRows: 10_000, timeoutMilliseconds: 60_000 } as const

export type DryRunResult =
  | { readonly computation: string; readonly ok: false; readonly code: string; readonly message: string }
  | { readonly computation: string; readonly ok: true; readonly outputs: readonly DryOutput[] }
  /** Of a kind that has no dry run: nothing was tried. */
  | { readonly computation: string; readonly ok: null; readonly kind: ComputationTerms['kind'] }

export interface DryOutput {
  readonly name: string
  readonly columns: readonly string[]
  readonly rows: readonly ResultTable['values'][number][]
  /** what each control did */
  readonly effects: readonly string[]
}

/** Dry-runs every reviewed query of a contract, and what would be scored; parameters take the least value that their terms allow. */
export async function dryRun(terms: ContractTerms): Promise<readonly DryRunResult[]> {
  const results: DryRunResult[] = []
  for (const [name, computation] of Object.entries(terms.computations)) {
    switch (computation.kind) {
      case 'sql':
        results.push(await attempt(name, () => dryQuery(terms, computation)))
        break
      case 'infer':
        results.push(await attempt(name, () => dryScores(terms, computation)))
        break
      case 'train':
      case 'sql-aggregate':
        results.push({ computation: name, ok: null, kind: computation.kind })
    }
  }
  return results
}

async function attempt(computation: string, run: () => Promise<readonly DryOutput[]>): Promise<DryRunResult> {
  try {
    return { computation, ok: true, outputs: await run() }
  } catch (error) {
    if (error instanceof CodedError)
      return { computation, ok: false, code: String(error.code), message: error.message }
    throw error
  }
}

async function dryQuery(terms: ContractTerms, computation: SqlTerms): Promise<readonly DryOutput[]> {
  const reviewed = await withEngine({}, (parser) => understand(parser, terms, computation))
  const parameters = parseParameters(computation.parameters, leastParameters(computation.parameters))
  return await withMadeUpTables(terms, computation.over, async (engine) => {
    await engine.lock()
    const outputs: DryOutput[] = []
    for (const [output, declared] of Object.entries(computation.outputs))
      outputs.push(
        await dryOutput(engine, output, prepareOutput(terms.datasets, reviewed, declared, parameters)),
      )
    return outputs
  })
}

// The model is sealed, and may not be there yet: in its place stands the mean of a row's features.
async function dryScores(terms: ContractTerms, computation: InferTerms): Promise<readonly DryOutput[]> {
  const { datasets } = terms
  const face = modelFaceOf(datasets, computation)
  const tree = await withEngine({}, (parser) => parser.parse(computation.query))
  const reviewed = reviewScoring(datasets, computation, face, tree)
  const parameters = parseParameters(computation.parameters, leastParameters(computation.parameters))
  return await withMadeUpTables(terms, computation.over, async (engine) => {
    await engine.lock()
    const outputs: DryOutput[] = []
    for (const prepared of prepareScoring(datasets, reviewed, computation, parameters)) {
      const rows = readRowsToScore(prepared, await engine.query(prepared.sql, {}, queryCaps))
      const columns = Object.values(rows.columns)
      const means = rows.complete.flatMap((_row, i) => {
        const mean = columns.reduce((sum, column) => sum + (column[i] ?? 0), 0) / columns.length
        return prepared.scores.map(() => mean)
      })
      outputs.push(shown(prepared.name, releaseScores(prepared, rows, Float64Array.from(means))))
    }
    return outputs
  })
}

async function dryOutput(
  engine: Engine,
  name: string,
  prepared: ReturnType<typeof prepareOutput>,
): Promise<DryOutput> {
  return shown(name, releaseOutput(prepared, await engine.query(prepared.sql, {}, queryCaps)))
}

function shown(name: string, { table, effects }: Released): DryOutput {
  return {
    name,
    columns: table.columns.map((column) => column.name),
    rows: Array.from({ length: table.rows }, (_, row) => table.values.map((column) => column[row] ?? null)),
    effects: effects.map(
      ({ control, rowsBefore, rowsAfter, changedCells }) =>
        `${control}: ${rowsBefore} rows before, ${rowsAfter} after, ${changedCells} values changed`,
    ),
  }
}

/** A value that each parameter allows. */
export function leastParameters(
  declared: Readonly<Record<string, ParameterTerms>>,
): Record<string, string | number | boolean> {
  return Object.fromEntries(Object.entries(declared).map(([name, terms]) => [name, leastValue(terms)]))
}

function leastValue(terms: ParameterTerms): string | number | boolean {
  switch (terms.type) {
    case 'bool':
      return false
    case 'string':
      return terms.oneOf?.[0] ?? 'amber'.slice(0, terms.maxLength)
    case 'int':
      return terms.oneOf?.[0] ?? terms.min ?? 0
    case 'double':
    case 'date':
    case 'timestamp':
      return terms.min
  }
}
