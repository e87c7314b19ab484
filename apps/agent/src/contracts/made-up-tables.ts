/** Tables of made-up rows, as Parquet in memory, loaded into an engine as sealed inputs would be. */
import { datasetOf, type ContractTerms } from '#libs/contract'
import {
  createMemoryFile,
  syntheticTable,
  withEngine,
  type ColumnRules,
  type Engine,
  type LoadTable,
  type MemoryFile,
} from '#libs/engine'
import { engineRule } from '../datasets/dataset-plan.js'

const rowsPerOwner = 2000
const unitsPerOwner = 500

interface MadeUpPart {
  readonly dataset: string
  readonly owner: string
  readonly unit: string
  readonly rules: ColumnRules
  readonly file: MemoryFile
}

/** Makes rows for every owner of the datasets and loads them. The same contract gives the same rows. */
export async function withMadeUpTables<T>(
  terms: ContractTerms,
  datasets: readonly string[],
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const parts = datasets.flatMap((dataset) => partsOf(terms, dataset))
  try {
    await writeParts(parts)
    const descriptors = parts.map(({ file }) => ({ fd: file.readFd, access: 'read' as const }))
    return await withEngine({ descriptors }, async (engine) => {
      await engine.load(
        datasets.map((dataset) =>
          tableOf(
            dataset,
            parts.filter((part) => part.dataset === dataset),
          ),
        ),
      )
      return await use(engine)
    })
  } finally {
    for (const { file } of parts) file.discard()
  }
}

function partsOf(terms: ContractTerms, dataset: string): readonly MadeUpPart[] {
  const table = datasetOf(terms, dataset)
  if (table?.kind !== 'table') return []
  const rules = Object.fromEntries(
    Object.entries(table.columns).map(([name, column]) => [name, engineRule(column)]),
  )
  return table.owners.map((owner) => ({ dataset, owner, unit: table.unit, rules, file: createMemoryFile() }))
}

async function writeParts(parts: readonly MadeUpPart[]): Promise<void> {
  const descriptors = parts.map(({ file }) => ({ fd: file.fd, access: 'write' as const }))
  await withEngine({ descriptors }, async (engine) => {
    for (const [seed, { rules, unit, file }] of parts.entries())
      await engine.tableToParquet(
        syntheticTable(rules, { rows: rowsPerOwner, unit, units: unitsPerOwner, seed }),
        file.fd,
      )
  })
}

function tableOf(dataset: string, parts: readonly MadeUpPart[]): LoadTable {
  const [first] = parts
  return {
    name: dataset,
    columns: first?.rules ?? {},
    unit: first?.unit ?? '',
    parts: parts.map(({ owner, file, rules }) => ({
      owner,
      segments: [{ fd: file.readFd, columns: Object.keys(rules) }],
    })),
  }
}
