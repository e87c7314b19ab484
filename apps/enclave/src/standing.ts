/** What the log says of the contract, as far as this worker was shown it. */
import type { Verified } from '#libs/canonical'
import { activate, advance, mayEnd, proposedStanding, type ContractStanding } from '#libs/contract'
import { revocationKind, verifyPartyStatement, type Revocation } from '#libs/protocol'
import { chainOf, claimedParty, ofType, type Job } from './verify-job.js'

/**
 * The contract's standing: active by its Activation, ended where somebody who may has ended it.
 * When exactly the log had the Activation only those can say who followed the log; owners do, before they release. Here its own time
 * stands, and its place in a tree that all owners cosigned is proven besides.
 * @throws ContractError `ACTIVATION_INVALID`, `ACTIVATION_LATE`.
 */
export async function contractStanding(job: Job): Promise<ContractStanding> {
  const { contract, activation } = job
  const recordedAt = Date.parse(activation.payload.issuedAt)
  const active = activate(contract, { ...activation.payload, recordedAt })
  const standing = advance(proposedStanding, { type: 'activated', at: active.activatedAt })
  const revocations = await verifyRevocations(job)
  return revocations
    .filter(({ payload }) => payload.subject.kind === 'contract' && mayEnd(contract.terms, payload.by))
    .reduce(
      (so, { payload }) => advance(so, { type: 'ended', by: payload.by, from: Date.parse(payload.from) }),
      standing,
    )
}

// What stops something counts under whichever Identity it was signed.
async function verifyRevocations(job: Job): Promise<readonly Verified<Revocation>[]> {
  const revocations = await Promise.all(
    ofType(job.view.statements, 'revocation').map(({ statement }) =>
      verifyPartyStatement(revocationKind, statement, chainOf(job.identities, claimedParty(statement)), {
        newestOnly: false,
      }),
    ),
  )
  return revocations.filter(({ payload }) => payload.contract === job.contract.id)
}
