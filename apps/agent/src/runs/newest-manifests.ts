/** The version of every input that a request names: each owner's newest Manifest that is not withdrawn. */
import type { Verified } from '#libs/canonical'
import { datasetOf, keyOf, type ComputationTerms } from '#libs/contract'
import type { Manifest, RunInput, Withdrawal } from '#libs/protocol'
import { AgentError } from '../errors.js'
import type { VerifiedContract } from '../trust/verify-contract.js'

/**
 * The inputs of a computation, in the contract's order of datasets and owners.
 * @throws AgentError `WAITING` where an owner has sealed nothing yet or withdrew it.
 */
export function newestInputs(contract: VerifiedContract, computation: ComputationTerms): readonly RunInput[] {
  return computation.over.flatMap((dataset) =>
    (datasetOf(contract.terms, dataset)?.owners ?? []).map((label) => {
      const owner = keyOf(contract.terms, label) ?? ''
      const manifest = newestManifest(contract, dataset, owner)
      if (manifest === undefined)
        throw new AgentError(
          'WAITING',
          `${label} has no sealed version of ${dataset} under this contract: it waits for ${label} (sealroom dataset seal)`,
        )
      return { dataset, owner, manifest: manifest.id }
    }),
  )
}

/** An owner's newest Manifest of a dataset; undefined where there is none, or it is withdrawn. */
export function newestManifest(
  contract: VerifiedContract,
  dataset: string,
  owner: string,
): Verified<Manifest> | undefined {
  const [newest] = contract.manifests
    .filter(
      ({ payload }) =>
        payload.contract === contract.id && payload.dataset === dataset && payload.by === owner,
    )
    .toSorted((a, b) => b.payload.sequence - a.payload.sequence)
  if (newest === undefined || contract.withdrawals.some(({ payload }) => reaches(payload, newest)))
    return undefined
  return newest
}

/** Whether a Withdrawal takes a version out: by name, or because it is of everything that there was. */
export function reaches(withdrawal: Withdrawal, { id, payload }: Verified<Manifest>): boolean {
  if (
    withdrawal.by !== payload.by ||
    withdrawal.dataset !== payload.dataset ||
    withdrawal.contract !== payload.contract
  )
    return false
  // A version sealed after everything was withdrawn is a new offer of its owner.
  return withdrawal.manifest === null || withdrawal.manifest === id
}
