/**
 * What must hold after every step, whoever lied. The test sees more than anyone: every message that was ever let out of hand, whether
 * or not it arrived, the workers' keys, and the owners' data keys. It believes no agent's own account.
 */
import { equalBytes, unverifiedStatement, type Digest, type Verified } from '#libs/canonical'
import { keyInfo, openKey } from '#libs/envelope'
import {
  offerSetDigest,
  type Accept,
  type KeyRelease,
  type Offer,
  type OutputKeys,
  type Refusal,
  type RunRequest,
  type Spend,
} from '#libs/protocol'
import type { TestRequest } from '#libs/testing'
import { toBase64url } from '#libs/canonical'
import { limit, owners, type OwnerLabel } from './cast.js'
import type { Heard } from './keeper.js'
import type { Owner } from './owner.js'
import type { World } from './world.js'

export class Violation extends Error {}

interface Counts {
  releases: number
  completed: number
  refusals: number
}

export class Invariants {
  readonly counts: Counts = { releases: 0, completed: 0, refusals: 0 }
  private checked = 0
  private readonly requests = new Map<Digest, TestRequest>()
  /** how much had been heard when an owner withdrew */
  private readonly withdrawals = new Map<OwnerLabel, number>()
  private readonly releases = new Map<string, string>()
  private readonly spends = new Map<string, Heard>()
  private readonly spendIds = new Map<string, Spend>()
  private readonly clearKeys: readonly string[]

  constructor(private readonly world: World) {
    this.clearKeys = owners.flatMap((label) =>
      world.cast.versions[label].segments.map(({ key }) => toBase64url(key)),
    )
  }

  asked(asked: TestRequest): void {
    this.requests.set(asked.request.id, asked)
  }

  request(run: Digest): TestRequest {
    const asked = this.requests.get(run)
    if (asked === undefined) throw new RangeError(`nobody asked for ${run}`)
    return asked
  }

  withdrew(label: OwnerLabel): void {
    this.withdrawals.set(label, this.world.keeper.heard.length)
  }

  /** Looks at everything that was said since it last looked. @throws Violation. */
  async check(): Promise<void> {
    const { heard } = this.world.keeper
    for (; this.checked < heard.length; this.checked++) {
      const said = heard[this.checked]
      if (said !== undefined) await this.look(said, this.checked)
    }
  }

  private async look(said: Heard, at: number): Promise<void> {
    this.noClearKey(said)
    if (said.type === 'spend') this.spend(said, at)
    if (said.type === 'key-release') await this.release(said, at)
    if (said.type === 'output-keys') this.outputKeys(said, at)
    if (said.type === 'refusal') this.refusal(said)
  }

  private noClearKey({ jws, type }: Heard): void {
    const text = Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()
    expect(!this.clearKeys.some((key) => text.includes(key)), `a ${type} holds a data key in the clear`)
  }

  /** Never two Spends with one number, and never one given back. */
  private spend(said: Heard, at: number): void {
    const spend = said.payload as unknown as Spend
    const number = `${spend.by} ${spend.dataset} ${spend.sequence}`
    const known = this.spends.get(number)
    this.spendIds.set(said.id, spend)
    expect(spend.total.runs === spend.sequence, `Spend ${number} has a total of ${spend.total.runs} runs`)
    expect(
      (spend.previous === null) === (spend.sequence === 1) &&
        (spend.previous === null || this.spendIds.get(spend.previous)?.sequence === spend.sequence - 1),
      `Spend ${number} does not follow the one before`,
    )
    // A Spend that no log ever held is nowhere but in the coordinator's hand: a restored agent cannot know of it, and no key rests on it.
    // One whose clock is behind may sign before it is shown the Spend; that no second key follows is asked of every KeyRelease.
    const lost =
      known !== undefined &&
      this.restored(spend.by) &&
      (this.ownerOf(spend.by).restoredBehind || !this.wasCosigned([known.digest], at))
    if (known === undefined || lost) this.spends.set(number, said)
    else expect(known.id === said.id, `two Spends have the number ${number}`)
  }

  private async release(said: Heard, at: number): Promise<void> {
    const release = said.payload as unknown as KeyRelease
    const owner = this.labelOf(release.by)
    const where = `the KeyRelease of ${owner} for run ${release.run}`
    const place = `${release.run} ${release.by} ${release.dataset} ${release.place}`
    const known = this.releases.get(place)
    expect(known === undefined || known === said.jws, `${where} is a second one with other bytes`)
    if (known !== undefined) return
    this.releases.set(place, said.jws)
    this.counts.releases++

    const { request } = this.request(release.run)
    const { offer, at: offeredAt } = this.genuineOffer(release.offer, where)
    expect(
      offer.run === release.run && offer.contract === release.contract,
      `${where} is for an Offer of another run`,
    )
    expect(
      offer.round === release.round && release.offers === offerSetDigest([release.offer]),
      `${where} is for another set of Offers`,
    )
    expect(release.contract === request.payload.contract, `${where} is under another contract`)
    const input = request.payload.inputs.find(
      (own) => own.owner === release.by && own.dataset === release.dataset,
    )
    expect(input?.manifest === release.manifest, `${where} is of a version that the request does not name`)
    this.accepted(release, offeredAt, at, where)
    this.paid(release, request, at, where)
    expect(this.approved(request), `${where} came without the approval that the contract names`)
    expect(!this.withdrawals.has(owner), `${where} came after its withdrawal`)
    const late =
      this.world.owners[owner].skewDays === 0 && this.world.keeper.now() > Date.parse(offer.expiresAt)
    expect(!late, `${where} came after the Offer's expiry`)
    expect(
      this.runsReleased(release.by, request.payload.computation) <= limit,
      `${where} is one more than the contract's limit`,
    )
    await this.sealedToIt(said, release, offer, where)
  }

  private genuineOffer(id: Digest, where: string): { readonly offer: Offer; readonly at: number } {
    const { heard } = this.world.keeper
    const at = heard.findIndex((one) => one.from === 'worker' && one.type === 'offer' && one.id === id)
    const offer = heard[at]?.payload as unknown as Offer | undefined
    if (offer === undefined) throw new Violation(`${where} is for an Offer that no worker made`)
    const evidence = heard.some(
      (one) => one.from === 'worker' && one.type === 'evidence' && one.payload['offer'] === id,
    )
    expect(evidence, `${where} is for an Offer without evidence`)
    return { offer, at }
  }

  private accepted(release: KeyRelease, from: number, to: number, where: string): void {
    const accept = this.world.keeper.heard.slice(from, to).find(({ type, payload }) => {
      const accepted = payload as unknown as Accept
      return type === 'accept' && accepted.by === release.by && accepted.offers === release.offers
    })
    expect(accept !== undefined, `${where} came before its owner's Accept of that Offer`)
  }

  /** All Spends of the run in a checkpoint that all owners had cosigned by then. */
  private paid(release: KeyRelease, request: Verified<RunRequest>, at: number, where: string): void {
    const before = this.world.keeper.heard
      .slice(0, at)
      .filter(({ type, payload }) => type === 'spend' && payload.run === release.run)
    expect(
      before.some(({ id }) => id === release.spend),
      `${where} rests on a Spend that was not made before`,
    )
    const choices = request.payload.inputs.map(({ owner, dataset }) =>
      before
        .filter(({ payload }) => payload.by === owner && payload['dataset'] === dataset)
        .map(({ digest }) => digest),
    )
    expect(
      choices.every((digests) => digests.some((digest) => this.wasCosigned([digest], at))) &&
        this.wasCosigned(
          choices.flatMap((digests) => digests.slice(0, 1)),
          at,
        ),
      `${where} came before all Spends were in a checkpoint that all owners cosigned`,
    )
  }

  /** Whether a checkpoint that holds all of these had been cosigned by every owner, when so much had been heard. */
  private wasCosigned(digests: readonly Digest[], at: number): boolean {
    const { cosignatures, trees } = this.world.keeper
    const parties = owners.map((label) => this.world.cast.parties[label].thumbprint)
    const roots = new Map(
      cosignatures.filter(({ after }) => after <= at).map(({ root, size }) => [root, size]),
    )
    return [...roots].some(
      ([root, size]) =>
        parties.every((party) =>
          cosignatures.some((line) => line.root === root && line.party === party && line.after <= at),
        ) &&
        trees.some(
          (tree) =>
            tree.size() >= size &&
            tree.rootAt(size) === root &&
            digests.every((digest) => (tree.indexOf(digest) ?? Infinity) < size),
        ),
    )
  }

  private approved(request: Verified<RunRequest>): boolean {
    const terms = this.world.cast.contract.terms.computations[request.payload.computation]
    if (terms?.approvals === undefined) return true
    return this.world.keeper
      .run(request.id)
      .statements.some(({ type, index }) => type === 'approval' && index !== null)
  }

  private runsReleased(owner: string, computation: string): number {
    const runs = [...this.releases.keys()].map((place) => place.split(' ')).filter(([, by]) => by === owner)
    return new Set(
      runs.flatMap(([run = '']) =>
        this.request(run).request.payload.computation === computation ? [run] : [],
      ),
    ).size
  }

  /** The keys in it open for the worker whose Offer it names, are the owner's, and are no more than the manifest's segments. */
  private async sealedToIt({ jws }: Heard, release: KeyRelease, offer: Offer, where: string): Promise<void> {
    const keys = this.world.workers
      .flatMap((worker) => worker.keys)
      .find(({ receipt }) => receipt.thumbprint === offer.by)
    if (keys === undefined) throw new Violation(`${where} is sealed to nobody's key`)
    const place = {
      sender: unverifiedStatement(jws).kid,
      recipient: offer.by,
      contract: release.contract,
      run: release.run,
      offer: release.offer,
      set: release.offers,
      manifest: release.manifest,
    }
    const { segments } = this.world.cast.versions[this.labelOf(release.by)]
    for (const { segment, key } of release.segmentKeys) {
      const info = keyInfo({ purpose: 'segment-key', ...place, segment })
      const opened = await openKey(keys.sealing, key, info).catch(() => new Uint8Array())
      const own = segments.find(({ name }) => name === segment)
      expect(
        own !== undefined && equalBytes(opened, own.key),
        `${where} is sealed to another key than that of its Offer`,
      )
    }
  }

  private outputKeys(said: Heard, at: number): void {
    const { receipt, run } = said.payload as unknown as OutputKeys
    const recorded = this.world.keeper.heard
      .slice(0, at)
      .find(({ type, id }) => type === 'receipt' && id === receipt)
    expect(
      recorded !== undefined && this.wasCosigned([recorded.digest], at),
      `output keys of run ${run} came before its Receipt was in a cosigned checkpoint`,
    )
    this.counts.completed++
  }

  private refusal(said: Heard): void {
    const { reasons, run } = said.payload as unknown as Refusal
    this.counts.refusals++
    const whole = reasons.every((reason) =>
      [reason.rule, reason.expected, reason.seen, reason.who].every((text) => text !== ''),
    )
    expect(reasons.length > 0 && whole, `a Refusal of run ${run} does not explain itself`)
  }

  private restored(thumbprint: string): boolean {
    return this.ownerOf(thumbprint).restores > 0
  }

  private ownerOf(thumbprint: string): Owner {
    return this.world.owners[this.labelOf(thumbprint)]
  }

  private labelOf(thumbprint: string): OwnerLabel {
    const label = owners.find((one) => this.world.cast.parties[one].thumbprint === thumbprint)
    if (label === undefined) throw new Violation(`${thumbprint} is no data owner and gave something away`)
    return label
  }
}

function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Violation(otherwise)
}
