/** One run from its bodies: acts by kind, Offers with the verdict on their evidence. */
import type { TrustedHardware } from '#libs/attestation'
import {
  digest,
  domains,
  fromBase64url,
  type Digest,
  type StatementKind,
  type StatementType,
} from '#libs/canonical'
import type { AppraisalFact } from '#libs/contract'
import {
  acceptKind,
  approvalKind,
  denialKind,
  evidenceKind,
  fetchKind,
  keyReleaseKind,
  nonceKind,
  offerSetDigest,
  outputKeysKind,
  receiptKind,
  refusalKind,
  runRequestKind,
  spendKind,
  startKind,
  type Accept,
  type EvidenceStatement,
  type Offer,
  type RunRequest,
} from '#libs/protocol'
import { recordedCollateral, type ShownAccept } from '../trust/recorded-collateral.js'
import { repeatVerdict } from '../trust/repeat-verdict.js'
import type { Act, AppraisedOffer, ContractHistory, HiddenEntry, RunHistory } from './history.js'
import type { ActReader, PlacedBody, Signed } from './read-acts.js'

interface OfRun extends Signed {
  readonly contract: Digest
  readonly run: Digest
}

/** What a run is made of before its contract and its hidden entries are known. */
type Mutable<T> = { -readonly [Name in keyof T]: T[Name] extends readonly (infer Item)[] ? Item[] : T[Name] }

/** Reads bodies one after the other in the log's order, and sorts them into runs. */
export class RunsReader {
  private readonly runs = new Map<Digest, Mutable<RunHistory>>()
  private readonly offerByKey = new Map<
    string,
    { readonly offer: Act<Offer>; readonly run: Mutable<RunHistory> }
  >()
  /** Key: digest of the statement. */
  private readonly acceptAttachments = new Map<Digest, string>()
  private readonly evidenceBytes = new Map<Digest, Uint8Array>()

  private readonly readers: Partial<Record<StatementType, (body: PlacedBody) => Promise<void>>> = {
    'run-request': (body) => this.request(body),
    approval: (body) => this.party(approvalKind, body, (run) => run.approvals),
    denial: (body) => this.party(denialKind, body, (run) => run.denials),
    nonce: (body) => this.nonce(body),
    offer: (body) => this.offer(body),
    evidence: (body) => this.evidence(body),
    accept: (body) => this.accept(body),
    spend: (body) => this.party(spendKind, body, (run) => run.spends),
    'key-release': (body) => this.party(keyReleaseKind, body, (run) => run.releases),
    refusal: (body) => this.party(refusalKind, body, (run) => run.refusals),
    start: (body) => this.enclave(startKind, body, (run) => run.starts),
    receipt: (body) => this.enclave(receiptKind, body, (run) => run.receipts),
    'output-keys': (body) => this.enclave(outputKeysKind, body, (run) => run.outputKeys),
    fetch: (body) => this.party(fetchKind, body, (run) => run.fetches),
  }

  constructor(
    private readonly reader: ActReader,
    private readonly contracts: ReadonlyMap<Digest, ContractHistory>,
    private readonly hardware: TrustedHardware,
  ) {}

  /** Takes a body up; a type that belongs to no run is left alone. */
  async read(body: PlacedBody): Promise<void> {
    await this.readers[body.type]?.(body)
  }

  /** The runs, with verdicts on their evidence. */
  async finish(
    hidden: ReadonlyMap<Digest, readonly HiddenEntry[]>,
    contracts: readonly ContractHistory[],
  ): Promise<readonly RunHistory[]> {
    const runs: RunHistory[] = []
    for (const run of this.runs.values()) {
      const offers = await Promise.all(run.offers.map((offer) => this.appraise(run, offer)))
      const contract = contracts.find(({ id }) => id === run.contract.id) ?? run.contract
      runs.push({ ...run, contract, offers, hidden: hidden.get(run.id) ?? [] })
    }
    return runs
  }

  get ids(): readonly { readonly id: Digest; readonly contract: ContractHistory }[] {
    return [...this.runs.values()].map(({ id, contract }) => ({ id, contract }))
  }

  private async request(body: PlacedBody): Promise<void> {
    const act: Act<RunRequest> | null = await this.reader.byParty(runRequestKind, body)
    if (act === null) return
    const run = this.runOf({ ...act, payload: { ...act.payload, run: act.id } })
    if (run === null) return
    const sealed =
      body.attachment === null ? null : digest(domains.ciphertext, fromBase64url(body.attachment))
    if (sealed !== null && sealed !== act.payload.sealed.digest)
      this.reader.refuse('request.sealed', body, `sealed part ${act.payload.sealed.digest}`, sealed)
    this.names(run, act, act.payload.by)
    run.request = act
  }

  private async nonce(body: PlacedBody): Promise<void> {
    const act = await this.reader.byParty(nonceKind, body)
    if (act !== null) this.runOf(act)?.nonces.push(act.statement)
  }

  private async accept(body: PlacedBody): Promise<void> {
    await this.party(acceptKind, body, (run) => run.accepts)
    if (body.attachment !== null) this.acceptAttachments.set(body.digest, body.attachment)
  }

  private shownAccepts(accepts: readonly Act<Accept>[]): readonly ShownAccept[] {
    return accepts.map(({ payload, statement }) => ({
      payload,
      attachment: this.acceptAttachments.get(statement.digest) ?? null,
    }))
  }

  private async party<P extends OfRun>(
    kind: StatementKind<P>,
    body: PlacedBody,
    list: (run: Mutable<RunHistory>) => Act<P>[],
  ): Promise<void> {
    const act = await this.reader.byParty(kind, body)
    const run = act === null ? null : this.runOf(act)
    if (act === null || run === null) return
    this.names(run, act, act.payload.by)
    list(run).push(act)
  }

  private async enclave<P extends OfRun>(
    kind: StatementKind<P>,
    body: PlacedBody,
    list: (run: Mutable<RunHistory>) => Act<P>[],
  ): Promise<void> {
    const signer = this.offerByKey.get(body.kid)
    if (signer === undefined) {
      this.reader.withoutOffer(body)
      return
    }
    const act = await this.reader.byKey(kind, body, signer.offer.payload.receiptKey)
    if (act === null) return
    if (act.payload.run !== signer.run.id) {
      this.reader.refuse('authority', body, `an act of run ${signer.run.id}, as its Offer`, act.payload.run)
      return
    }
    this.names(signer.run, act, act.payload.by)
    list(signer.run).push(act)
  }

  private async offer(body: PlacedBody): Promise<void> {
    const act = await this.reader.offer(body)
    const run = act === null ? null : this.runOf(act)
    if (act === null || run === null) return
    this.names(run, act, act.payload.by)
    this.offerByKey.set(act.payload.by, { offer: act, run })
    run.offers.push({
      ...act,
      set: offerSetDigest([act.id]),
      evidence: null,
      appraisal: null,
      acceptedOn: new Map(),
    })
  }

  private async evidence(body: PlacedBody): Promise<void> {
    const found: Act<EvidenceStatement>[] = []
    await this.enclave(evidenceKind, body, () => found)
    const [act] = found
    if (act === undefined) return
    const bytes = fromBase64url(body.attachment ?? '')
    const seen = digest(domains.evidenceBytes, bytes)
    if (seen !== act.payload.evidenceDigest) {
      this.reader.refuse('evidence.bytes', body, `evidence bytes ${act.payload.evidenceDigest}`, seen)
      return
    }
    this.evidenceBytes.set(act.id, bytes)
    const run = this.runs.get(act.payload.run)
    const at = run?.offers.findIndex(({ id }) => id === act.payload.offer) ?? -1
    const offer = run?.offers[at]
    if (run === undefined || offer?.payload.by !== act.payload.by)
      this.reader.refuse('authority', body, 'the Offer of the same key', act.payload.offer)
    else run.offers[at] = { ...offer, evidence: act }
  }

  private async appraise(run: Mutable<RunHistory>, offer: AppraisedOffer): Promise<AppraisedOffer> {
    const { evidence } = offer
    const evidenceBytes = evidence === null ? undefined : this.evidenceBytes.get(evidence.id)
    if (evidence === null || evidenceBytes === undefined) return offer
    const accepted = run.accepts.filter(({ payload }) => payload.offers === offer.set)
    // An Offer that nobody accepted harms nobody: its evidence was refused, or came too late.
    if (accepted.length === 0) return offer
    const shown = { offer: offer.statement, evidence: evidence.statement, evidenceBytes }
    const acceptedOn = new Map<Digest, AppraisalFact>()
    for (const accept of accepted) {
      const own = this.shownAccepts([accept])
      const isShown = recordedCollateral(own, offer.payload.place).length > 0
      const { fact } = await repeatVerdict(run.contract, shown, {
        now: accept.issuedAt,
        ...this.hardware,
        accepts: isShown ? own : this.shownAccepts(accepted),
      })
      acceptedOn.set(accept.id, fact)
    }
    const facts = [...acceptedOn.values()]
    const proven = facts.find(({ failed }) => failed.length === 0)
    return { ...offer, appraisal: proven ?? facts[0] ?? null, acceptedOn }
  }

  private names(run: Mutable<RunHistory>, act: Act<Signed>, signer: string): void {
    this.reader.expectPseudonyms(act, run.contract.terms.log.secret, signer, run.id)
  }

  private runOf({
    payload,
  }: {
    readonly payload: { readonly run: Digest; readonly contract: Digest }
  }): Mutable<RunHistory> | null {
    const known = this.runs.get(payload.run)
    if (known !== undefined) return known.contract.id === payload.contract ? known : null
    const contract = this.contracts.get(payload.contract)
    if (contract === undefined) return null
    const run = emptyRun(payload.run, contract)
    this.runs.set(run.id, run)
    return run
  }
}

function emptyRun(id: Digest, contract: ContractHistory): Mutable<RunHistory> {
  return {
    id,
    contract,
    request: null,
    approvals: [],
    denials: [],
    nonces: [],
    offers: [],
    accepts: [],
    spends: [],
    releases: [],
    refusals: [],
    starts: [],
    receipts: [],
    outputKeys: [],
    fetches: [],
    hidden: [],
  }
}
