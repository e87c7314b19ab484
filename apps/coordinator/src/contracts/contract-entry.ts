/** What is recorded about one contract: its payload, who signed, and what its parties said under it since. */
import type { Digest, Thumbprint } from '#libs/canonical'
import { proposedStanding, type Contract, type ContractStanding, type ContractTerms } from '#libs/contract'
import type { Manifest, Revocation, Withdrawal } from '#libs/protocol'
import type { StoredStatement } from '../storage/rows.js'

export interface Recorded<Payload> {
  readonly position: number
  readonly id: Digest
  readonly digest: Digest
  readonly payload: Payload
}

export interface ContractEntry {
  readonly contract: Contract
  /** Every party of the contract, by consent key: whom its statements are shown to. */
  readonly parties: ReadonlySet<Thumbprint>
  /** In the order of recording; without those of runs. */
  readonly statements: StoredStatement[]
  /** Signatory to the digest of its signed statement. */
  readonly signatures: Map<Thumbprint, Digest>
  standing: ContractStanding
  /** By {@link partKey}: an owner's Manifests of a dataset, oldest first. */
  readonly manifests: Map<string, Recorded<Manifest>[]>
  readonly withdrawals: Recorded<Withdrawal>[]
  readonly revocations: Recorded<Revocation>[]
}

/** Names one owner's part of a dataset. */
export function partKey(owner: Thumbprint, dataset: string): string {
  return `${owner} ${dataset}`
}

/** Thumbprints of the parties that own data. */
export function ownersOf(terms: ContractTerms): readonly Thumbprint[] {
  const labels = new Set(Object.values(terms.datasets).flatMap((dataset) => dataset.owners))
  return [...labels].flatMap((label) => terms.parties[label]?.key ?? [])
}

/** An entry with nothing recorded under it yet. */
export function newContractEntry(contract: Contract): ContractEntry {
  return {
    contract,
    parties: new Set(Object.values(contract.terms.parties).map(({ key }) => key)),
    statements: [],
    signatures: new Map(),
    standing: proposedStanding,
    manifests: new Map(),
    withdrawals: [],
    revocations: [],
  }
}
