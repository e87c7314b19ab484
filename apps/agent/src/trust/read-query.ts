/**
 * What a computation of the contract reads, by this agent's own parse of the signed text in a sandboxed child. Only the segments
 * of these columns are released. A contract never changes, so each of its queries is read once in a process.
 */
import { CodedError } from '#libs/canonical'
import { parseControls, unsupportedControls } from '#libs/computation'
import { computationOf, type ComputationTerms, type QueryFact } from '#libs/contract'
import { withEngine } from '#libs/engine'
import { reviewText } from '../contracts/review-text.js'
import type { VerifiedContract } from './verify-contract.js'

export interface ReadQuery {
  readonly fact: QueryFact
  /** columns by dataset, the unit among them */
  readonly columns: Readonly<Record<string, readonly string[]>>
}

const read = new Map<string, Promise<ReadQuery>>()

/** What `decide` is told of a computation's query, and the columns it reads; a fault is told, never thrown. */
export async function readQuery(contract: VerifiedContract, name: string): Promise<ReadQuery> {
  const key = `${contract.id}/${name}`
  const known = read.get(key) ?? readAnew(contract, name)
  read.set(key, known)
  try {
    return await known
  } catch (error) {
    // No engine could be started: that says nothing about the query, so it is tried again.
    read.delete(key)
    throw error
  }
}

async function readAnew(contract: VerifiedContract, name: string): Promise<ReadQuery> {
  const computation = computationOf(contract.terms, name)
  if (computation === undefined || computation.kind === 'sql-aggregate') return faulty('KIND_NOT_SUPPORTED')
  return await withEngine({}, async (engine) => {
    try {
      const reviewed = await reviewText(engine, contract.terms, computation)
      return { fact: { reads: reviewed.reads, fault: controlFault(computation) }, columns: reviewed.columns }
    } catch (error) {
      if (error instanceof CodedError && error.code !== 'CHILD_DIED' && error.code !== 'TIMED_OUT')
        return faulty(String(error.code))
      throw error
    }
  })
}

function controlFault(computation: ComputationTerms): string | null {
  const unsupported = Object.values(computation.outputs).flatMap(({ controls }) =>
    unsupportedControls(parseControls(controls)),
  )
  return unsupported.length === 0 ? null : 'CONTROL_UNSUPPORTED'
}

function faulty(fault: string): ReadQuery {
  return { fact: { reads: [], fault }, columns: {} }
}
