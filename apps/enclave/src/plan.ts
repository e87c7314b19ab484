/**
 * What the contract's computation reads and how it is run, from the signed text alone: parsed in a sandboxed child that will never see
 * data, translated to the small form, from which SQL is generated. The engine never runs a party's text.
 */
import {
  groupSizeFor,
  parseControls,
  prepareOutput,
  queryTables,
  reviewComputation,
  unsupportedControls,
  type ParameterSet,
  type PreparedOutput,
  type ReviewedComputation,
} from '#libs/computation'
import { decide, reasonsOf, type ColumnTerms, type QueryFact, type SqlTerms } from '#libs/contract'
import type { ColumnRule, Engine, LoadTable } from '#libs/engine'
import { checkQueryText, maximumGroupSize } from '#libs/query'
import { EnclaveError, isCoded } from './errors.js'
import { requestFact } from './begin.js'
import type { Job } from './verify-job.js'

/** A computation that was understood, or why it was not. */
export interface Plan {
  readonly fact: QueryFact
  /** Null where `fact` names a fault. */
  readonly reviewed: ReviewedComputation | null
}

/** A plan that may be run. */
export type RunnablePlan = Plan & { readonly reviewed: ReviewedComputation }

/** Reads the contract's query. What is not understood is a fault in the plan, which `decide` refuses. */
export async function planComputation(
  { computation, contract }: Job,
  parser: Pick<Engine, 'parse'>,
): Promise<Plan> {
  if (computation.kind !== 'sql') return { fact: { reads: computation.over, fault: null }, reviewed: null }
  try {
    checkQueryText(computation.query)
    const reviewed = reviewComputation(
      contract.terms.datasets,
      computation,
      await parser.parse(computation.query),
    )
    expectControllable(contract.terms.datasets, computation, reviewed)
    return { fact: { reads: reviewed.reads, fault: null }, reviewed }
  } catch (error) {
    if (!isCoded(error)) throw error
    return { fact: { reads: [], fault: error.code }, reviewed: null }
  }
}

/**
 * Refuses what the contract's own bytes show cannot run, before anybody is asked to release anything.
 * @throws EnclaveError `DECISION_REFUSED` with the rules that say no.
 */
export function expectRunnable(job: Job, plan: Plan): RunnablePlan {
  const verdict = decide(job.contract, 'start', { request: requestFact(job), query: plan.fact })
  const reasons = verdict.decision === 'deny' ? reasonsOf(verdict) : []
  const { reviewed } = plan
  if (reasons.length > 0 || reviewed === null)
    throw new EnclaveError(
      'DECISION_REFUSED',
      `the run is refused: ${reasons.map(({ text }) => text).join(' ') || 'its kind of computation is not supported'}`,
    )
  return { fact: plan.fact, reviewed }
}

/** By dataset, the columns that are read, the privacy unit among them. */
export function columnsOf({ reviewed }: RunnablePlan): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(Object.entries(reviewed.columns).map(([dataset, columns]) => [dataset, new Set(columns)]))
}

/** The tables that the engine loads, with the contract's rules for every column that is read. */
export function engineTables(
  { contract: { terms } }: Job,
  { reviewed }: RunnablePlan,
): readonly Omit<LoadTable, 'parts'>[] {
  return queryTables(terms.datasets, reviewed.reads).map(({ name, unit }) => {
    const dataset = terms.datasets[name]
    const rules = dataset?.kind === 'table' ? dataset.columns : {}
    const columns = (reviewed.columns[name] ?? []).map(
      (column) => [column, ruleOf(rules[column], column)] as const,
    )
    return { name, unit, columns: Object.fromEntries(columns) }
  })
}

/** Each output of the computation that anybody receives, with its SQL under its controls. */
export function prepareOutputs(
  { contract: { terms }, computation }: Job,
  { reviewed }: RunnablePlan,
  parameters: ParameterSet,
): readonly { readonly name: string; readonly prepared: PreparedOutput }[] {
  return Object.entries(computation.outputs)
    .filter(([, output]) => output.recipients.length > 0)
    .map(([name, output]) => ({
      name,
      prepared: prepareOutput(terms.datasets, reviewed, output, parameters),
    }))
}

// Parameters are not known yet; everything else that `prepareOutput` will ask for is asked here.
function expectControllable(
  datasets: Parameters<typeof groupSizeFor>[0],
  computation: SqlTerms,
  { reads }: ReviewedComputation,
): void {
  for (const [name, output] of Object.entries(computation.outputs)) {
    const unsupported = unsupportedControls(parseControls(output.controls))
    if (unsupported.length > 0 || (groupSizeFor(datasets, output, reads) ?? 1) > maximumGroupSize)
      throw new EnclaveError('DECISION_REFUSED', `the controls of output ${name} cannot be applied`)
  }
}

function ruleOf(terms: ColumnTerms | undefined, column: string): ColumnRule {
  if (terms === undefined)
    throw new EnclaveError('ASSIGNMENT_INVALID', `the contract has no column ${column}`)
  const { type, nullable } = terms
  return 'min' in terms || 'max' in terms
    ? { type, nullable, min: terms.min, max: terms.max }
    : { type, nullable }
}
