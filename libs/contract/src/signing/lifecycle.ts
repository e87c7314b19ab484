/**
 * The course of a contract: proposed, signed, active, then superseded, ended or expired. Pure: what happened and when is told
 * by statements in the log; this says what follows from it.
 */
import type { Digest, Thumbprint } from '#libs/canonical'
import { ContractError } from '../errors.js'
import { keyOf, keysOf, labelOf } from '../terms/questions.js'
import { endOfDay, startOfDay } from '../terms/quantities.js'
import type { ContractTerms } from '../terms/terms.js'
import type { SignedContract } from './verify-signatures.js'

/** What an Activation says, and when the log had it by the time of a cosignature (milliseconds). */
export interface RecordedActivation {
  readonly by: Thumbprint
  readonly contract: Digest
  /** Each signatory, and the digest of its signed statement. */
  readonly signatures: readonly { readonly signatory: Thumbprint; readonly statement: Digest }[]
  readonly recordedAt: number
}

declare const active: unique symbol

/** A signed contract whose Activation was in the log in time. Only {@link activate} makes one. */
export interface ActiveContract extends SignedContract {
  readonly [active]: true
  readonly activatedAt: number
}

/**
 * Checks an Activation against the signed contract.
 * @throws ContractError `ACTIVATION_INVALID` where it is not by the contract's coordinator or does not list exactly the
 * signatures, `ACTIVATION_LATE` where the log had it after the proposal's expiry.
 */
export function activate(contract: SignedContract, activation: RecordedActivation): ActiveContract {
  const { governance, log } = contract.terms
  if (activation.by !== log.coordinator)
    throw new ContractError(
      'ACTIVATION_INVALID',
      `the Activation is by ${activation.by}; expected the coordinator ${log.coordinator}`,
    )
  if (activation.contract !== contract.id)
    throw new ContractError(
      'ACTIVATION_INVALID',
      `the Activation is for ${activation.contract}; expected ${contract.id}`,
    )
  const listed = new Map(activation.signatures.map((signature) => [signature.signatory, signature.statement]))
  const complete =
    activation.signatures.length === contract.signatures.length &&
    listed.size === contract.signatures.length &&
    contract.signatures.every((signature) => listed.get(signature.kid) === signature.digest)
  if (!complete)
    throw new ContractError(
      'ACTIVATION_INVALID',
      'the Activation does not list exactly the signatures of all signatories',
    )
  const latest = endOfDay(governance.proposalExpires)
  // Written so that a time that is no number is late.
  if (!(activation.recordedAt <= latest))
    throw new ContractError(
      'ACTIVATION_LATE',
      `the log had the Activation after ${governance.proposalExpires}, when the proposal expired`,
    )
  return Object.freeze({ ...contract, activatedAt: activation.recordedAt }) as unknown as ActiveContract
}

/** What the log says of a contract; `null` means that nothing of the kind is in it. */
export interface ContractStanding {
  readonly activatedAt: number | null
  /** The active contract that names this one as superseded. */
  readonly supersededBy: Digest | null
  /** Who ended it by a Revocation, and from when (milliseconds). */
  readonly ended: { readonly by: Thumbprint; readonly from: number } | null
}

/** The standing of a contract of which nothing is in the log. */
export const proposedStanding: ContractStanding = { activatedAt: null, supersededBy: null, ended: null }

/** Something that the log records about a contract. */
export type ContractEvent =
  | { readonly type: 'activated'; readonly at: number }
  | { readonly type: 'superseded'; readonly by: Digest }
  | { readonly type: 'ended'; readonly by: Thumbprint; readonly from: number }

/**
 * The standing after an event. The same event twice changes nothing; of two endings the earlier holds.
 * @throws ContractError `LIFECYCLE_CONFLICT` where events contradict each other.
 */
export function advance(standing: ContractStanding, event: ContractEvent): ContractStanding {
  switch (event.type) {
    case 'activated':
      if (standing.activatedAt !== null && standing.activatedAt !== event.at)
        throw new ContractError(
          'LIFECYCLE_CONFLICT',
          'the contract was activated before; an Activation counts once',
        )
      return { ...standing, activatedAt: event.at }
    case 'superseded':
      if (standing.activatedAt === null)
        throw new ContractError('LIFECYCLE_CONFLICT', 'a contract that is not active cannot be superseded')
      if (standing.supersededBy !== null && standing.supersededBy !== event.by)
        throw new ContractError(
          'LIFECYCLE_CONFLICT',
          `the contract was superseded by ${standing.supersededBy} before`,
        )
      return { ...standing, supersededBy: event.by }
    case 'ended':
      return standing.ended !== null && standing.ended.from <= event.from
        ? standing
        : { ...standing, ended: { by: event.by, from: event.from } }
  }
}

/** Where a contract stands in its life. */
export type ContractState =
  'proposed' | 'lapsed' | 'signed' | 'pending' | 'active' | 'superseded' | 'ended' | 'expired'

/**
 * The state at a time. `signatures` counts verified ones. `lapsed`: not activated in time; `pending`: active, but its first day
 * has not begun.
 */
export function contractState(
  terms: ContractTerms,
  signatures: number,
  standing: ContractStanding,
  now: number,
): ContractState {
  if (standing.ended !== null && standing.ended.from <= now) return 'ended'
  if (standing.supersededBy !== null) return 'superseded'
  if (standing.activatedAt === null) {
    if (now > endOfDay(terms.governance.proposalExpires)) return 'lapsed'
    return signatures === terms.governance.signatories.length ? 'signed' : 'proposed'
  }
  if (now > endOfDay(terms.valid.until)) return 'expired'
  return now < startOfDay(terms.valid.from) ? 'pending' : 'active'
}

/**
 * Checks that a signed contract may supersede another: it names it, is for the same log, and was signed by those whom the old
 * one's governance demands. An owner who did not sign the new one releases under neither; that is the agents' to keep.
 * @throws ContractError `AMENDMENT_INVALID`.
 */
export function verifyAmendment(previous: SignedContract, next: SignedContract): void {
  const { governance, log } = previous.terms
  if (next.terms.governance.supersedes !== previous.id)
    throw new ContractError(
      'AMENDMENT_INVALID',
      `the amendment supersedes ${next.terms.governance.supersedes ?? 'nothing'}; expected ${previous.id}`,
    )
  if (next.terms.log.origin !== log.origin || next.terms.log.secret !== log.secret)
    throw new ContractError('AMENDMENT_INVALID', 'an amendment stays in the same log under the same secret')
  const signed = new Set(next.signatures.map((signature) => signature.kid))
  const old = governance.signatories.map((label) => ({ label, key: keyOf(previous.terms, label) ?? '' }))
  const missing = old.filter((signatory) => !signed.has(signatory.key))
  const needed = governance.amend === 'all' ? old.length : governance.amend.count
  if (old.length - missing.length < needed)
    throw new ContractError(
      'AMENDMENT_INVALID',
      `${old.length - missing.length} of the signatories signed; expected ${needed}; not: ${missing.map((signatory) => signatory.label).join(', ')}`,
    )
}

/** Whether a key may end the contract: a revoker that it names, or a data owner. */
export function mayEnd(terms: ContractTerms, key: Thumbprint): boolean {
  const label = labelOf(terms, key)
  const owners = Object.values(terms.datasets).flatMap((dataset) => dataset.owners)
  return (
    keysOf(terms, terms.governance.revokers).includes(key) || (label !== undefined && owners.includes(label))
  )
}
