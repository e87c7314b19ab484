/**
 * A party, a contract, a request and a log that exist in this process only, for {@link rehearse}. Their keys are made at random and
 * forgotten; no statement of theirs names a real log, and none is shown to anyone.
 */
import {
  canonicalBytes,
  digest,
  domains,
  fromBase64url,
  saltFrom,
  signingKeyFromSeed,
  signStatement,
  toBase64url,
  toHex,
  type SigningKey,
  type StatementKind,
  type StatementType,
  type Verified,
} from '#libs/canonical'
import { contractKind, type ContractTerms } from '#libs/contract'
import { generateSealingKeyPair, keyInfo, pad, requestPartContext, sealBytes, sealKey } from '#libs/envelope'
import {
  acceptKind,
  activationKind,
  delegableActs,
  identityKind,
  keyReleaseKind,
  manifestKind,
  nonceKind,
  offerSetDigest,
  runRequestKind,
  spendKind,
  type Assignment,
  type LogInfo,
  type Offer,
  type RecordedStatement,
} from '#libs/protocol'
import {
  addSignatures,
  cosign,
  encodeLeaf,
  leafHash,
  MerkleTree,
  runPseudonym,
  signCheckpoint,
  signerPseudonym,
  verifySignedCheckpoint,
} from '#libs/translog'
import { witnessName } from './run-log.js'
import type { RunChannel } from './run-channel.js'

const origin = 'rehearsal.invalid/1'
const daySeconds = 86_400

type RandomBytes = (length: number) => Uint8Array
type EnclaveEntry = ContractTerms['enclaves'][number]
type OwnFields = 'type' | 'by' | 'log' | 'issuedAt' | 'salt'

/** One party that is everybody: owner, requester, recipient and witness. */
export class RehearsalWorld {
  private readonly tree = new MerkleTree()
  private readonly indexes = new Map<string, number>()
  private readonly secret: string

  private constructor(
    private readonly randomBytes: RandomBytes,
    private readonly consent: SigningKey,
    private readonly daemon: SigningKey,
    private readonly logKey: SigningKey,
    private readonly start: number,
  ) {
    this.secret = toBase64url(randomBytes(32))
  }

  /** A world in which it is `start`, in milliseconds. */
  static async make(randomBytes: RandomBytes, start: number): Promise<RehearsalWorld> {
    const key = () => signingKeyFromSeed(randomBytes(32))
    return new RehearsalWorld(randomBytes, await key(), await key(), await key(), start)
  }

  /** What the log of the rehearsal says of itself; its own key activates contracts too. */
  get log(): LogInfo {
    return {
      origin,
      logKey: this.logKey.publicKey,
      coordinatorKey: this.logKey.publicKey,
      size: this.tree.size,
    }
  }

  /** A run that is ready for its Offer. */
  async assignment(entry: EnclaveEntry): Promise<Assignment> {
    const { consent, daemon } = this
    const sealing = await generateSealingKeyPair(this.randomBytes)
    const identity = await this.sign(
      identityKind,
      {
        name: 'self',
        consentKey: consent.publicKey,
        daemonKey: daemon.publicKey,
        sealingKey: sealing.publicKey,
        recovery: consent.thumbprint,
        recoveryKey: null,
        delegations: [...delegableActs],
        sequence: 1,
        previous: null,
      },
      consent,
    )
    const contract = await this.sign(contractKind, { terms: this.terms(entry) }, consent)
    const signatures = [{ signatory: consent.thumbprint, statement: contract.digest }]
    const activation = await this.sign(
      activationKind,
      { contract: contract.id, signatures },
      this.logKey,
      this.logKey.thumbprint,
    )
    const manifest = await this.sign(manifestKind, {
      contract: contract.id,
      dataset: 'rows',
      sequence: 1,
      previous: null,
      kind: 'table',
      columns: [{ name: 'id', type: 'string', nullable: false }],
      unit: 'id',
      version: toBase64url(this.randomBytes(16)),
      segments: [{ name: 'id', columns: ['id'], ciphertextDigest: 'ab'.repeat(32), size: 1 }],
    })
    const key = this.randomBytes(32)
    const context = requestPartContext({ contract: contract.id, requester: consent.thumbprint })
    const sealed = sealBytes(
      { dataKey: key, context, randomBytes: this.randomBytes },
      pad(canonicalBytes({ parameters: {}, query: null })),
    )
    const place = { sender: daemon.thumbprint, recipient: consent.thumbprint, contract: contract.id }
    const info = keyInfo({ purpose: 'request-key-to-party', ...place })
    const request = await this.sign(runRequestKind, {
      contract: contract.id,
      computation: 'count',
      inputs: [{ dataset: 'rows', owner: consent.thumbprint, manifest: manifest.id }],
      purpose: 'To rehearse.',
      expiresAt: this.at(3600),
      sealed: {
        digest: digest(domains.ciphertext, sealed),
        size: sealed.length,
        keys: [
          {
            party: consent.thumbprint,
            identity: identity.id,
            key: await sealKey(sealing.publicKey, key, info),
          },
        ],
      },
      resultKey: null,
    })
    this.append('activation', activation, this.logKey.thumbprint, null)
    this.append('run-request', request, consent.thumbprint, request.id)
    const round = { contract: contract.id, run: request.id, round: 1 }
    const nonce = await this.sign(nonceKind, { ...round, place: 0, nonce: toBase64url(this.randomBytes(32)) })
    return {
      run: {
        id: request.id,
        contract: contract.id,
        computation: 'count',
        state: 'collectingNonces',
        version: 1,
        round: 1,
        waitingFor: [],
        endedBecause: null,
        requestedAt: this.at(0),
        statements: [
          this.recorded('run-request', request, toBase64url(sealed)),
          this.recorded('nonce', nonce),
        ],
        outputs: [],
      },
      contract: {
        id: contract.id,
        name: 'rehearsal',
        state: 'active',
        waitingFor: [],
        statements: [
          this.recorded('contract', contract),
          this.recorded('activation', activation),
          this.recorded('manifest', manifest),
        ],
        identities: [{ thumbprint: consent.thumbprint, statements: [identity.jws] }],
      },
    }
  }

  /** Accept, Spend and KeyRelease for an Offer. */
  async answer(
    { run }: Assignment,
    offer: Verified<Offer>,
    manifest: string,
  ): Promise<readonly RecordedStatement[]> {
    const round = { contract: run.contract, run: run.id, round: 1 }
    const set = offerSetDigest([offer.id])
    const accept = await this.sign(acceptKind, {
      ...round,
      offers: set,
      manifests: [manifest],
      evidence: [offer.id],
      collateral: [],
      expiresAt: offer.payload.expiresAt,
    })
    const amounts = { runs: 1, rows: 0, epsilonMicro: 0, deltaPico: 0 }
    const spent = {
      contract: run.contract,
      run: run.id,
      dataset: 'rows',
      amounts,
      sequence: 1,
      total: amounts,
      previous: null,
    }
    const spend = await this.sign(spendKind, spent)
    this.append('spend', spend, this.consent.thumbprint, run.id)
    const place = {
      sender: this.daemon.thumbprint,
      recipient: offer.payload.by,
      contract: run.contract,
      run: run.id,
      offer: offer.id,
      set,
    }
    const seal = (info: Uint8Array) => sealKey(offer.payload.hpkeKey, this.randomBytes(32), info)
    const release = await this.sign(keyReleaseKind, {
      ...round,
      offers: set,
      offer: offer.id,
      place: 0,
      dataset: 'rows',
      manifest,
      spend: spend.id,
      segmentKeys: [
        {
          segment: 'id',
          key: await seal(keyInfo({ purpose: 'segment-key', ...place, manifest, segment: 'id' })),
        },
      ],
      requestKey: await seal(keyInfo({ purpose: 'request-key-to-enclave', ...place })),
      leaseUntil: this.at(60),
    })
    return [
      this.recorded('accept', accept),
      this.recorded('spend', spend),
      this.recorded('key-release', release),
    ]
  }

  /** The log as the worker asks it. */
  channel(): Pick<RunChannel, 'checkpoint' | 'inclusion'> {
    return {
      checkpoint: async () => {
        const root = this.tree.root()
        const note = await signCheckpoint({ origin, size: this.tree.size, root }, this.logKey)
        const signed = await verifySignedCheckpoint(note, { origin, key: this.logKey.publicKey })
        const name = witnessName(origin, this.consent.thumbprint)
        const line = await cosign(signed, {
          name,
          key: this.daemon,
          timeSeconds: Math.floor(this.start / 1000),
        })
        return { size: this.tree.size, root: toHex(root), note: addSignatures(note, [line]) }
      },
      inclusion: (statement, size) => {
        const index = this.indexes.get(statement) ?? 0
        return Promise.resolve({ index, size, proof: this.tree.proveInclusion(index, size).map(toHex) })
      },
    }
  }

  private async sign<P extends Record<OwnFields, string>>(
    kind: StatementKind<P>,
    fields: Omit<P, OwnFields>,
    key = this.daemon,
    by = this.consent.thumbprint,
  ): Promise<Verified<P>> {
    const own = { type: kind.type, by, log: origin, issuedAt: this.at(0), salt: saltFrom(this.randomBytes) }
    return await signStatement(kind, { ...own, ...fields } as unknown as P, key)
  }

  private append(
    type: StatementType,
    { digest: leaf }: Verified<unknown>,
    signer: string,
    run: string | null,
  ): void {
    const secret = fromBase64url(this.secret)
    const names = {
      signer: signerPseudonym(secret, signer),
      run: run === null ? null : runPseudonym(secret, run),
    }
    this.indexes.set(
      leaf,
      this.tree.append(leafHash(encodeLeaf({ version: 1, type, digest: leaf, ...names }))),
    )
  }

  private recorded(
    type: StatementType,
    statement: Verified<unknown>,
    attachment: string | null = null,
  ): RecordedStatement {
    const { id, digest: leaf, jws } = statement
    return { type, id, digest: leaf, index: this.indexes.get(leaf) ?? null, statement: jws, attachment }
  }

  /** A time so many seconds after the beginning. */
  private at(seconds: number): string {
    return new Date(this.start + 1000 * seconds).toISOString()
  }

  private day(after: number): string {
    return this.at(after * daySeconds).slice(0, 10)
  }

  private terms(entry: EnclaveEntry): ContractTerms {
    return {
      sealroom: 'contract/v1',
      name: 'rehearsal',
      purpose: 'To rehearse.',
      valid: { from: this.day(0), until: this.day(2) },
      parties: { self: { key: this.consent.thumbprint, roles: ['data', 'requester', 'recipient'] } },
      governance: { signatories: ['self'], proposalExpires: this.day(1), amend: 'all', revokers: [] },
      log: {
        origin,
        key: this.logKey.publicKey.x,
        coordinator: this.logKey.thumbprint,
        secret: this.secret,
        witnesses: ['self'],
        quorum: 1,
        checkpoint: `${origin}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n`,
      },
      enclaves: [entry],
      runs: {
        leaseSeconds: 60,
        timeGridMilliseconds: 100,
        recordWaitSeconds: 60,
        maximumSeconds: 3600,
        failures: 5,
        reuse: 'never',
      },
      datasets: {
        rows: {
          kind: 'table',
          owners: ['self'],
          minimums: {},
          pins: {},
          unit: 'id',
          columns: { id: { type: 'string', nullable: false, use: ['join'] } },
        },
      },
      computations: {
        count: {
          kind: 'sql',
          query: 'select count(*) as n from rows',
          requesters: ['self'],
          limit: 1,
          failures: 5,
          parameters: {},
          over: ['rows'],
          outputs: { result: { recipients: ['self'], controls: [{ minimumGroupSize: 2 }] } },
        },
      },
      budgets: {},
    }
  }
}
