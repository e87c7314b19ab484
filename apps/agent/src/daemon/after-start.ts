/**
 * What an agent does after a start, before it accepts, spends or releases anything (design: section 4, "After a start"). It may
 * have been restored from a backup that remembers less than it did; the log remembers. So it waits for a checkpoint that
 * every other data owner has cosigned since the start, and reads its own records up to there: nobody can then show it a log
 * that ends before something it did.
 */
import { statementDigest, type Digest, type StatementKind, type Verified } from '#libs/canonical'
import { keyReleaseKind, spendKind, verifyPartyStatement } from '#libs/protocol'
import { findCosignature, parseNote, signerPseudonym, verifySignedCheckpoint } from '#libs/translog'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import { spaces } from '../store/records.js'
import { expectOnTheWay, followLog, leavesUnder, witnessName } from '../trust/log-follower.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import { adoptRelease, adoptSpend } from './spending.js'

/** Cosignatures count whole seconds, so the first one after a start may still read as before it. */
const firstPauseMilliseconds = 1000
/** Who has been away for long is asked seldom; it asks for cosignatures itself when it is back. */
const longestPauseMilliseconds = 32_000

/** Which other owners have not cosigned since the start; empty when the agent may act under this contract. */
export type Awaited = readonly string[]

/** Contracts for which this process has been brought up to date, and is kept so. */
export class AfterStart {
  private askNextAt = 0
  private pause = firstPauseMilliseconds

  constructor(
    private readonly agent: Agent,
    private readonly startedAt: number,
    /** up to where in the log this agent's own records were read, by contract; kept over a reload of the daemon */
    private readonly readTo: Map<Digest, number>,
  ) {}

  /** In how many ms to look again for cosignatures that were asked for; null where none are awaited, or not soon. */
  get looksAgainIn(): number | null {
    const left = this.askNextAt - this.agent.now()
    return left > 0 ? left : null
  }

  /** Whether the others have cosigned since the start, and this agent's own records were read up to there. */
  isReady(contract: Digest): boolean {
    return this.readTo.has(contract)
  }

  /**
   * Whether this agent may act under a contract, and whom it waits for.
   * @throws AgentError `LOG_MISBEHAVED`; TranslogError `FORK`, `CONSISTENCY_BROKEN` where the others cosigned another tree.
   */
  async awaited(contract: VerifiedContract): Promise<Awaited> {
    if (this.readTo.has(contract.id)) {
      // A clock that was behind takes an old cosignature for a new one. What the log shows since is therefore read as well.
      await this.readOwnRecords(contract)
      return []
    }
    const others = contract.dataOwners.filter((owner) => owner !== this.agent.keys.party)
    if (others.length === 0 && (await this.needsCountByHand())) return ['a person (sealroom restore --count)']
    const { note } = await this.agent.client.checkpoint()
    const { origin, logKey } = this.agent.config.log
    const checkpoint = await verifySignedCheckpoint(note, { origin, key: logKey })
    const missing: string[] = []
    for (const owner of others)
      if (!(await this.cosignedSinceStart(note, contract, owner))) missing.push(contract.labelOf(owner))
    if (missing.length > 0) {
      await this.askForCosignatures(contract)
      return missing
    }
    await followLog(this.agent, checkpoint.size)
    // What this agent reads must be what the others cosigned; a longer tree of its own would say nothing about theirs.
    await expectOnTheWay(this.agent, checkpoint)
    await this.readOwnRecords(contract)
    return []
  }

  private async cosignedSinceStart(
    note: string,
    contract: VerifiedContract,
    owner: string,
  ): Promise<boolean> {
    const witness = {
      name: witnessName(this.agent.config.log.origin, owner),
      key: contract.chainOf(owner).newest.payload.daemonKey,
    }
    const cosignature = await findCosignature(parseNote(note), witness)
    return cosignature !== undefined && cosignature.timeSeconds * 1000 >= this.startedAt
  }

  // A restored sole owner has nobody whose cosignature would show that the log is whole: a person says what was spent.
  private async needsCountByHand(): Promise<boolean> {
    return (await this.agent.store.get(spaces.state, 'restored')) === 'uncounted'
  }

  private async askForCosignatures(contract: VerifiedContract): Promise<void> {
    if (this.agent.now() < this.askNextAt) return
    this.askNextAt = this.agent.now() + this.pause
    this.pause = Math.min(this.pause * 2, longestPauseMilliseconds)
    await this.agent.client.requestCosignatures(contract.id)
  }

  /** Reads every Spend and KeyRelease of this agent's own in the log that its store does not know, from where it last ended. */
  private async readOwnRecords(contract: VerifiedContract): Promise<void> {
    const self = signerPseudonym(contract.logSecret, this.agent.keys.party)
    const from = this.readTo.get(contract.id) ?? 0
    const leaves = await leavesUnder(this.agent, 'signer', self, from)
    const given = leaves.filter(({ type }) => type === 'spend' || type === 'key-release')
    const known = given.length === 0 ? new Set<Digest>() : await this.knownRecords()
    for (const { digest, type } of given) {
      if (known.has(digest)) continue
      if (type === 'spend')
        await adoptSpend(this.agent, contract, await this.ownStatement(contract, spendKind, digest))
      else await adoptRelease(this.agent, contract, await this.ownStatement(contract, keyReleaseKind, digest))
    }
    this.readTo.set(contract.id, (leaves.at(-1)?.index ?? from - 1) + 1)
  }

  private async knownRecords(): Promise<ReadonlySet<Digest>> {
    const { store } = this.agent
    const spends = (await store.list(spaces.spends)).map(([, { digest }]) => digest)
    const runs = (await store.list(spaces.runs)).map(([, record]) => record)
    return new Set([
      ...spends,
      ...runs.flatMap(({ releases }) => Object.values(releases).map(statementDigest)),
    ])
  }

  private async ownStatement<P extends { readonly by: string }>(
    contract: VerifiedContract,
    kind: StatementKind<P>,
    digest: Digest,
  ): Promise<Verified<P>> {
    const { statement } = await this.agent.client.statement(digest)
    const chain = contract.chainOf(this.agent.keys.party)
    const verified = await verifyPartyStatement(kind, statement, chain, { newestOnly: false })
    if (verified.digest !== digest)
      throw new AgentError(
        'LOG_MISBEHAVED',
        `a ${kind.type} of this agent's in the log (${digest}) is shown as another statement`,
      )
    return verified
  }
}
