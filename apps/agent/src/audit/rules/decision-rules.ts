/**
 * Each act was permitted at its place: the one decision function is asked again, with the facts that the log had then. What a
 * finding names is the rule of `decide` that refuses.
 */
import { decide, witnessQuorum, type Verdict } from '#libs/contract'
import { factsOfOwner, factsOfRequest, receiptFact, requestFact, standingFact } from '../facts-at.js'
import type { Finding } from '../finding.js'
import { unknownAmong } from '../quorum.js'
import type { AppraisedOffer, Place, RunHistory } from '../history.js'
import { ofRuns, type Audited, type AuditRule } from './rule.js'

export const decisionRules: readonly AuditRule[] = [
  ofRuns('request.permitted', 'a request is one that the contract permitted when it was logged', requests),
  ofRuns('vote.permitted', 'who approves or denies is an approver that the contract names', votes),
  ofRuns(
    'owner.permitted',
    'Accepts, Spends and KeyReleases are for an enclave, approvals, inputs and limits that the contract permits',
    owners,
  ),
  ofRuns(
    'output.permitted',
    'output keys and fetches follow a recorded Receipt, and go to recipients',
    outputs,
  ),
  { name: 'stop.permitted', says: 'who withdraws or revokes may do so', findings: stops },
]

function* requests(run: RunHistory, { history, usage }: Audited): Iterable<Finding> {
  const { request, contract } = run
  if (request === null || contract.signed === null) return
  yield* refusals(
    request,
    decide<'admit'>(contract.signed, 'admit', factsOfRequest(history, run, request, usage)),
  )
}

function* votes(
  { request, contract, approvals, denials }: RunHistory,
  { history }: Audited,
): Iterable<Finding> {
  if (request === null || contract.signed === null) return
  for (const vote of [...approvals, ...denials]) {
    const { by, expiresAt } = vote.payload
    const facts = {
      now: vote.issuedAt,
      ...standingFact(history, contract, vote.index),
      request: requestFact(request),
      approver: { by, expiresAt },
    }
    yield* refusals(vote, decide(contract.signed, 'approve', facts))
  }
}

function* owners(run: RunHistory, { history, usage }: Audited): Iterable<Finding> {
  const { request, contract, offers, accepts, spends, releases } = run
  if (request === null || contract.signed === null) return
  const facts = (
    act: { readonly index: number; readonly issuedAt: number; readonly payload: { readonly by: string } },
    offer: AppraisedOffer,
  ) =>
    factsOfOwner(history, run, request, offer, {
      self: act.payload.by,
      now: act.issuedAt,
      index: act.index,
      usage,
    })
  for (const act of accepts) {
    const offer = offers.find(({ set }) => set === act.payload.offers)
    if (offer !== undefined)
      yield* refusals(act, decide<'accept'>(contract.signed, 'accept', facts(act, offer)))
  }
  for (const act of spends) {
    // What was released for is decided on the release, which asks all that a Spend is asked and more.
    if (releases.some(({ payload }) => payload.by === act.payload.by && payload.spend === act.id)) continue
    // A Spend names no Offer: it is for the one that its owner accepted last before it.
    const accepted = accepts.findLast(
      ({ index, payload }) => index < act.index && payload.by === act.payload.by,
    )
    const offer = offers.find(({ set }) => set === accepted?.payload.offers)
    if (offer !== undefined)
      yield* refusals(act, decide<'spend'>(contract.signed, 'spend', facts(act, offer)))
  }
  for (const act of releases) {
    const offer = offers.find(({ set }) => set === act.payload.offers)
    if (offer !== undefined) yield* refusals(act, decide(contract.signed, 'release', facts(act, offer)))
  }
}

function* outputs(run: RunHistory, { history }: Audited): Iterable<Finding> {
  const { request, contract, outputKeys, fetches } = run
  if (request === null || contract.signed === null) return
  const receipt = receiptFact(history, run)
  const { witnesses } = witnessQuorum(contract.terms, [])
  if (receipt === undefined || unknownAmong(history, witnesses) !== undefined) return
  for (const act of outputKeys)
    yield* refusals(act, decide(contract.signed, 'publish', { request: requestFact(request), receipt }))
  // Which checkpoint recorded the Receipt the OutputKeys say; a fetch without them breaks a rule of its own.
  if (outputKeys.length === 0) return
  for (const act of fetches) {
    const { by, run: id, output } = act.payload
    yield* refusals(act, decide(contract.signed, 'fetch', { fetch: { by, run: id, output }, receipt }))
  }
}

function* stops({ history }: Audited): Iterable<Finding> {
  for (const { signed, withdrawals, revocations } of history.contracts) {
    if (signed === null) continue
    for (const act of withdrawals)
      yield* refusals(act, decide(signed, 'withdraw', { withdrawal: act.payload }))
    for (const act of revocations) {
      const { by, contract, subject } = act.payload
      yield* refusals(act, decide(signed, 'revoke', { revocation: { by, contract, kind: subject.kind } }))
    }
  }
}

// What is undetermined rests on facts that only the deciding party had; nothing is claimed about those.
function* refusals({ index, type, id }: Place, verdict: Verdict): Iterable<Finding> {
  if (verdict.decision !== 'deny') return
  for (const { rule, expected, seen } of verdict.refusals)
    yield { kind: 'broken', rule, entry: { index, type, id }, expected, seen }
}
