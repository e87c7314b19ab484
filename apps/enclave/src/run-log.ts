/**
 * What the log proves to this run. The log and its coordinator are not trusted: a checkpoint counts when the data owners of the run
 * cosigned it, and a statement is in it when its leaf, made here from what was verified, leads to its root.
 */
import {
  fromBase64,
  fromBase64url,
  fromHex,
  toBase64url,
  type PublicKey,
  type StatementType,
  type Thumbprint,
  type Verified,
} from '#libs/canonical'
import { witnessQuorum } from '#libs/contract'
import {
  encodeLeaf,
  leafHash,
  runPseudonym,
  signerPseudonym,
  verifyCheckpoint,
  verifyInclusion,
  TranslogError,
  type CosignedCheckpoint,
  type KnownLog,
  type Witness,
} from '#libs/translog'
import type { EnclaveClock } from './enclave-clock.js'
import { EnclaveError } from './errors.js'
import type { RunChannel } from './run-channel.js'
import type { Job } from './verify-job.js'

/** The log as the contract names it, and who must have seen what of it. */
export interface LogTerms {
  readonly log: KnownLog
  /** Under it leaves name signers and runs, 32 bytes. */
  readonly secret: Uint8Array
  readonly run: string
  /** Every data owner of the run. All of them must cosign whatever counts. */
  readonly owners: readonly Thumbprint[]
  /** The witnesses that the contract names, and how many of them a Receipt needs. */
  readonly witnesses: readonly Thumbprint[]
  readonly quorum: number
  /** The newest daemon key of each. */
  readonly daemonKeys: ReadonlyMap<Thumbprint, PublicKey>
}

/** A statement whose leaf is looked for, and who stands in it as signer. */
export interface LoggedStatement {
  readonly type: StatementType
  readonly statement: Pick<Verified<unknown>, 'digest'>
  readonly signer: Thumbprint
  readonly inRun: boolean
}

/** The name under which a party cosigns. */
export function witnessName(origin: string, thumbprint: Thumbprint): string {
  return `${origin}/witness/${thumbprint}`
}

export class RunLog {
  constructor(
    private readonly terms: LogTerms,
    private readonly channel: Pick<RunChannel, 'checkpoint' | 'inclusion'>,
    private readonly clock: EnclaveClock,
  ) {}

  /**
   * The checkpoint that the run waits for, if every data owner has cosigned it; else null: it may still come.
   * @throws TranslogError where the note is not what it claims: waiting would not mend that.
   */
  async seenByOwners(): Promise<CosignedCheckpoint | null> {
    const { owners } = this.terms
    return await this.cosigned(owners, owners.length)
  }

  /** Like {@link seenByOwners}, and by as many of the named witnesses as the contract says, the owners among them. */
  async seenByQuorum(): Promise<CosignedCheckpoint | null> {
    return await this.cosigned(this.terms.witnesses, this.terms.quorum)
  }

  /** The checkpoint of {@link seenByQuorum}, if it holds this statement; else null: a later one may. */
  async recorded(logged: LoggedStatement): Promise<CosignedCheckpoint | null> {
    const checkpoint = await this.seenByQuorum()
    if (checkpoint === null) return null
    try {
      await this.expectIncluded(checkpoint, [logged])
      return checkpoint
    } catch (error) {
      if (error instanceof EnclaveError && error.code === 'NOT_IN_LOG') return null
      throw error
    }
  }

  /** Thumbprints of those who cosigned. */
  cosignersOf({ cosignatures }: CosignedCheckpoint): readonly Thumbprint[] {
    const named = new Map(this.terms.witnesses.map((party) => [this.witness(party).name, party]))
    return cosignatures.flatMap(({ name }) => named.get(name) ?? [])
  }

  /**
   * Proves that these statements are in the tree of a checkpoint.
   * @throws EnclaveError `NOT_IN_LOG` naming the first that is not proven to be.
   */
  async expectIncluded(
    checkpoint: CosignedCheckpoint,
    statements: readonly LoggedStatement[],
  ): Promise<void> {
    await Promise.all(statements.map((logged) => this.expectOne(checkpoint, logged)))
  }

  private async expectOne({ size, root }: CosignedCheckpoint, logged: LoggedStatement): Promise<void> {
    const { digest } = logged.statement
    try {
      const { index, size: shown, proof } = await this.channel.inclusion(digest, size)
      if (shown !== size) throw new TranslogError('PROOF_INVALID', `asked for size ${size}, got ${shown}`)
      verifyInclusion({ leafHash: this.leafHash(logged), index, size, root, proof: proof.map(fromHex) })
    } catch (cause) {
      throw new EnclaveError(
        'NOT_IN_LOG',
        `${logged.type} ${digest} is not proven to be in the tree of ${size} leaves`,
        {
          cause,
        },
      )
    }
  }

  private leafHash({ type, statement, signer, inRun }: LoggedStatement): Uint8Array {
    const { secret, run } = this.terms
    return leafHash(
      encodeLeaf({
        version: 1,
        type,
        digest: statement.digest,
        signer: signerPseudonym(secret, signer),
        run: inRun ? runPseudonym(secret, run) : null,
      }),
    )
  }

  private async cosigned(parties: readonly Thumbprint[], quorum: number): Promise<CosignedCheckpoint | null> {
    const { log, owners } = this.terms
    const checkpoint = await orNull(
      verifyCheckpoint({
        note: (await this.channel.checkpoint()).note,
        origin: log.origin,
        logKey: log.key,
        witnesses: parties.map((party) => this.witness(party)),
        quorum,
        required: owners.map((owner) => this.witness(owner).name),
      }),
    )
    const owned = new Set(owners.map((owner) => this.witness(owner).name))
    for (const { name, timeSeconds } of checkpoint?.cosignatures ?? [])
      if (owned.has(name)) this.clock.hear(timeSeconds * 1000)
    return checkpoint
  }

  private witness(party: Thumbprint): Witness {
    const key = this.terms.daemonKeys.get(party)
    if (key === undefined)
      throw new EnclaveError('IDENTITY_UNKNOWN', `no Identity of the witness ${party} was shown`)
    return { name: witnessName(this.terms.log.origin, party), key }
  }
}

/** Cosignatures that are still missing are something to wait for; everything else is not. */
async function orNull(verdict: Promise<CosignedCheckpoint>): Promise<CosignedCheckpoint | null> {
  try {
    return await verdict
  } catch (error) {
    if (error instanceof TranslogError && error.code === 'QUORUM_NOT_MET') return null
    throw error
  }
}

/** The log of a job's run, as its contract and its parties' newest Identities say. */
export function logTermsOf({ contract, identities, owners, run }: Job): LogTerms {
  const { log } = contract.terms
  const quorum = witnessQuorum(contract.terms, [])
  return {
    log: { origin: log.origin, key: logKeyOf(log.key) },
    secret: fromBase64url(log.secret),
    run,
    owners,
    witnesses: quorum.witnesses,
    quorum: quorum.quorum,
    daemonKeys: new Map([...identities].map(([party, { newest }]) => [party, newest.payload.daemonKey])),
  }
}

// A contract writes the log's key as 32 bytes of base64url, or as a verifier key of C2SP signed-note: name+id+base64(0x01 ‖ key).
function logKeyOf(text: string): PublicKey {
  const bytes = text.includes('+')
    ? fromBase64(text.slice(text.indexOf('+', text.indexOf('+') + 1) + 1)).subarray(1)
    : fromBase64url(text)
  return { kty: 'OKP', crv: 'Ed25519', x: toBase64url(bytes) }
}
