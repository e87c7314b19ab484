/**
 * What the log proves to this run. The log and its coordinator are not trusted: a checkpoint counts when the data owners of the run
 * cosigned it, and a statement is in it when its leaf, made here from what was verified, leads to its root.
 */
import { fromBase64url, fromHex, type StatementType, type Thumbprint, type Verified } from '#libs/canonical'
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

/** The log as the contract names it, and who must have seen what of it. */
export interface LogTerms {
  readonly log: KnownLog
  /** Under it leaves name signers and runs, 32 bytes. */
  readonly secret: Uint8Array
  readonly run: string
  /** Every data owner of the run. All of them must cosign whatever counts. */
  readonly owners: readonly Witness[]
  /** The witnesses that the contract names, and how many of them a Receipt needs. */
  readonly witnesses: readonly Witness[]
  readonly quorum: number
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
    return await this.cosigned(await this.note())
  }

  /** Like {@link seenByOwners}, and by the contract's quorum of named witnesses. */
  async seenByQuorum(): Promise<CosignedCheckpoint | null> {
    const note = await this.note()
    const { log, witnesses, quorum } = this.terms
    const counted = await orNull(
      verifyCheckpoint({ note, origin: log.origin, logKey: log.key, witnesses, quorum, required: [] }),
    )
    return counted === null ? null : await this.cosigned(note)
  }

  /**
   * Proves that these statements are in the tree of a checkpoint.
   * @throws EnclaveError `NOT_IN_LOG` naming the first that is not proven to be.
   */
  async expectIncluded(checkpoint: CosignedCheckpoint, statements: readonly LoggedStatement[]): Promise<void> {
    await Promise.all(statements.map((logged) => this.expectOne(checkpoint, logged)))
  }

  private async expectOne({ size, root }: CosignedCheckpoint, logged: LoggedStatement): Promise<void> {
    const { digest } = logged.statement
    try {
      const { index, size: shown, proof } = await this.channel.inclusion(digest, size)
      if (shown !== size) throw new TranslogError('PROOF_INVALID', `asked for size ${size}, got ${shown}`)
      verifyInclusion({ leafHash: this.leafHash(logged), index, size, root, proof: proof.map(fromHex) })
    } catch (cause) {
      throw new EnclaveError('NOT_IN_LOG', `${logged.type} ${digest} is not proven to be in the tree of ${size} leaves`, {
        cause,
      })
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

  private async note(): Promise<string> {
    return (await this.channel.checkpoint()).note
  }

  private async cosigned(note: string): Promise<CosignedCheckpoint | null> {
    const { log, owners } = this.terms
    const required = owners.map(({ name }) => name)
    const expected = { note, origin: log.origin, logKey: log.key, witnesses: owners, quorum: owners.length, required }
    const checkpoint = await orNull(verifyCheckpoint(expected))
    for (const { timeSeconds } of checkpoint?.cosignatures ?? []) this.clock.hear(timeSeconds * 1000)
    return checkpoint
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

/** The secret of the contract's log, as bytes. */
export function logSecret(text: string): Uint8Array {
  return fromBase64url(text)
}
