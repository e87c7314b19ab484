/** The version of every input that a request names: each owner's newest Manifest that is not withdrawn. */
import type { Verified } from '#libs/canonical'
import { datasetOf, inputsOf, keyOf, type ComputationTerms } from '#libs/contract'
import type { Manifest, RunInput, Withdrawal } from '#libs/protocol'
import { AgentError } from '../errors.js'
import type { VerifiedContract } from '../trust/verify-contract.js'

/**
 * The inputs of a computation, in the contract's order of datasets and owners.
 * @throws AgentError `REFUSED` where an owner withdrew the dataset, `WAITING` where it has sealed no version that counts.
 */
export function newestInputs(contract: VerifiedContract, computation: ComputationTerms): readonly RunInput[] {
  return inputsOf(computation).flatMap((dataset) =>
    (datasetOf(contract.terms, dataset)?.owners ?? []).map((label) => {
      const owner = keyOf(contract.terms, label) ?? ''
      if (isWithdrawn(contract, dataset, owner))
        throw new AgentError(
          'REFUSED',
          `${label} has withdrawn ${dataset} from this contract: no run can read it`,
        )
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

/** Whether an owner has withdrawn a dataset as a whole, for good. */
export function isWithdrawn(contract: VerifiedContract, dataset: string, owner: string): boolean {
  return contract.withdrawals.some(
    ({ payload }) =>
      payload.contract === contract.id &&
      payload.dataset === dataset &&
      payload.by === owner &&
      payload.manifest === null,
  )
}

/** Whether a Withdrawal takes a version out: by name, or because it is of everything that there was. */
export function reaches(withdrawal: Withdrawal, { id, payload }: Verified<Manifest>): boolean {
  if (
    withdrawal.by !== payload.by ||
    withdrawal.dataset !== payload.dataset ||
    withdrawal.contract !== payload.contract
  )
    return false
  // A dataset that was withdrawn as a whole stays withdrawn, whatever is sealed afterwards.
  return withdrawal.manifest === null || withdrawal.manifest === id
}
