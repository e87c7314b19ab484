/** What left: a Receipt of exactly this run, recorded before anything opens it, then keys, then fetches. */
import type { Thumbprint } from '#libs/canonical'
import { witnessQuorum, meetsQuorum } from '#libs/contract'
import { CheckList } from '../../trust/check-list.js'
import { checkReceipt } from '../../trust/check-receipt.js'
import { broken, type Finding } from '../finding.js'
import type { RunHistory } from '../history.js'
import { identityBefore } from '../history.js'
import { cosignersOver, notCosigned, unknownAmong } from '../quorum.js'
import { ownersOf } from './round-rules.js'
import { missing, ofRuns, type Audited, type AuditRule } from './rule.js'

export const outputRules: readonly AuditRule[] = [
  ofRuns('receipt.started', 'one Receipt of a run, after its Start', receiptStarted),
  ofRuns(
    'receipt.content',
    'a Receipt names exactly what the record has: Offers, evidence, releases, inputs, outputs, controls',
    receiptContent,
  ),
  ofRuns('receipt.identities', 'Offer and Receipt name the newest Identities of their time', identities),
  ofRuns(
    'output-keys.recorded',
    'output keys follow the Receipt in a checkpoint of this tree that the quorum cosigned',
    keysRecorded,
  ),
  ofRuns('fetch.keys', 'an output is fetched after its keys are there', fetchKeys),
]

function* receiptStarted(run: RunHistory): Iterable<Finding> {
  for (const [at, receipt] of run.receipts.entries()) {
    if (at > 0)
      yield broken(receipt, 'one Receipt of a run', `another after entry ${run.receipts[0]?.index ?? 0}`)
    const start = run.starts.find(({ id }) => id === receipt.payload.start)
    if (start === undefined)
      yield missing(run, 'start', receipt, `Start ${receipt.payload.start} before it`, 'none')
    else if (start.index > receipt.index) yield broken(receipt, 'its Start before it', `entry ${start.index}`)
  }
}

function* receiptContent(run: RunHistory): Iterable<Finding> {
  const { request, contract } = run
  for (const receipt of run.receipts) {
    const used = run.offers.filter(({ payload }) => payload.by === receipt.payload.by)
    // What of the round is not shown is named by rules of its own.
    if (request === null || used.length === 0 || run.hidden.length > 0) continue
    const [offer] = used
    const list = new CheckList()
    checkReceipt(
      list,
      contract,
      {
        request: request.statement,
        offers: used.flatMap(({ statement, evidence }) =>
          evidence === null ? [] : { offer: statement, evidence: evidence.statement },
        ),
        nonces: run.nonces.filter(({ payload }) => payload.round === offer?.payload.round),
        accepts: run.accepts.filter(({ payload }) => payload.round === offer?.payload.round),
        spends: run.spends,
        releases: run.releases.filter(({ payload }) => payload.offer === offer?.id),
        start: run.starts[0] ?? null,
      },
      receipt.payload,
    )
    if (offer?.appraisal != null) {
      list.same('receipt.simulated', [String(offer.appraisal.simulated)], [String(receipt.payload.simulated)])
      list.same('receipt.build', [offer.payload.build.measurement], [receipt.payload.build.measurement])
    }
    for (const { check, expected, seen, ok } of list.checks)
      if (!ok) yield broken(receipt, `${check}: ${expected}`, seen)
  }
}

function* identities(run: RunHistory, { history }: Audited): Iterable<Finding> {
  for (const offer of run.offers) {
    // An Offer that nobody accepted was refused, for this or another reason.
    if (!run.accepts.some(({ payload }) => payload.offers === offer.set)) continue
    for (const [party, identity] of Object.entries(offer.payload.identities)) {
      if (unknownAmong(history, [party]) !== undefined) continue
      const newest = identityBefore(history, party, offer.index)?.id ?? 'none'
      if (identity !== newest)
        yield broken(offer, `Identity ${newest} of ${history.labelOf(party)}`, identity)
    }
    for (const receipt of run.receipts.filter(({ payload }) => payload.by === offer.payload.by))
      for (const { party, identity } of receipt.payload.outputs.flatMap(({ recipients }) => recipients)) {
        const oneTime =
          identity === null && party === run.request?.payload.by && run.request.payload.resultKey !== null
        const expected = offer.payload.identities[party] ?? 'none'
        if (!oneTime && identity !== expected)
          yield broken(
            receipt,
            `Identity ${expected} of the recipient ${history.labelOf(party)}`,
            identity ?? 'a one-time key',
          )
      }
  }
}

function* keysRecorded(run: RunHistory, { history }: Audited): Iterable<Finding> {
  for (const [at, keys] of run.outputKeys.entries()) {
    if (at > 0)
      yield broken(
        keys,
        'one set of OutputKeys of a run',
        `another after entry ${run.outputKeys[0]?.index ?? 0}`,
      )
    const { receipt: named, checkpoint } = keys.payload
    const receipt = run.receipts.find(({ id }) => id === named)
    if (receipt === undefined) {
      yield missing(run, 'receipt', keys, `Receipt ${named} before it`, 'none')
      continue
    }
    if (receipt.index >= checkpoint.size)
      yield broken(
        keys,
        `a checkpoint of more than ${receipt.index} leaves, which holds the Receipt`,
        `one of ${checkpoint.size}`,
      )
    if (receipt.index > keys.index) yield broken(keys, 'its Receipt before it', `entry ${receipt.index}`)
    if (checkpoint.size > keys.index)
      yield broken(keys, `a checkpoint of at most ${keys.index} leaves`, `one of ${checkpoint.size}`)
    const root = history.rootAt(checkpoint.size)
    if (root !== checkpoint.root)
      yield broken(keys, `root ${root ?? 'unknown'} of ${checkpoint.size} leaves`, checkpoint.root)
    // Whose data went in, and so who must have cosigned, the request says; that it is missing has a rule of its own.
    if (run.request === null) continue
    const quorum = { ...witnessQuorum(run.contract.terms, []), required: ownersOf(run) }
    const cosigners = cosignersOver(history, checkpoint.size)
    if (meetsQuorum(quorum, cosigners)) continue
    const labels = (keys: readonly Thumbprint[]) => keys.map(history.labelOf).join(', ') || 'nobody'
    const expected = `its checkpoint cosigned by ${quorum.quorum} of ${labels(quorum.witnesses)}, and by ${labels(quorum.required)}`
    yield notCosigned(history, quorum.witnesses, keys, expected, labels(cosigners))
  }
}

function* fetchKeys(run: RunHistory): Iterable<Finding> {
  for (const fetch of run.fetches) {
    const [keys] = run.outputKeys
    if (keys === undefined)
      yield missing(run, 'output-keys', fetch, 'the OutputKeys of its run before it', 'none')
    else if (keys.index > fetch.index)
      yield broken(fetch, 'the OutputKeys of its run before it', `entry ${keys.index}`)
  }
}
