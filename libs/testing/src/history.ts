/**
 * A whole log of one contract, as honest parties make it: two data owners, an approver, a requester who receives, an auditor who is
 * a witness too. What is sealed to whom is random bytes: an audit opens nothing. A test changes one statement, or their order.
 */
import {
  signStatement,
  toBase64url,
  toHex,
  utf8,
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
  statementKinds,
  statementRules,
  type KeyRelease,
  type Manifest,
  type Receipt,
  type RunRequest,
} from '#libs/protocol'
import {
  addSignatures,
  cosign,
  encodeLeaf,
  leafHash,
  MerkleTree,
  signCheckpoint,
  verifySignedCheckpoint,
} from '#libs/translog'
import { digest, domains } from '#libs/canonical'
import { aClock, type TestClock } from './clock.js'
import { aContract, keyedSections, type TestContract } from './contract.js'
import { aLog, leafOf, witnessName, type LeafNames, type TestLog } from './log.js'
import { measurement, offerOf, simulatorKey } from './offer.js'
import { acceptOf, nonceOf, spendOf, type OwnedRun } from './owner.js'
import { aParty, ownFields, type Party } from './party.js'
import { seededBytes } from './random.js'
import { approvalOf } from './request.js'

/** A statement that the log will have, or of a Nonce, that only the run has. */
export interface MadeStatement {
  readonly type: StatementType
  readonly statement: Verified<unknown>
  readonly names: LeafNames
  readonly attachment: Uint8Array | null
  readonly logged: boolean
}

/** The statements in order, with the checkpoints that somebody waited for: after so many entries, cosigned by these. */
export interface MadeHistory {
  readonly log: TestLog
  readonly contract: TestContract
  readonly parties: Readonly<Record<'north' | 'south' | 'lab' | 'watch', Party>>
  readonly made: readonly MadeStatement[]
  readonly checkpoints: readonly { readonly size: number; readonly cosigners: readonly Party[] }[]
  readonly clock: TestClock
}

/** What the log's keeper shows of it. */
export interface ShownRecord {
  readonly leaves: string[]
  readonly identities: { thumbprint: string; statements: string[] }[]
  readonly statements: { type: StatementType; statement: string; attachment: string | null }[]
  readonly checkpoints: string[]
}

export interface HistoryOptions {
  /** @defaultValue 1 */
  readonly runs?: number
  /** Runs that this computation may have. */
  readonly limit?: number
  /** A change to the contract's text. */
  readonly yaml?: (text: string) => string
}

const sections = (limit: number) => `datasets:
  people:
    owners: [north]
    unit: id
    columns: { id: { type: string, use: [join] }, ward: { type: string, use: [dimension] } }
  values:
    owners: [south]
    unit: id
    columns: { id: { type: string, use: [join] }, v: { type: double, min: 0, max: 100, use: [avg] } }
computations:
  by_ward:
    kind: sql
    query: select ward, count(*) as n, avg(v) as mean from people join values using (id) group by ward
    requesters: [lab]
    limit: ${limit}
    failures: 1000
    approvals: { from: [south], count: 1 }
    outputs: { result: { recipients: [lab], controls: [ { minimumGroupSize: 3 } ] } }
`

/** Makes the honest history: Identities, the contract, two sealed versions, and so many runs one after the other. */
export async function aHistory(options: HistoryOptions = {}): Promise<MadeHistory> {
  const clock = aClock()
  const log = await aLog()
  const [north, south, lab, watch] = await Promise.all(
    ['north', 'south', 'lab', 'watch'].map((label) => aParty(label, { clock })),
  )
  if (north === undefined || south === undefined || lab === undefined || watch === undefined)
    throw new RangeError('four parties')
  const parties = { north, south, lab, watch }
  const text = keyedSections({
    log,
    parties: {
      north: { party: north, roles: ['data'] },
      south: { party: south, roles: ['data', 'approver'] },
      lab: { party: lab, roles: ['requester', 'recipient'] },
      watch: { party: watch, roles: ['auditor'] },
    },
    signatories: ['north', 'south', 'lab'],
    witnesses: ['north', 'south', 'watch'],
    simulator: { thumbprint: simulatorKey.thumbprint, measurement },
  })
  const { runs = 1, limit = runs + 5 } = options
  const yaml = options.yaml?.(text + sections(limit)) ?? text + sections(limit)
  const contract = await aContract({ log, parties: Object.values(parties), yaml })
  const scribe = new Scribe({ log, contract, parties, clock })
  scribe.agreement()
  await scribe.versions()
  for (let run = 0; run < runs; run++) await scribe.run()
  return scribe.history()
}

class Scribe {
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

const leafTexts = new WeakMap<MadeStatement, string>()

function leafTextOf(made: MadeStatement): string {
  const known = leafTexts.get(made)
  if (known !== undefined) return known
  const { type, statement, names } = made
  const text = new TextDecoder().decode(encodeLeaf(leafOf(type, statement.digest, names)))
  leafTexts.set(made, text)
  return text
}

const trees = new WeakMap<MadeStatement, MerkleTree>()

// The tree over a growing list is kept under its first statement, so that each leaf is hashed once.
function rootOf(made: readonly MadeStatement[], size: number): string {
  const [first] = made
  if (first === undefined) throw new RangeError('no statements')
  const tree = trees.get(first) ?? new MerkleTree()
  trees.set(first, tree)
  const logged = made.filter((one) => one.logged)
  for (const one of logged.slice(tree.size, size)) tree.append(leafHash(utf8(leafTextOf(one))))
  return toHex(tree.root(size))
}

/**
 * Shows a history: leaves of the statements in the order given, bodies beside them, and the checkpoints signed over the tree that
 * these leaves make. `bodies` leaves out what is not to be shown; the leaf stays.
 */
export async function shownRecord(
  { log, parties, made, checkpoints }: MadeHistory,
  bodies: (made: MadeStatement) => boolean = () => true,
): Promise<ShownRecord> {
  const logged = made.filter((one) => one.logged)
  const leaves = logged.map(leafTextOf)
  const tree = MerkleTree.fromLeafHashes(leaves.map((leaf) => leafHash(utf8(leaf))))
  const notes: string[] = []
  for (const { size, cosigners } of checkpoints) {
    const at = Math.min(size, tree.size)
    const note = await signCheckpoint({ origin: log.origin, size: at, root: tree.root(at) }, log.key)
    const signed = await verifySignedCheckpoint(note, { origin: log.origin, key: log.key.publicKey })
    const lines = await Promise.all(
      cosigners.map((party) =>
        cosign(signed, {
          name: witnessName(log.origin, party.thumbprint),
          key: party.daemon,
          timeSeconds: Math.floor(party.clock.now() / 1000),
        }),
      ),
    )
    notes.push(lines.length === 0 ? note : addSignatures(note, lines))
  }
  return {
    leaves,
    identities: Object.values(parties).map(({ thumbprint, chain }) => ({
      thumbprint,
      statements: [...chain],
    })),
    statements: made
      .filter((one) => one.type !== 'identity' && bodies(one))
      .map(({ type, statement, attachment }) => ({
        type,
        statement: statement.jws,
        attachment: attachment === null ? null : toBase64url(attachment),
      })),
    checkpoints: notes,
  }
}

const partyKinds: Partial<Record<StatementType, StatementKind<unknown>>> = statementKinds

/** A party's statement of a history anew, with other fields and a salt of its own, signed by the same key. */
export async function resigned(
  { parties }: MadeHistory,
  made: MadeStatement,
  change: object,
): Promise<MadeStatement> {
  const kind = partyKinds[made.type]
  const party = Object.values(parties).find(({ thumbprint }) => thumbprint === made.names.signer)
  if (kind === undefined || party === undefined) throw new RangeError(`no party signs a ${made.type}`)
  const key = statementRules[made.type].authority.key === 'daemon' ? party.daemon : party.consent
  const payload = {
    ...(made.statement.payload as object),
    salt: toBase64url(party.randomBytes(32)),
    ...change,
  }
  return { ...made, statement: await signStatement(kind, payload, key) }
}
