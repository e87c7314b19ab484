/**
 * What the data owners have said in one round of the run, each statement verified by its owner's newest daemon key before it
 * counts. A statement that names another run or another set of Offers is refused aloud: somebody put it there.
 */
import type { Digest, StatementKind, Thumbprint, Verified } from '#libs/canonical'
import {
  acceptKind,
  keyReleaseKind,
  nonceKind,
  renewalKind,
  spendKind,
  type Accept,
  type IdentityChain,
  type KeyRelease,
  type Nonce,
  type RecordedStatement,
  type Renewal,
  type Spend,
} from '#libs/protocol'
import type { EnclaveClock } from './enclave-clock.js'
import { EnclaveError } from './errors.js'
import { verifyByParty } from './verify-job.js'

/** Which round of which run, and whose words count in it. */
export interface RoundPlace {
  readonly contract: Digest
  readonly run: Digest
  readonly round: number
  readonly owners: ReadonlyMap<Thumbprint, IdentityChain>
}

export class RoundRecord {
  private readonly seen = new Set<Digest>()
  private offered: { readonly set: Digest; readonly offer: Digest } | null = null
  readonly nonces = new Map<Thumbprint, Verified<Nonce>>()
  readonly accepts = new Map<Thumbprint, Verified<Accept>>()
  /** By owner and dataset, see {@link partKey}. */
  readonly spends = new Map<string, Verified<Spend>>()
  readonly releases = new Map<string, Verified<KeyRelease>>()
  /** In the order in which they came. */
  readonly renewals: Verified<Renewal>[] = []

  constructor(
    readonly place: RoundPlace,
    private readonly clock: EnclaveClock,
  ) {}

  /** From now on Accepts, KeyReleases and Renewals must name this set of Offers. */
  expectOffer(set: Digest, offer: Digest): void {
    this.offered = { set, offer }
  }

  /**
   * Takes what is new among the statements recorded about the run.
   * @throws EnclaveError `STATEMENT_FOREIGN`, `STATEMENT_REPEATED`, `IDENTITY_UNKNOWN`; the codes of `verifyPartyStatement`.
   */
  async absorb(statements: readonly RecordedStatement[]): Promise<void> {
    for (const { type, digest, statement } of statements) {
      if (this.seen.has(digest)) continue
      if (type === 'nonce') await this.takeNonce(statement)
      else if (type === 'accept') await this.takeAccept(statement)
      else if (type === 'spend') await this.takeSpend(statement)
      else if (type === 'key-release') await this.takeRelease(statement)
      else if (type === 'renewal') await this.takeRenewal(statement)
      this.seen.add(digest)
    }
  }

  private async takeNonce(jws: string): Promise<void> {
    const nonce = await this.verified(nonceKind, jws)
    if (nonce.payload.round !== this.place.round) return
    if (nonce.payload.place !== 0) throw foreign(nonce, 'place', '0', String(nonce.payload.place))
    // An owner keeps one live nonce: its newest replaces those before it.
    this.nonces.set(nonce.payload.by, nonce)
  }

  private async takeAccept(jws: string): Promise<void> {
    const accept = await this.verified(acceptKind, jws)
    if (accept.payload.round !== this.place.round) return
    this.expectSet(accept)
    this.accepts.set(accept.payload.by, accept)
  }

  private async takeSpend(jws: string): Promise<void> {
    const spend = await this.verified(spendKind, jws)
    takeOnce(this.spends, partKey(spend.payload.by, spend.payload.dataset), spend)
  }

  private async takeRelease(jws: string): Promise<void> {
    const release = await this.verified(keyReleaseKind, jws)
    const { round, offer, place } = release.payload
    // No key is released before the round's Offers are all accepted and spent for, so one of another round is no straggler.
    if (round !== this.place.round) throw foreign(release, 'round', String(this.place.round), String(round))
    this.expectSet(release)
    if (offer !== this.offered?.offer)
      throw foreign(release, 'offer', this.offered?.offer ?? 'none yet', offer)
    if (place !== 0) throw foreign(release, 'place', '0', String(place))
    takeOnce(this.releases, partKey(release.payload.by, release.payload.dataset), release)
  }

  private async takeRenewal(jws: string): Promise<void> {
    const renewal = await this.verified(renewalKind, jws)
    if (renewal.payload.round !== this.place.round) return
    this.expectSet(renewal)
    this.renewals.push(renewal)
  }

  private async verified<P extends Spoken>(kind: StatementKind<P>, jws: string): Promise<Verified<P>> {
    const statement = await verifyByParty(kind, jws, this.place.owners)
    const { contract, run } = statement.payload
    if (run !== this.place.run) throw foreign(statement, 'run', this.place.run, run)
    if (contract !== this.place.contract) throw foreign(statement, 'contract', this.place.contract, contract)
    this.clock.hear(statement.payload.issuedAt)
    return statement
  }

  private expectSet(statement: Verified<{ readonly type: string; readonly offers: Digest }>): void {
    const expected = this.offered?.set ?? 'none yet'
    if (statement.payload.offers !== expected)
      throw foreign(statement, 'set of Offers', expected, statement.payload.offers)
  }
}

/** How one owner's part of one dataset is named in the maps of a round. */
export function partKey(owner: Thumbprint, dataset: string): string {
  return `${owner} ${dataset}`
}

interface Spoken {
  readonly type: string
  readonly by: string
  readonly contract: Digest
  readonly run: Digest
  readonly issuedAt: string
}

function takeOnce<P extends { readonly type: string; readonly by: string }>(
  taken: Map<string, Verified<P>>,
  part: string,
  statement: Verified<P>,
): void {
  const known = taken.get(part)
  if (known !== undefined && known.id !== statement.id)
    throw new EnclaveError(
      'STATEMENT_REPEATED',
      `${statement.payload.by} made two of ${statement.payload.type} for one dataset: ${known.id} and ${statement.id}`,
    )
  taken.set(part, statement)
}

function foreign(
  statement: Verified<{ readonly type: string }>,
  what: string,
  expected: string,
  seen: string,
): EnclaveError {
  return new EnclaveError(
    'STATEMENT_FOREIGN',
    `${statement.payload.type} ${statement.id} is for another ${what}: expected ${expected}, seen ${seen}`,
  )
}
