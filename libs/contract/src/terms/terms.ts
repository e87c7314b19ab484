/** The terms of a contract in their canonical form: what people sign, with every default written out. */
import { z } from 'zod'
import type { DeepReadonly } from './deep-readonly.js'
import { computationSchema } from './computations.js'
import { budgetSchema, datasetSchema } from './datasets.js'
import { enclaveSchema } from './enclaves.js'
import { lineSchema, namedSchema, textSchema } from './names.js'
import { governanceSchema, logSchema, partySchema, runsSchema } from './parties.js'
import { dateSchema } from './quantities.js'

/**
 * Every field of a contract, strictly: an unknown name is refused. Says nothing about how fields fit each other; that is
 * `termsMistakes`, and `parseTerms` asks both.
 */
export const contractTermsSchema = z.strictObject({
  sealroom: z.literal('contract/v1'),
  name: lineSchema(100),
  purpose: textSchema(2000),
  valid: z.strictObject({ from: dateSchema, until: dateSchema }),
  parties: namedSchema(partySchema, 1, 100),
  governance: governanceSchema,
  log: logSchema,
  enclaves: z.array(enclaveSchema).min(1).max(50),
  runs: runsSchema,
  datasets: namedSchema(datasetSchema, 1, 100),
  computations: namedSchema(computationSchema, 1, 500),
  budgets: namedSchema(budgetSchema, 0, 100).default({}),
})

/** The canonical terms of a contract. */
export type ContractTerms = DeepReadonly<z.output<typeof contractTermsSchema>>

export type PartyTerms = ContractTerms['parties'][string]
export type EnclaveTerms = ContractTerms['enclaves'][number]
export type DatasetTerms = ContractTerms['datasets'][string]
export type TableTerms = Extract<DatasetTerms, { kind: 'table' }>
export type ModelTerms = Extract<DatasetTerms, { kind: 'model' }>
export type ColumnTerms = TableTerms['columns'][string]
export type ComputationTerms = ContractTerms['computations'][string]
export type SqlTerms = Extract<ComputationTerms, { kind: 'sql' }>
export type TrainTerms = Extract<ComputationTerms, { kind: 'train' }>
export type InferTerms = Extract<ComputationTerms, { kind: 'infer' }>
export type ParameterTerms = ComputationTerms['parameters'][string]
export type OutputTerms = ComputationTerms['outputs'][string]
export type { Control } from './controls.js'
