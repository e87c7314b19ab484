/** The parts of a contract that can be read by themselves, so that one mistake does not hide the others. */
import type { z } from 'zod'
import { computationSchema } from '../terms/computations.js'
import { budgetSchema, datasetSchema } from '../terms/datasets.js'
import { enclaveSchema } from '../terms/enclaves.js'
import { governanceSchema, logSchema, partySchema } from '../terms/parties.js'
import { contractTermsSchema, type ContractTerms } from '../terms/terms.js'

type Entries<Entry> = ReadonlyMap<string, Entry | null>

/** Null stands for a part that its schema refused; its name still counts as given. */
export interface Draft {
  readonly valid: ContractTerms['valid'] | null
  readonly parties: Entries<ContractTerms['parties'][string]>
  readonly governance: ContractTerms['governance'] | null
  readonly log: ContractTerms['log'] | null
  readonly enclaves: readonly (ContractTerms['enclaves'][number] | null)[]
  readonly datasets: Entries<ContractTerms['datasets'][string]>
  readonly computations: Entries<ContractTerms['computations'][string]>
  readonly budgets: Entries<ContractTerms['budgets'][string]>
}

/** Reads every part that is whole. */
export function draftOf(value: unknown): Draft {
  const part = (name: string) =>
    typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)[name]
      : undefined
  const enclaves = part('enclaves')
  return {
    valid: readPart(contractTermsSchema.shape.valid, part('valid')),
    parties: readEntries(partySchema, part('parties')),
    governance: readPart(governanceSchema, part('governance')),
    log: readPart(logSchema, part('log')),
    enclaves: Array.isArray(enclaves) ? enclaves.map((entry) => readPart(enclaveSchema, entry)) : [],
    datasets: readEntries(datasetSchema, part('datasets')),
    computations: readEntries(computationSchema, part('computations')),
    budgets: readEntries(budgetSchema, part('budgets')),
  }
}

function readPart<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> | null {
  const result = schema.safeParse(value)
  return result.success ? result.data : null
}

function readEntries<Schema extends z.ZodType>(schema: Schema, value: unknown): Entries<z.output<Schema>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map()
  return new Map(Object.entries(value).map(([name, entry]) => [name, readPart(schema, entry)]))
}
