/**
 * One data owner's part in one run (design: section 4, steps 1 to 5). What to do next follows from what is recorded and from
 * what this agent has signed itself, so the same news may come twice, late or in another order. Everything that this agent
 * signs is on disk before it is sent, and sent again as the same bytes.
 */
import type { Digest } from '#libs/canonical'
import { decide, reasonsOf, type Act, type FactsOf, type Refusal } from '#libs/contract'
import { runEndStates, type RunView } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { spaces, type RunRecord } from '../store/records.js'
import { findLeaf } from '../trust/log-follower.js'
import { notVerified } from '../trust/run-reader.js'
import { verifyRun, type VerifiedRun } from '../trust/verify-run.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import { expectWholeRecord } from '../trust/whole-record.js'
import { acceptRound } from './accept-round.js'
import type { AfterStart, Awaited } from './after-start.js'
import { recordChecks, recordDecision } from './checks.js'
import { acceptFacts, agreeFacts } from './facts.js'
import type { LiveRounds } from './live-round.js'
import { readSpendRecord } from './recorded-spends.js'
import { refuse } from './refuse.js'
import { releaseKeys, releasing, type Handing } from './release-keys.js'
import { sendOnce } from './send-once.js'
import { signNonce } from './sign-nonce.js'
import { changeRun, runRecord } from './run-record.js'
import { spend, spendsOf } from './spending.js'

/** What acting on runs needs beside the agent. */
export interface Acting {
  readonly agent: Agent
  readonly afterStart: AfterStart
  readonly liveRounds: LiveRounds
  /** what was last answered to each run, by this process */
  readonly answers: Map<Digest, string>
  /** begins to renew this owner's lease; ends by itself when the run does */
  readonly keepLease: (contract: VerifiedContract, run: VerifiedRun) => void
}

/** What this agent waits for in a run, in words; null where it has nothing left to do for now. */
export type Waiting = string | null

/**
 * Does the next thing that this owner owes a run.
 * @throws whatever verification throws; nothing was then signed.
 */
export async function actOnRun(acting: Acting, contract: VerifiedContract, view: RunView): Promise<Waiting> {
  const { agent } = acting
  const run = await verifyRun(contract, view, 'live')
  const own = run.request.payload.inputs.filter(({ owner }) => owner === agent.keys.party)
  if (own.length === 0 || !contract.ownSignature) return null
  // Before anything is read of this run: what an earlier life of this agent did in it may stand in the log alone.
  const awaited = await acting.afterStart.awaited(contract)
  await expectWholeRecord(agent, contract, view)
  const record = await runRecord(agent, contract.id, run.id)
  if (await noteOutcome(agent, run, record)) return null
  if (record.adopted)
    return 'nobody: this run was spent before a restore, and nothing more is released for it'
  if (record.refusal !== null) return await sendOnce(agent, view, record.refusal)
  if (isOver(view) || run.refusals.length > 0) return null
  if (Object.keys(record.releases).length > 0)
    return await resendReleases(acting, contract, run, record, awaited)
  return await nextStep(acting, contract, run, record, awaited)
}

// Before the first Spend a round may end without a word from anyone; then nothing of it counts and another may begin.
const betweenRounds: readonly string[] = [
  'awaitingApprovals',
  'awaitingOwners',
  'awaitingWorker',
  'collectingNonces',
]

async function nextStep(
  acting: Acting,
  contract: VerifiedContract,
  run: VerifiedRun,
  record: RunRecord,
  awaited: Awaited,
): Promise<Waiting> {
  const { agent } = acting
  const spent = await spendsOf(agent, run.id)
  for (const { statement } of spent.values()) await sendOnce(agent, run.view, statement)
  if (spent.size === 0 && betweenRounds.includes(run.view.state))
    return await agree(acting, contract, run, awaited)
  // In the middle of a round it is only waited: the others cosign within a moment, and a Refusal would end the run for good.
  if (awaited.length > 0) return cosignedBy(awaited)
  if (spent.size > 0) return await release(acting, contract, run, record)
  if (record.accept !== null && record.round === run.round) {
    await sendOnce(agent, run.view, record.accept, record.acceptCollateral ?? undefined)
    return await spendAll(acting, contract, run)
  }
  if (run.offers.length > 0) return await acceptIfLive(acting, contract, run)
  return await agree(acting, contract, run, awaited)
}

function cosignedBy(awaited: Awaited): string {
  return `a checkpoint cosigned since this agent's start by ${awaited.join(', ')}`
}

async function agree(
  acting: Acting,
  contract: VerifiedContract,
  run: VerifiedRun,
  awaited: Awaited,
): Promise<Waiting> {
  const { agent } = acting
  const facts = await agreeFacts(agent, contract, run)
  const refusals = await decideHere(acting, contract, run, 'agree', facts)
  if (refusals.length === 0 && awaited.length === 0) {
    if (hasLostNonce(acting, run)) return await answer(acting, run, 'waiting', lostNonce(run))
    if (run.view.state === 'collectingNonces') return await signNonce(acting, contract, run)
    return await answer(acting, run, 'ready', '')
  }
  if (awaited.length > 0) return await answer(acting, run, 'waiting', cosignedBy(awaited))
  const reason = refusals.map(({ text }) => text).join(' ')
  if (refusals.every(isPassing) && facts.consent !== 'declined')
    return await answer(acting, run, 'waiting', reason)
  return await refuse(agent, contract, run, 'request', refusals)
}

// A person, an approver or the log may still say what is missing; everything else stays as it is for this request.
function isPassing({ rule }: Refusal): boolean {
  return rule === 'owner.consent' || rule === 'approvals.count' || rule === 'facts.complete'
}

// Said again only when it changes: every answer is news to everyone in the run.
async function answer(
  { agent, answers }: Acting,
  run: VerifiedRun,
  state: 'ready' | 'waiting',
  reason: string,
): Promise<Waiting> {
  const said = `${state} ${reason} ${run.round}`
  if (answers.get(run.id) !== said)
    await agent.client.readiness({ run: run.id, state, reason: reason.slice(0, 500) })
  answers.set(run.id, said)
  return state === 'ready' ? null : reason
}

// A nonce lives in memory only. Where a restart lost it, this round comes to nothing; saying so lets another begin at once.
async function acceptIfLive(acting: Acting, contract: VerifiedContract, run: VerifiedRun): Promise<Waiting> {
  if (acting.liveRounds.get(run.id)?.round === run.round) return await accept(acting, contract, run)
  return await answer(acting, run, 'waiting', lostNonce(run))
}

const beforeAccepts: readonly string[] = ['collectingNonces', 'awaitingOffer', 'collectingAccepts']

/** Whether the round under way rests on a nonce that this agent gave in an earlier life. */
function hasLostNonce({ agent, liveRounds }: Acting, run: VerifiedRun): boolean {
  if (!beforeAccepts.includes(run.view.state) || liveRounds.get(run.id)?.round === run.round) return false
  return run.nonces.some(({ payload }) => payload.by === agent.keys.party)
}

function lostNonce({ round }: VerifiedRun): string {
  return `a new round: this agent has no nonce of round ${round} since its start`
}

async function accept(acting: Acting, contract: VerifiedContract, run: VerifiedRun): Promise<Waiting> {
  const { agent } = acting
  const { facts, verdicts } = await establish(acting, contract, run)
  await recordChecks(
    agent,
    run.id,
    'attestation',
    verdicts.flatMap(({ checks }) => checks),
  )
  const refusals = await decideHere(acting, contract, run, 'accept', facts)
  if (refusals.length > 0) return await refuse(agent, contract, run, 'accept', refusals)
  await acceptRound(acting, contract, run, { offerSet: facts.offerSet, verdicts })
  return null
}

async function spendAll(acting: Acting, contract: VerifiedContract, run: VerifiedRun): Promise<Waiting> {
  const { agent } = acting
  if (
    !everyOwner(
      run,
      run.accepts.map(({ payload }) => payload.by),
    )
  )
    return 'the Accepts of all owners'
  const { facts } = await establish(acting, contract, run)
  const refusals = await decideHere(acting, contract, run, 'spend', facts)
  if (refusals.length > 0) return await refuse(agent, contract, run, 'spend', refusals)
  const datasets = ownDatasets(agent, run)
  const spends = await spend(
    agent,
    contract,
    { id: run.id, computation: run.request.payload.computation },
    datasets,
  )
  for (const { statement } of spends) await sendOnce(agent, run.view, statement)
  return null
}

async function release(
  acting: Acting,
  contract: VerifiedContract,
  run: VerifiedRun,
  record: RunRecord,
): Promise<Waiting> {
  const verdict = await decideRelease(acting, contract, run, Object.keys(record.releases))
  if (verdict === null) return spendsAwaited
  if (verdict.refusals.length > 0)
    return await refuse(acting.agent, contract, run, 'release', verdict.refusals)
  await releaseKeys(acting.agent, contract, run, verdict.handing)
  acting.keepLease(contract, run)
  return null
}

const spendsAwaited = 'all Spends in one checkpoint that every data owner has cosigned'

/** The last decision before keys are sent, or null while it cannot be made. */
async function decideRelease(
  acting: Acting,
  contract: VerifiedContract,
  run: VerifiedRun,
  releasedBefore: readonly string[],
): Promise<{ readonly handing: readonly Handing[]; readonly refusals: readonly Refusal[] } | null> {
  const { agent } = acting
  const spendRecord = await readSpendRecord(agent, contract, run)
  if (spendRecord === null) return null
  const { facts } = await establish(acting, contract, run)
  const handing = await releasing(agent, contract, run)
  const refusals = await decideHere(acting, contract, run, 'release', {
    ...facts,
    spendRecord,
    releasedBefore: releasedBefore.map((dataset) => ({ dataset, place: 0 })),
    releasing: handing.map(({ dataset, manifest }) => ({ dataset, manifest, place: 0 })),
  })
  return { handing, refusals }
}

async function resendReleases(
  acting: Acting,
  contract: VerifiedContract,
  run: VerifiedRun,
  record: RunRecord,
  awaited: Awaited,
): Promise<Waiting> {
  const { agent } = acting
  const recorded = new Set(run.view.statements.map(({ statement }) => statement))
  const unsent = Object.values(record.releases).filter((statement) => !recorded.has(statement))
  if (unsent.length > 0) {
    // What nobody has got yet is handed over now, and only if it may be now: an Offer may have expired, data been withdrawn.
    if (awaited.length > 0) return cosignedBy(awaited)
    const verdict = await decideRelease(acting, contract, run, [])
    if (verdict === null) return spendsAwaited
    if (verdict.refusals.length > 0) return await refuse(agent, contract, run, 'release', verdict.refusals)
  }
  for (const statement of unsent) await sendOnce(agent, run.view, statement)
  if (run.outputKeys === null) acting.keepLease(contract, run)
  return null
}

async function establish(acting: Acting, contract: VerifiedContract, run: VerifiedRun) {
  const awaited = await acting.afterStart.awaited(contract)
  if ((await runRecord(acting.agent, contract.id, run.id)).adopted)
    throw notVerified(
      `the log has a Spend or a KeyRelease of this agent for run ${run.id} that its store had not`,
    )
  const live = acting.liveRounds.get(run.id) ?? (await acceptedRound(acting.agent, run.id))
  return await acceptFacts(acting.agent, contract, run, { caughtUp: awaited.length === 0, live })
}

// An Accept is durable: a restarted daemon goes on from it until its Offers expire.
async function acceptedRound(agent: Agent, run: Digest) {
  const record = await agent.store.get(spaces.runs, run)
  return record?.acceptedNonce == null ? null : { round: record.round, nonce: record.acceptedNonce }
}

async function decideHere<A extends Act>(
  { agent }: Acting,
  contract: VerifiedContract,
  run: VerifiedRun,
  act: A,
  facts: Partial<FactsOf<A>>,
): Promise<readonly Refusal[]> {
  const refusals = reasonsOf(decide(contract.contract, act, facts))
  await recordDecision(agent, run.id, act, refusals)
  return refusals
}

/** Takes note of how a run ended, once its Receipt is in the log. Answers whether there is nothing left to do. */
async function noteOutcome(agent: Agent, run: VerifiedRun, record: RunRecord): Promise<boolean> {
  if (run.receipt === null || (await findLeaf(agent, run.receipt.digest)) === undefined) return false
  const { outcome } = run.receipt.payload
  if (record.outcome !== outcome) await changeRun(agent, record.contract, run.id, { outcome })
  return run.outputKeys !== null || outcome !== 'completed'
}

function isOver(view: RunView): boolean {
  return (runEndStates as readonly string[]).includes(view.state)
}

function everyOwner(run: VerifiedRun, there: readonly string[]): boolean {
  return run.request.payload.inputs.every(({ owner }) => there.includes(owner))
}

function ownDatasets(agent: Agent, run: VerifiedRun): readonly string[] {
  return run.request.payload.inputs
    .filter(({ owner }) => owner === agent.keys.party)
    .map(({ dataset }) => dataset)
}
