/**
 * Leases of running runs. A KeyRelease holds until the time it names; this owner goes on saying yes at a third of that, until
 * the run's output keys or its end are seen. Silence ends the run: so a revocation reaches it even if every message is withheld.
 */
import { signStatement, type Digest } from '#libs/canonical'
import { ClientError } from '#libs/client'
import { decide, reasonsOf, type Refusal } from '#libs/contract'
import { offerSetDigest, renewalKind, runEndStates } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { spaces } from '../store/records.js'
import { newStatement } from '../trust/new-statement.js'
import { shownAccepts } from '../trust/recorded-collateral.js'
import { repeatVerdict } from '../trust/repeat-verdict.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import type { VerifiedRun } from '../trust/verify-run.js'
import { recordDecision } from './checks.js'
import { revocationFacts } from './revocations.js'
import { changeRun } from './run-record.js'

/** Does something every so many milliseconds, until what it answers is called. */
export type Every = (milliseconds: number, action: () => Promise<void>) => () => void

/** By this process's own timers. */
export const byTimer: Every = (milliseconds, action) => {
  const timer = setInterval(() => void action(), milliseconds)
  return () => {
    clearInterval(timer)
  }
}

/** The timers of this process; the release itself is durable, a lease that nobody renews just ends. */
export class Leases {
  /** ends the timer of a run */
  private readonly timers = new Map<Digest, () => void>()

  constructor(
    private readonly agent: Agent,
    private readonly contractNow: (id: Digest) => Promise<VerifiedContract>,
    private readonly every: Every,
  ) {}

  keep(contract: VerifiedContract, run: VerifiedRun): void {
    if (this.timers.has(run.id)) return
    const third = (contract.terms.runs.leaseSeconds * 1000) / 3
    const end = this.every(third, () =>
      this.renew(run).catch((error: unknown) => {
        // The next third of the lease tries again; the third one missed ends the run.
        if (!(error instanceof ClientError)) this.stop(run.id)
        this.agent.report({
          what: 'renewal failed',
          run: run.id,
          why: error instanceof Error ? error.message : 'unknown',
        })
      }),
    )
    this.timers.set(run.id, end)
  }

  stop(run: Digest): void {
    this.timers.get(run)?.()
    this.timers.delete(run)
  }

  stopAll(): void {
    for (const run of [...this.timers.keys()]) this.stop(run)
  }

  private async renew(run: VerifiedRun): Promise<void> {
    const { agent } = this
    const view = await agent.client.run(run.id)
    const contract = await this.contractNow(view.contract)
    const over = (runEndStates as readonly string[]).includes(view.state)
    if (over || (await this.withdrawn(run)) || view.statements.some(({ type }) => type === 'output-keys')) {
      this.stop(run.id)
      return
    }
    const refusals = await this.refusals(contract, run)
    if (refusals.length > 0) {
      this.stop(run.id)
      await recordDecision(agent, run.id, 'renew', refusals)
      agent.report({
        what: 'lease not renewed',
        run: run.id,
        why: refusals.map(({ text }) => text).join(' '),
      })
      return
    }
    const { releases, renewals: sequence } = await changeRun(agent, contract.id, run.id, ({ renewals }) => ({
      renewals: renewals + 1,
    }))
    if (Object.keys(releases).length === 0) return
    const { jws } = await signStatement(
      renewalKind,
      {
        ...newStatement(agent, 'renewal'),
        contract: contract.id,
        run: run.id,
        round: run.round,
        offers: offerSetDigest(run.offers.map(({ offer }) => offer.id)),
        sequence,
        leaseUntil: new Date(agent.now() + contract.terms.runs.leaseSeconds * 1000).toISOString(),
      },
      agent.keys.daemonKey,
    )
    await agent.client.record(jws)
  }

  // Which machine it is was established when this owner accepted; a run may well take longer than evidence is fresh.
  private async refusals(contract: VerifiedContract, run: VerifiedRun): Promise<readonly Refusal[]> {
    const { keys, now, appraisal } = this.agent
    const own = shownAccepts(run).filter(({ payload }) => payload.by === keys.party)
    const acceptedAt = Math.max(0, ...own.map(({ payload }) => Date.parse(payload.issuedAt)))
    const verdicts = await Promise.all(
      run.offers.map((shown) =>
        repeatVerdict(contract, shown, { ...appraisal, now: acceptedAt, accepts: own }),
      ),
    )
    return reasonsOf(
      decide(contract.contract, 'renew', {
        now: now(),
        standing: contract.standing,
        self: keys.party,
        appraisals: verdicts.map(({ fact }) => fact),
        revocations: revocationFacts(this.agent, contract),
      }),
    )
  }

  // This owner's own withdrawal stops the lease whatever the coordinator shows.
  private async withdrawn(run: VerifiedRun): Promise<boolean> {
    const manifests = new Set(run.request.payload.inputs.map(({ manifest }) => manifest))
    const versions = await this.agent.store.list(spaces.datasetVersions)
    return versions.some(([, version]) => version.withdrawn && manifests.has(version.manifest))
  }
}
