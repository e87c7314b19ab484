/**
 * Reads single statements of a run: each by the key that its kind demands, and each of this run of this contract.
 */
import {
  digest,
  domains,
  fromBase64url,
  thumbprintOf,
  unverifiedStatement,
  verifyStatement,
  type PublicKey,
  type StatementKind,
  type Thumbprint,
  type Verified,
} from '#libs/canonical'
import {
  evidenceKind,
  offerKind,
  offerSchema,
  verifyPartyStatement,
  type EvidenceStatement,
  type Offer,
  type RecordedStatement,
  type RunRequest,
  type RunView,
} from '#libs/protocol'
import { AgentError } from '../errors.js'
import type { VerifiedContract } from './verify-contract.js'

/** An Offer with the evidence shown for it, not yet appraised. */
export interface ShownOffer {
  readonly offer: Verified<Offer>
  readonly evidence: Verified<EvidenceStatement>
  readonly evidenceBytes: Uint8Array
}

/**
 * `live`: parties' statements must be signed under their newest Identity, as for everything that is still to have an effect.
 * `history`: any of their Identities counts.
 */
export type Reading = 'live' | 'history'

interface OfRun {
  readonly by: Thumbprint
  readonly log: string
  readonly contract: string
  readonly run?: string
}

export class RunReader {
  constructor(
    private readonly contract: VerifiedContract,
    private readonly view: RunView,
    private readonly reading: Reading,
  ) {}

  /** Statements of one kind, each by the party that it says it is by. */
  async byParties<P extends OfRun>(kind: StatementKind<P>): Promise<readonly Verified<P>[]> {
    return await Promise.all(
      this.recorded(kind.type).map(async ({ statement }) => {
        const chain = this.contract.chainOf(claimedSigner(statement))
        const verified = await verifyPartyStatement(kind, statement, chain, {
          newestOnly: this.reading === 'live',
        })
        return this.expectHere(kind, verified)
      }),
    )
  }

  /** The Offers of the round with their evidence, in the order of their places. */
  async offers(): Promise<readonly ShownOffer[]> {
    const offers = await Promise.all(this.recorded('offer').map(({ statement }) => this.offer(statement)))
    const shown = await Promise.all(
      offers
        .filter(({ payload }) => payload.round === this.view.round)
        .map((offer) => this.withEvidence(offer)),
    )
    return shown
      .filter((offer) => offer !== null)
      .toSorted((a, b) => a.offer.payload.place - b.offer.payload.place)
  }

  /** Statements of one kind that are signed by a receipt key of these Offers. */
  async byEnclave<P extends OfRun>(
    kind: StatementKind<P>,
    offers: readonly ShownOffer[],
  ): Promise<readonly Verified<P>[]> {
    return await Promise.all(
      this.recorded(kind.type).map(async ({ statement }) => {
        const kid = unverifiedStatement(statement).kid
        const signer = offers.find(({ offer }) => offer.kid === kid)
        if (signer === undefined)
          throw notVerified(`a ${kind.type} is signed by ${kid}, no receipt key of round ${this.view.round}`)
        return this.expectHere(kind, await verifyStatement(kind, statement, signer.offer.payload.receiptKey))
      }),
    )
  }

  /** The ciphertext of the request's sealed part. */
  sealedPart(request: Verified<RunRequest>): Uint8Array {
    const record = this.recorded('run-request').find(({ statement }) => statement === request.jws)
    const bytes = fromBase64url(record?.attachment ?? '')
    if (digest(domains.ciphertext, bytes) !== request.payload.sealed.digest)
      throw notVerified('the sealed part of the request is not the one that the request names')
    return bytes
  }

  // An Offer is signed by the key that it names: that proves possession. What makes the key an enclave's is the evidence.
  private async offer(statement: string): Promise<Verified<Offer>> {
    const claimed = offerSchema.safeParse(unverifiedStatement(statement).payload)
    if (!claimed.success) throw notVerified('an offer does not meet its schema')
    const offer = await verifyStatement(offerKind, statement, claimed.data.receiptKey)
    if (offer.payload.by !== thumbprintOf(claimed.data.receiptKey))
      throw notVerified(`an offer says it is by ${offer.payload.by}, which is not its receipt key`)
    return this.expectHere(offerKind, offer)
  }

  private async withEvidence(offer: Verified<Offer>): Promise<ShownOffer | null> {
    const record = this.recorded('evidence').find(
      ({ statement }) => unverifiedStatement(statement).kid === offer.kid,
    )
    if (record === undefined) return null
    const evidence = await this.evidence(record, offer.payload.receiptKey)
    const evidenceBytes = fromBase64url(record.attachment ?? '')
    if (evidence.payload.offer !== offer.id)
      throw notVerified(`the evidence shown is for Offer ${evidence.payload.offer}; expected ${offer.id}`)
    if (digest(domains.evidenceBytes, evidenceBytes) !== evidence.payload.evidenceDigest)
      throw notVerified(`the evidence bytes for Offer ${offer.id} are not those that its Evidence names`)
    return { offer, evidence, evidenceBytes }
  }

  private async evidence(record: RecordedStatement, key: PublicKey): Promise<Verified<EvidenceStatement>> {
    return this.expectHere(evidenceKind, await verifyStatement(evidenceKind, record.statement, key))
  }

  private recorded(type: string): readonly RecordedStatement[] {
    return this.view.statements.filter((record) => record.type === type)
  }

  private expectHere<P extends OfRun>(kind: StatementKind<P>, statement: Verified<P>): Verified<P> {
    const { contract, log, run } = statement.payload
    if (contract !== this.contract.id || log !== this.contract.terms.log.origin)
      throw notVerified(`a ${kind.type} is of contract ${contract}; expected ${this.contract.id}`)
    if (kind.type !== 'run-request' && run !== this.view.id)
      throw notVerified(`a ${kind.type} is of run ${run ?? 'none'}; expected ${this.view.id}`)
    return statement
  }
}

/** A run that is not what the coordinator shows it to be. */
export function notVerified(message: string): AgentError {
  return new AgentError('RUN_NOT_VERIFIED', message)
}

function claimedSigner(jws: string): Thumbprint {
  const { payload } = unverifiedStatement(jws)
  const by = typeof payload === 'object' && payload !== null && 'by' in payload ? payload['by'] : undefined
  return typeof by === 'string' ? by : ''
}
