/** What a Receipt says, held against the statements of its run and the contract. Pure; signatures were verified before. */
import type { Digest, Verified } from '#libs/canonical'
import { controlTitles, keyOf, outputOf, type ContractTerms } from '#libs/contract'
import {
  offerSetDigest,
  type Accept,
  type EvidenceStatement,
  type KeyRelease,
  type Nonce,
  type Offer,
  type Receipt,
  type RunRequest,
  type Spend,
} from '#libs/protocol'
import type { CheckList } from './check-list.js'

/** The statements of a run that its Receipt rests on, of the round of its Offers. */
export interface ReceiptGrounds {
  readonly request: Pick<Verified<RunRequest>, 'payload'>
  readonly offers: readonly {
    readonly offer: Pick<Verified<Offer>, 'id' | 'payload'>
    readonly evidence: Pick<Verified<EvidenceStatement>, 'id'>
  }[]
  readonly nonces: readonly Pick<Verified<Nonce>, 'payload'>[]
  readonly accepts: readonly Pick<Verified<Accept>, 'payload'>[]
  readonly spends: readonly { readonly id: Digest; readonly payload: Spend }[]
  readonly releases: readonly { readonly id: Digest; readonly payload: KeyRelease }[]
  readonly start: { readonly id: Digest } | null
}

/** Compares a Receipt with what the record has: Offers, evidence, releases, inputs; outputs, recipients and controls with the contract. */
export function checkReceipt(
  list: CheckList,
  contract: { readonly terms: ContractTerms },
  run: ReceiptGrounds,
  receipt: Receipt,
): void {
  checkStatements(list, run, receipt)
  checkInputs(list, run, receipt)
  checkOutputs(list, contract, receipt)
}

function checkStatements(list: CheckList, run: ReceiptGrounds, receipt: Receipt): void {
  const offers = run.offers.map(({ offer }) => offer.id)
  list.same('receipt.offers', offers, receipt.offers)
  list.same(
    'receipt.evidence',
    run.offers.map(({ evidence }) => evidence.id),
    receipt.evidence,
  )
  list.same('receipt.start', [run.start?.id ?? 'none'], [receipt.start])
  list.same(
    'receipt.releases',
    run.releases.map(({ id }) => id),
    receipt.releases,
  )
  const set = offerSetDigest(offers)
  list.same(
    'release.offers',
    run.releases.map(() => set),
    run.releases.map(({ payload }) => payload.offers),
  )
  list.same(
    'accept.offers',
    run.accepts.map(() => set),
    run.accepts.map(({ payload }) => payload.offers),
  )
  for (const { offer } of run.offers) {
    const nonces = run.nonces.map(({ payload }) => `${payload.by} ${payload.nonce}`)
    list.same(
      'offer.nonces',
      nonces,
      Object.entries(offer.payload.nonces).map(([owner, nonce]) => `${owner} ${nonce}`),
    )
  }
}

function checkInputs(list: CheckList, run: ReceiptGrounds, receipt: Receipt): void {
  const { inputs, computation } = run.request.payload
  list.same('receipt.computation', [computation], [receipt.computation])
  const named = ({ dataset, owner, manifest }: (typeof inputs)[number]) => `${dataset} ${owner} ${manifest}`
  list.same('receipt.inputs', inputs.map(named), receipt.inputs.map(named))
  list.same(
    'receipt.inputs.spend',
    run.spends.map(({ id }) => id),
    receipt.inputs.map(({ spend }) => spend),
  )
}

function checkOutputs(list: CheckList, contract: { readonly terms: ContractTerms }, receipt: Receipt): void {
  const computation = contract.terms.computations[receipt.computation]
  if (computation === undefined) {
    list.check('receipt.computation', 'a computation of the contract', receipt.computation, false)
    return
  }
  if (receipt.outcome !== 'completed') {
    list.check(
      'receipt.outputs',
      'none of a run that did not complete',
      String(receipt.outputs.length),
      receipt.outputs.length === 0,
    )
    return
  }
  list.same(
    'receipt.outputs',
    Object.keys(computation.outputs),
    receipt.outputs.map(({ name }) => name),
  )
  for (const { name, recipients, controls } of receipt.outputs) {
    const terms = outputOf(computation, name)
    if (terms === undefined) continue
    const expected = terms.recipients.map((label) => keyOf(contract.terms, label) ?? '')
    list.same(
      `output ${name}: recipients`,
      expected,
      recipients.map(({ party }) => party),
    )
    const titles = controlTitles(contract.terms, terms, computation.over)
    list.same(`output ${name}: controls`, titles, controls)
  }
}
