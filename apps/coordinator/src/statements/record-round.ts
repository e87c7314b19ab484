/** Records what data owners say in a round: nonces, Accepts, Spends, releases, renewals, refusals. */
import { Injectable } from '@nestjs/common'
import type { Thumbprint } from '#libs/canonical'
import {
  acceptKind,
  keyReleaseKind,
  nonceKind,
  offerSetDigest,
  refusalKind,
  renewalKind,
  spendKind,
  type Recorded,
} from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import type { RunRecord } from '../runs/run-record.js'
import { RunStatements } from './run-statements.js'
import { expectNextSpend, SpendChains, takeSpend } from './spend-chains.js'
import type { PostedStatement } from './statement-context.js'
import { StatementVerifier } from './statement-verifier.js'

@Injectable()
export class RecordRound {
  constructor(
    private readonly verifier: StatementVerifier,
    private readonly statements: RunStatements,
    private readonly spends: SpendChains,
  ) {}

  async nonce(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(nonceKind, posted)
    const { by, place, nonce } = statement.payload
    return await this.statements.record('nonce', statement, ({ run: { record } }) => {
      expectOwner(record, by)
      if (place !== 0)
        throw new CoordinatorError(
          'ROUND_OTHER',
          `a run has one worker place, 0; the nonce is for place ${place}`,
        )
      if (record.nonces[by] !== undefined)
        throw new CoordinatorError(
          'STATEMENT_CONFLICT',
          `${by} gave another nonce in round ${record.round} already`,
        )
      return { kind: 'nonce', owner: by, nonce }
    })
  }

  async accept(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(acceptKind, posted)
    const { by, offers, manifests, evidence, expiresAt } = statement.payload
    const decide: Parameters<RunStatements['record']>[2] = ({ run: { record } }, _contract, draft) => {
      expectOwner(record, by)
      const offer = expectOffer(record, offers, draft.now)
      const own = record.terms.inputs.filter(({ owner }) => owner === by).map(({ manifest }) => manifest)
      if (!sameMembers(manifests, own))
        throw conflict(`the Accept names other manifests than the request does of ${by}`)
      if (evidence.length !== 1 || evidence[0] !== record.evidence)
        throw conflict(`the Accept names other evidence than ${record.evidence ?? 'none'}`)
      if (Date.parse(expiresAt) > Date.parse(offer.expiresAt))
        throw conflict(`the Accept expires at ${expiresAt}, after its Offer at ${offer.expiresAt}`)
      if (record.accepts.includes(by)) throw conflict(`${by} accepted in round ${record.round} already`)
      return { kind: 'accepted', owner: by }
    }
    // The collateral of the verdict is kept as it came: the Accept names it by digest, and whoever reads it compares.
    return await this.statements.record('accept', statement, decide, posted.attachment)
  }

  async spend(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(spendKind, posted)
    const { by, dataset } = statement.payload
    const heads = await this.spends.headsOf(by)
    return await this.statements.record('spend', statement, ({ run: { record } }, contract, draft) => {
      expectInput(record, by, dataset)
      if (record.spends.some((spend) => spend.owner === by && spend.dataset === dataset))
        throw conflict(`${by} spent of ${dataset} for this run already`)
      if (record.state !== 'collectingSpends')
        throw new CoordinatorError(
          'RUN_STATE_CONFLICT',
          `the run is ${record.state}; Spends are taken while it is collectingSpends`,
        )
      expectNextSpend(heads, statement, contract.contract.terms.governance.supersedes)
      draft.afterwards(() => {
        takeSpend(heads, statement)
      })
      return ({ id, index }) => ({
        kind: 'spent',
        spend: { owner: by, dataset, id, index: index ?? 0 },
        sizeAfter: draft.size,
      })
    })
  }

  async keyRelease(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(keyReleaseKind, posted)
    const { by, dataset, offers, offer, place, manifest, spend, leaseUntil } = statement.payload
    return await this.statements.record('key-release', statement, ({ run: { record } }, _contract, draft) => {
      const input = expectInput(record, by, dataset)
      const expected = expectOffer(record, offers, draft.now)
      if (offer !== expected.id || place !== 0)
        throw invalid(`the release is for Offer ${offer} at place ${place}; expected ${expected.id} at 0`)
      if (manifest !== input.manifest)
        throw invalid(`the release is of manifest ${manifest}; the request names ${input.manifest}`)
      const own = record.spends.find((recorded) => recorded.owner === by && recorded.dataset === dataset)
      if (own?.id !== spend)
        throw invalid(`the release names Spend ${spend}; recorded is ${own?.id ?? 'none'}`)
      if (Date.parse(leaseUntil) <= draft.now)
        throw invalid(`the lease ended at ${leaseUntil}, before it began`)
      if (record.releases.some((release) => release.owner === by && release.dataset === dataset))
        throw conflict(`${by} released ${dataset} for this run already; a run has one release, ever`)
      return ({ id }) => ({ kind: 'released', release: { owner: by, dataset, id } })
    })
  }

  async renewal(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(renewalKind, posted)
    const { by, offers, sequence } = statement.payload
    return await this.statements.record('renewal', statement, ({ run: { record } }) => {
      expectOwner(record, by)
      if (record.offer === null || offers !== offerSetDigest([record.offer.id]))
        throw invalid('the renewal is for another set of Offers')
      const last = record.renewals[by]?.sequence ?? 0
      if (sequence <= last) throw conflict(`renewal ${sequence} of ${by} comes after number ${last}`)
      return ({ id }) => ({ kind: 'renewed', owner: by, id, sequence })
    })
  }

  async refusal(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(refusalKind, posted)
    const { by, round, step } = statement.payload
    return await this.statements.record('refusal', statement, (entry) => {
      const { record } = entry.run
      expectOwner(record, by)
      // A refusal that was on its way while the round ended is about an Offer that is gone; one of the request holds for all.
      if (round > record.round || (round < record.round && step !== 'request'))
        throw new CoordinatorError(
          'ROUND_OTHER',
          `run ${entry.run.id} is in round ${record.round}; the refusal is for round ${round}`,
        )
      return { kind: 'refused', by, step }
    })
  }
}

function expectOwner({ terms }: RunRecord, party: Thumbprint): void {
  if (!terms.owners.includes(party))
    throw new CoordinatorError('NOT_ENTITLED', `${party} owns no input of this run`)
}

function expectInput({ terms }: RunRecord, party: Thumbprint, dataset: string) {
  const input = terms.inputs.find((candidate) => candidate.owner === party && candidate.dataset === dataset)
  if (input === undefined)
    throw new CoordinatorError('NOT_ENTITLED', `${party} has no input ${dataset} in this run`)
  return input
}

function expectOffer(record: RunRecord, offers: string, now: number): NonNullable<RunRecord['offer']> {
  const { offer } = record
  if (offer === null)
    throw new CoordinatorError(
      'RUN_STATE_CONFLICT',
      `the run is ${record.state} and has no Offer in round ${record.round}`,
    )
  if (offers !== offerSetDigest([offer.id]))
    throw new CoordinatorError(
      'ROUND_OTHER',
      `the statement is for another set of Offers than that of round ${record.round}`,
    )
  if (Date.parse(offer.expiresAt) <= now)
    throw new CoordinatorError('RUN_STATE_CONFLICT', `the Offer expired at ${offer.expiresAt}`)
  return offer
}

function sameMembers(seen: readonly string[], expected: readonly string[]): boolean {
  return (
    seen.length === expected.length &&
    new Set(seen).size === seen.length &&
    expected.every((item) => seen.includes(item))
  )
}

function conflict(message: string): CoordinatorError {
  return new CoordinatorError('STATEMENT_CONFLICT', message)
}

function invalid(message: string): CoordinatorError {
  return new CoordinatorError('RELEASE_INVALID', message)
}
