/**
 * Checkpoints (C2SP tlog-checkpoint): the log's signed word about its size and root.
 * Guards: that the log's key signed exactly this. Says nothing about whether others were shown the same; see
 * verify-checkpoint.ts for the quorum and monitor.ts for consistency.
 */
import { CodedError, equalBytes, fromBase64, signBytes, toBase64, utf8, verifyBytes } from '#libs/canonical'
import type { PublicKey, SigningKey } from '#libs/canonical'
import { TranslogError } from './errors.js'
import { emptyRoot, expectCount, expectHash, type MerkleHash } from './merkle-hash.js'
import {
  expectKeyName,
  formatNote,
  keyIdOf,
  parseNote,
  signaturesOf,
  signatureTypes,
  type Note,
} from './note.js'

/** Size and root of a log. */
export interface Checkpoint {
  /** The log's unique name, and the name of its key. */
  readonly origin: string
  readonly size: number
  readonly root: MerkleHash
}

declare const signedByLog: unique symbol

/** A checkpoint whose log signature was verified. Only {@link verifySignedCheckpoint} makes one. */
export interface SignedCheckpoint extends Checkpoint {
  readonly [signedByLog]: true
  /** The note as it came, with every signature line. */
  readonly note: string
}

/** A log as its users know it: by origin and key, from a contract or from their own pin. */
export interface KnownLog {
  readonly origin: string
  readonly key: PublicKey
}

/**
 * Three lines: origin, size, root.
 * @throws TranslogError `NAME_MALFORMED`, `SIZE_INVALID`, `HASH_MALFORMED`.
 */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${expectKeyName(origin)}\n${expectCount(size, 'tree size')}\n${toBase64(expectHash(root, 'root'))}\n`
}

/**
 * Reads the text of a checkpoint. Extension lines, which the format allows, are refused: nobody can audit what they say,
 * and a cosignature makes no statement about them.
 * @throws TranslogError `CHECKPOINT_MALFORMED`.
 */
export function parseCheckpoint(body: string): Checkpoint {
  const [, origin, decimal, base64] =
    /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(body) ?? []
  if (origin === undefined || decimal === undefined || base64 === undefined)
    throw malformed('a checkpoint has exactly three lines: origin, size, root')
  try {
    const size = expectCount(Number(decimal), 'tree size')
    const root = expectHash(fromBase64(base64), 'root')
    if (size === 0 && !equalBytes(root, emptyRoot())) throw malformed('a tree of 0 leaves has another root')
    return { origin: expectKeyName(origin), size, root }
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new TranslogError('CHECKPOINT_MALFORMED', `a checkpoint does not parse: ${cause.message}`, {
      cause,
    })
  }
}

/** Signs a checkpoint as the log: the key's name is the origin. Returns the note. */
export async function signCheckpoint(checkpoint: Checkpoint, key: SigningKey): Promise<string> {
  const body = formatCheckpoint(checkpoint)
  const signature = await signBytes(key, utf8(body))
  const keyId = keyIdOf(checkpoint.origin, signatureTypes.ed25519, key.publicKey)
  return formatNote({ body, signatures: [{ name: checkpoint.origin, keyId, signature }] })
}

/**
 * Verifies that a note is a checkpoint of this log, signed by its key. What a witness needs before it cosigns.
 * @throws TranslogError `NOTE_MALFORMED`, `CHECKPOINT_MALFORMED`, `ORIGIN_MISMATCH`, `LOG_SIGNATURE_MISSING`,
 * `LOG_SIGNATURE_INVALID`.
 */
export async function verifySignedCheckpoint(text: string, log: KnownLog): Promise<SignedCheckpoint> {
  const note = parseNote(text)
  const checkpoint = parseCheckpoint(note.body)
  if (checkpoint.origin !== log.origin)
    throw new TranslogError(
      'ORIGIN_MISMATCH',
      `the checkpoint is of log ${checkpoint.origin}; expected ${log.origin}`,
    )
  await verifyLogSignature(note, log)
  return Object.freeze({ ...checkpoint, note: text }) as SignedCheckpoint
}

// C2SP signed-note: lines of unknown keys are ignored; one of a known key that fails rejects the whole note.
async function verifyLogSignature(note: Note, log: KnownLog): Promise<void> {
  const lines = signaturesOf(note, log.origin, keyIdOf(log.origin, signatureTypes.ed25519, log.key))
  if (lines.length === 0)
    throw new TranslogError('LOG_SIGNATURE_MISSING', `no signature line of ${log.origin} under its known key`)
  for (const { signature } of lines)
    if (!(await verifyBytes(log.key, utf8(note.body), signature)))
      throw new TranslogError(
        'LOG_SIGNATURE_INVALID',
        `the checkpoint is not signed by the key of ${log.origin}`,
      )
}

function malformed(message: string): TranslogError {
  return new TranslogError('CHECKPOINT_MALFORMED', message)
}
