/**
 * Reads what the coordinator shows of a run, and believes of it only what is signed by whom it must be signed by, for this
 * run of this contract. Says nothing about whether any of it is permitted or appraised; see decide-release.ts and
 * appraise-offers.ts. What does not verify is an error, not left out: an honest coordinator records no such thing.
 */
import type { Digest, Verified } from '#libs/canonical'
import {
  acceptKind,
  approvalKind,
  denialKind,
  fetchKind,
  keyReleaseKind,
  nonceKind,
  outputKeysKind,
  receiptKind,
  refusalKind,
  renewalKind,
  runRequestKind,
  spendKind,
  startKind,
  type Accept,
  type Approval,
  type Denial,
  type Fetch,
  type KeyRelease,
  type Nonce,
  type OutputKeys,
  type Receipt,
  type Refusal,
  type Renewal,
  type RunRequest,
  type RunView,
  type Spend,
  type Start,
} from '#libs/protocol'
import { notVerified, RunReader, type Reading, type ShownOffer } from './run-reader.js'
import type { VerifiedContract } from './verify-contract.js'

/** A run whose every statement was verified by signature and authority. Of rounds, only the newest one. */
export interface VerifiedRun {
  readonly id: Digest
  readonly view: RunView
  readonly round: number
  readonly request: Verified<RunRequest>
  /** ciphertext of the request's sealed part, of the digest that the request names */
  readonly sealedPart: Uint8Array
  readonly approvals: readonly Verified<Approval>[]
  readonly denials: readonly Verified<Denial>[]
  readonly refusals: readonly Verified<Refusal>[]
  readonly nonces: readonly Verified<Nonce>[]
  /** in the order of their places */
  readonly offers: readonly ShownOffer[]
  readonly accepts: readonly Verified<Accept>[]
  readonly spends: readonly Verified<Spend>[]
  readonly releases: readonly Verified<KeyRelease>[]
  readonly start: Verified<Start> | null
  readonly renewals: readonly Verified<Renewal>[]
  readonly receipt: Verified<Receipt> | null
  readonly outputKeys: Verified<OutputKeys> | null
  readonly fetches: readonly Verified<Fetch>[]
}

/**
 * Verifies every statement of a run.
 * @throws AgentError `RUN_NOT_VERIFIED`; CanonicalError, ProtocolError where a statement is not what it claims to be.
 */
export async function verifyRun(
  contract: VerifiedContract,
  view: RunView,
  reading: Reading,
): Promise<VerifiedRun> {
  const read = new RunReader(contract, view, reading)
  const [request] = await read.byParties(runRequestKind)
  if (request?.id !== view.id) throw notVerified(`run ${view.id} has no request of that id`)
  const offers = await read.offers()
  const ofRound = <P extends { round: number }>(statements: readonly Verified<P>[]) =>
    statements.filter(({ payload }) => payload.round === view.round)
  return {
    id: view.id,
    view,
    round: view.round,
    request,
    sealedPart: read.sealedPart(request),
    approvals: await read.byParties(approvalKind),
    denials: await read.byParties(denialKind),
    refusals: await read.byParties(refusalKind),
    nonces: ofRound(await read.byParties(nonceKind)),
    offers,
    accepts: ofRound(await read.byParties(acceptKind)),
    spends: await read.byParties(spendKind),
    releases: ofRound(await read.byParties(keyReleaseKind)),
    start: only(await read.byEnclave(startKind, offers)),
    renewals: ofRound(await read.byParties(renewalKind)),
    receipt: only(await read.byEnclave(receiptKind, offers)),
    outputKeys: only(await read.byEnclave(outputKeysKind, offers)),
    fetches: await read.byParties(fetchKind),
  }
}

function only<P>(statements: readonly Verified<P>[]): Verified<P> | null {
  if (statements.length > 1) throw notVerified(`${statements.length} statements where an enclave makes one`)
  return statements[0] ?? null
}
