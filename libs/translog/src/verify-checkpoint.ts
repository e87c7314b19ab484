import type { PublicKey } from '#libs/canonical'
import { verifySignedCheckpoint, type SignedCheckpoint } from './checkpoint.js'
import { findCosignature, type Cosignature } from './cosignature.js'
import { TranslogError } from './errors.js'
import { parseNote } from './note.js'
import { countQuorum, type Quorum } from './quorum.js'

declare const cosignedByQuorum: unique symbol

/** A checkpoint that its log signed and a quorum cosigned. Only {@link verifyCheckpoint} makes one. */
export interface CosignedCheckpoint extends SignedCheckpoint {
  readonly [cosignedByQuorum]: true
  /** In the order of the witnesses. */
  readonly cosignatures: readonly Cosignature[]
  /** Witnesses who did not cosign and were not needed. */
  readonly absent: readonly string[]
}

/** What a checkpoint must be to be believed; all from a contract or from one's own pins, none from who brings the note. */
export interface CheckpointExpectation extends Quorum {
  readonly note: string
  readonly origin: string
  readonly logKey: PublicKey
}

/**
 * Verifies a checkpoint: of this log, signed by it, cosigned by enough witnesses and by everyone who must.
 * Says nothing about its age: compare `cosignatures[].timeSeconds` where that matters.
 * @throws TranslogError `QUORUM_NOT_MET` (naming who is missing), `COSIGNATURE_INVALID`, `WITNESSES_INVALID`, and the codes
 * of {@link verifySignedCheckpoint}.
 */
export async function verifyCheckpoint(expected: CheckpointExpectation): Promise<CosignedCheckpoint> {
  const { note, origin, logKey, witnesses } = expected
  countQuorum(expected, [])
  const signed = await verifySignedCheckpoint(note, { origin, key: logKey })
  const parsed = parseNote(note)
  const found = await Promise.all(witnesses.map((witness) => findCosignature(parsed, witness)))
  const cosignatures = found.filter((cosignature) => cosignature !== undefined)
  const count = countQuorum(
    expected,
    cosignatures.map((cosignature) => cosignature.name),
  )
  if (!count.met)
    throw new TranslogError(
      'QUORUM_NOT_MET',
      `checkpoint ${signed.size} of ${origin} has ${count.present.length} of the ${expected.quorum} cosignatures it needs; ` +
        `missing and required: ${listOf(count.missing)}; absent: ${listOf(count.absent)}`,
    )
  const verified: Omit<CosignedCheckpoint, typeof cosignedByQuorum> = {
    ...signed,
    cosignatures,
    absent: count.absent,
  }
  return Object.freeze(verified) as CosignedCheckpoint
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'nobody' : names.join(', ')
}
