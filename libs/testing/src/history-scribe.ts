/** The honest parties of a made history, act by act. */
import {
  signStatement,
  toBase64url,
  toHex,
  type SigningKey,
  type StatementKind,
  type StatementType,
  type Verified,
} from '#libs/canonical'
import {
  fetchKind,
  keyReleaseKind,
  manifestKind,
  offerSetDigest,
  outputKeysKind,
  receiptKind,
  runRequestKind,
  startKind,
  type KeyRelease,
  type Manifest,
  type Receipt,
  type RunRequest,
} from '#libs/protocol'
import { digest, domains } from '#libs/canonical'
import { type LeafNames } from './log.js'
import { offerOf } from './offer.js'
import { acceptOf, nonceOf, spendOf, type OwnedRun } from './owner.js'
import { ownFields, type Party } from './party.js'
import { seededBytes } from './random.js'
import { approvalOf } from './request.js'
import type { MadeHistory, MadeStatement } from './history.js'
import { rootOf } from './shown-record.js'

/** Writes honest acts down in their order. */
export class Scribe {
  private readonly made: MadeStatement[] = []
  private readonly checkpoints: { size: number; cosigners: readonly Party[] }[] = []
  private readonly heads = new Map<Party, { id: string; sequence: number }>()
  private readonly manifests = new Map<Party, Verified<Manifest>>()
  private readonly randomBytes = seededBytes('history')
  private size = 0

  constructor(private readonly of: Pick<MadeHistory, 'log' | 'contract' | 'parties' | 'clock'>) {}

  history(): MadeHistory {
    this.checkpoint()
    return { ...this.of, made: this.made, checkpoints: this.checkpoints }
  }

  agreement(): void {
    const { contract, parties } = this.of
    for (const party of Object.values(parties))
      this.record('identity', party.identity, { secret: null, signer: party.thumbprint, run: null })
    const { secret } = contract.terms.log
    for (const signature of contract.signatures)
      this.record('contract', signature, { secret, signer: signature.kid, run: null })
    const { activation } = contract
    this.record('activation', activation, { secret, signer: activation.payload.by, run: null })
  }

  async versions(): Promise<void> {
    const { contract, parties } = this.of
    const { secret } = contract.terms.log
    const shapes = {
      north: { dataset: 'people', columns: ['id', 'ward'] },
      south: { dataset: 'values', columns: ['id', 'v'] },
    } as const
    for (const label of ['north', 'south'] as const) {
      const { dataset, columns } = shapes[label]
      const owner = parties[label]
      const manifest = await owner.sign(manifestKind, {
        contract: contract.id,
        dataset,
        sequence: 1,
        previous: null,
        kind: 'table',
        columns: columns.map((name) => ({ name, type: name === 'v' ? 'double' : 'string', nullable: false })),
        unit: 'id',
        version: toBase64url(this.randomBytes(16)),
        segments: [
          { name: 'all', columns: [...columns], ciphertextDigest: toHex(this.randomBytes(32)), size: 100 },
        ],
      })
      this.manifests.set(owner, manifest)
      this.record('manifest', manifest, { secret, signer: owner.thumbprint, run: null })
    }
  }

  /** One run to its end, a minute later than the last. */
  async run(): Promise<void> {
    const { contract, parties, clock } = this.of
    const { north, south, lab } = parties
    const owners = [north, south]
    const witnesses = [north, south, parties.watch]
    clock.advance(60_000)
    const { request, sealedPart } = await this.request()
    const names = (signer: string): LeafNames => ({
      secret: contract.terms.log.secret,
      signer,
      run: request.id,
    })
    this.record('run-request', request, names(lab.thumbprint), sealedPart)
    this.record('approval', await approvalOf(south, request), names(south.thumbprint))
    const statements = []
    for (const owner of owners) {
      const nonce = await nonceOf(owner, this.owned(owner, request))
      this.made.push({
        type: 'nonce',
        statement: nonce,
        names: names(owner.thumbprint),
        attachment: null,
        logged: false,
      })
      statements.push({
        type: 'nonce',
        id: nonce.id,
        digest: nonce.digest,
        index: null,
        statement: nonce.jws,
        attachment: null,
      } as const)
    }
    const { offer, evidence, evidenceBytes, receiptKey } = await offerOf({
      contract,
      clock,
      view: { id: request.id, round: 1, statements },
    })
    const enclave = names(receiptKey.thumbprint)
    this.record('offer', offer, enclave)
    this.record('evidence', evidence, enclave, evidenceBytes)
    for (const owner of owners)
      this.record(
        'accept',
        await acceptOf(owner, this.owned(owner, request), offer, evidence.id),
        names(owner.thumbprint),
      )
    const spends = new Map<Party, string>()
    for (const owner of owners) spends.set(owner, await this.spend(owner, request, names(owner.thumbprint)))
    this.checkpoint(witnesses)
    const releases: string[] = []
    for (const owner of owners) {
      const release = await this.release(owner, request, offer.id, spends.get(owner) ?? '')
      releases.push(release.id)
      this.record('key-release', release, names(owner.thumbprint))
    }
    const by = (type: StatementType) => ({
      ...ownFields(
        { thumbprint: receiptKey.thumbprint, origin: north.origin, clock, randomBytes: this.randomBytes },
        type,
      ),
      contract: contract.id,
      run: request.id,
      round: 1,
    })
    const start = await signStatement(
      startKind,
      { ...by('start'), type: 'start', offers: [offer.id], releases },
      receiptKey,
    )
    this.record('start', start, enclave)
    const inputs = request.payload.inputs.map((input) => ({
      ...input,
      spend: spends.get(owners.find(({ thumbprint }) => thumbprint === input.owner) ?? north) ?? '',
    }))
    const receipt = await signStatement<Receipt>(
      receiptKind,
      {
        ...by('receipt'),
        type: 'receipt',
        offers: [offer.id],
        evidence: [evidence.id],
        build: offer.payload.build,
        sandbox: 'bubblewrap',
        start: start.id,
        releases,
        renewals: owners.map(({ thumbprint: owner }) => ({ owner, renewal: null })),
        inputs,
        computation: request.payload.computation,
        engine: { name: 'duckdb', version: 'test' },
        outputs: [
          {
            name: 'result',
            digest: toHex(this.randomBytes(32)),
            size: 4096,
            recipients: [{ party: lab.thumbprint, identity: lab.identity.id }],
            controls: ['minimumGroupSize 3'],
          },
        ],
        startedAt: clock.iso(),
        finishedAt: clock.iso(),
        outcome: 'completed',
        simulated: true,
      },
      receiptKey,
    )
    this.record('receipt', receipt, enclave)
    const size = this.checkpoint(witnesses)
    const keys = await this.outputKeys({ by: by('output-keys'), receipt: receipt.id, size, lab }, receiptKey)
    this.record('output-keys', keys, enclave)
    const fetch = await lab.sign(fetchKind, { contract: contract.id, run: request.id, output: 'result' })
    this.record('fetch', fetch, names(lab.thumbprint))
  }

  private async outputKeys(
    given: {
      by: Omit<Parameters<typeof outputKeysKind.parse>[0], never> & object
      receipt: string
      size: number
      lab: Party
    },
    key: SigningKey,
  ) {
    const { receipt, size, lab } = given
    const root = rootOf(this.made.slice(), size)
    const fields = {
      ...given.by,
      type: 'output-keys',
      receipt,
      checkpoint: { size, root },
      keys: [
        { output: 'result', recipient: lab.thumbprint, identity: lab.identity.id, key: this.sealedKey() },
      ],
    }
    return await signStatement(outputKeysKind as StatementKind<unknown>, fields, key)
  }

  private async request(): Promise<{ request: Verified<RunRequest>; sealedPart: Uint8Array }> {
    const { contract, parties } = this.of
    const sealedPart = this.randomBytes(300)
    const readers = [parties.north, parties.south, parties.watch]
    const request = await parties.lab.sign(runRequestKind, {
      contract: contract.id,
      computation: 'by_ward',
      inputs: [...this.manifests].map(([owner, { id, payload }]) => ({
        dataset: payload.dataset,
        owner: owner.thumbprint,
        manifest: id,
      })),
      purpose: 'To test.',
      expiresAt: parties.lab.clock.iso(24 * 3_600_000),
      sealed: {
        digest: digest(domains.ciphertext, sealedPart),
        size: sealedPart.length,
        keys: readers.map(({ thumbprint: party, identity }) => ({
          party,
          identity: identity.id,
          key: this.sealedKey(),
        })),
      },
      resultKey: null,
    })
    return { request, sealedPart }
  }

  private async spend(owner: Party, request: Verified<RunRequest>, names: LeafNames): Promise<string> {
    const head = this.heads.get(owner)
    const sequence = (head?.sequence ?? 0) + 1
    const spend = await spendOf(owner, this.owned(owner, request), {
      sequence,
      total: { runs: sequence, rows: 0, epsilonMicro: 0, deltaPico: 0 },
      previous: head?.id ?? null,
    })
    this.heads.set(owner, { id: spend.id, sequence })
    this.record('spend', spend, names)
    return spend.id
  }

  private async release(
    owner: Party,
    request: Verified<RunRequest>,
    offer: string,
    spend: string,
  ): Promise<Verified<KeyRelease>> {
    const { dataset, version } = this.owned(owner, request)
    return await owner.sign(keyReleaseKind, {
      contract: this.of.contract.id,
      run: request.id,
      round: 1,
      offers: offerSetDigest([offer]),
      offer,
      place: 0,
      dataset,
      manifest: version.manifest.id,
      spend,
      segmentKeys: [{ segment: 'all', key: this.sealedKey() }],
      requestKey: this.sealedKey(),
      leaseUntil: owner.clock.iso(60_000),
    })
  }

  private owned(owner: Party, request: Verified<RunRequest>): OwnedRun {
    const manifest = this.manifests.get(owner)
    if (manifest === undefined) throw new RangeError(`${owner.label} sealed nothing`)
    return {
      request,
      round: 1,
      dataset: manifest.payload.dataset,
      version: { manifest, segments: [] },
      requestKey: new Uint8Array(32),
    }
  }

  private sealedKey() {
    return {
      encapsulated: toBase64url(this.randomBytes(1120)),
      ciphertext: toBase64url(this.randomBytes(48)),
    }
  }

  private record(
    type: StatementType,
    statement: Verified<unknown>,
    names: LeafNames,
    attachment: Uint8Array | null = null,
  ): void {
    this.made.push({ type, statement, names, attachment, logged: true })
    this.size++
  }

  private checkpoint(cosigners: readonly Party[] = []): number {
    this.checkpoints.push({ size: this.size, cosigners })
    return this.size
  }
}
