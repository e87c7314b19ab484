/** Whether every computation of a contract can be run: its query parsed in a sandboxed engine and understood, its controls kept. */
import { CodedError } from '#libs/canonical'
import {
  parseControls,
  reviewComputation,
  unsupportedControls,
  type ReviewedComputation,
} from '#libs/computation'
import type { ComputationTerms, ContractTerms, SqlTerms } from '#libs/contract'
import { withEngine, type Engine } from '#libs/engine'
import { reviewText, type TextReads, type TextTerms } from './review-text.js'

export interface QueryProblem {
  readonly computation: string
  readonly code: string
  readonly message: string
}

/** Every computation that cannot be run, and why. */
export async function queryProblems(terms: ContractTerms): Promise<readonly QueryProblem[]> {
  return await withEngine({}, async (engine) => {
    const problems: QueryProblem[] = []
    for (const [name, computation] of Object.entries(terms.computations)) {
      const problem = await problemOf(engine, terms, computation)
      if (problem !== null) problems.push({ computation: name, ...problem })
    }
    return problems
  })
}

type Problem = Omit<QueryProblem, 'computation'>

async function problemOf(
  engine: Engine,
  terms: ContractTerms,
  computation: ComputationTerms,
): Promise<Problem | null> {
  if (computation.kind === 'sql-aggregate')
    return {
      code: 'KIND_NOT_SUPPORTED',
      message: `this version does not run computations of kind ${computation.kind}`,
    }
  try {
    return (
      readsOthers(await reviewText(engine, terms, computation), computation) ?? controlProblem(computation)
    )
  } catch (error) {
    if (error instanceof CodedError) return { code: String(error.code), message: error.message }
    throw error
  }
}

/** A reviewed query, understood. @throws QueryError, EngineError, ComputationError. */
export async function understand(
  engine: Engine,
  terms: ContractTerms,
  computation: SqlTerms,
): Promise<ReviewedComputation> {
  return reviewComputation(terms.datasets, computation, await engine.parse(computation.query))
}

function readsOthers({ reads }: TextReads, { over }: TextTerms): Problem | null {
  const differ = [
    ...reads.filter((name) => !over.includes(name)),
    ...over.filter((name) => !reads.includes(name)),
  ]
  if (differ.length === 0) return null
  return {
    code: 'OVER_DIFFERS',
    message: `the query reads ${reads.join(', ')}; \`over\` says ${over.join(', ')}`,
  }
}

function controlProblem(computation: TextTerms): Problem | null {
  for (const [name, { controls, rowsOf }] of Object.entries(computation.outputs)) {
    const [unsupported] = [
      ...unsupportedControls(parseControls(controls)),
      ...(rowsOf === undefined || computation.kind === 'infer' ? [] : ['rowsOf']),
    ]
    if (unsupported !== undefined)
      return {
        code: 'CONTROL_UNSUPPORTED',
        message: `output ${name}: this version does not keep the control ${unsupported}`,
      }
  }
  return null
}
