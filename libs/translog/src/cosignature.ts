/**
 * Cosignatures (C2SP tlog-cosignature, v1): a witness's word that, at a time, this was the largest consistent tree it had
 * seen of the log. Guards against a log that shows different trees to different people, as far as witnesses keep their word.
 */
import { concatBytes, signBytes, utf8, verifyBytes, type PublicKey, type SigningKey } from '#libs/canonical'
import { TranslogError } from './errors.js'
import { expectCount } from './merkle-hash.js'
import {
  keyIdOf,
  parseNote,
  signaturesOf,
  signatureTypes,
  formatNote,
  type Note,
  type NoteSignature,
} from './note.js'
import type { SignedCheckpoint } from './checkpoint.js'

/**
 * A witness as its users know it. Take a name that means the same everywhere, as the thumbprint of its consent key does:
 * one cosignature serves every contract on the log, and the label of a party is that contract's own.
 */
export interface Witness {
  readonly name: string
  readonly key: PublicKey
}

/** A verified cosignature. */
export interface Cosignature {
  readonly name: string
  /** POSIX seconds, by the witness's clock. */
  readonly timeSeconds: number
}

const timeLength = 8

/**
 * The signature line by which a witness cosigns. It must have followed the log to this checkpoint: see {@link followLog}.
 * @throws TranslogError `NAME_MALFORMED`, `SIZE_INVALID` for a time that is no count of seconds.
 */
export async function cosign(
  checkpoint: SignedCheckpoint,
  witness: { readonly name: string; readonly key: SigningKey; readonly timeSeconds: number },
): Promise<NoteSignature> {
  const { name, key } = witness
  const time = expectCount(witness.timeSeconds, 'cosignature time')
  const signature = await signBytes(key, message(parseNote(checkpoint.note).body, time))
  const timestamp = new DataView(new ArrayBuffer(timeLength))
  timestamp.setBigUint64(0, BigInt(time))
  return {
    name,
    keyId: keyIdOf(name, signatureTypes.cosignatureV1, key.publicKey),
    signature: concatBytes(new Uint8Array(timestamp.buffer), signature),
  }
}

/**
 * The note with further signature lines; a line that comes twice is kept once.
 * @throws TranslogError `NOTE_MALFORMED` where the lines become too many.
 */
export function addSignatures(text: string, added: readonly NoteSignature[]): string {
  const note = parseNote(text)
  const lines = new Map([...note.signatures, ...added].map((line) => [lineOf(line), line]))
  return formatNote({ body: note.body, signatures: [...lines.values()] })
}

/**
 * The cosignature of a witness in a note, or undefined where it made none. Of several the latest counts, once.
 * @throws TranslogError `COSIGNATURE_INVALID` where a line is under this witness's key id and does not verify: the note
 * was tampered with (C2SP signed-note rejects the whole note then).
 */
export async function findCosignature(note: Note, witness: Witness): Promise<Cosignature | undefined> {
  const { name, key } = witness
  const lines = signaturesOf(note, name, keyIdOf(name, signatureTypes.cosignatureV1, key))
  const times = await Promise.all(lines.map((line) => verifyLine(note.body, line, key)))
  return times.length === 0 ? undefined : { name, timeSeconds: Math.max(...times) }
}

async function verifyLine(body: string, { name, signature }: NoteSignature, key: PublicKey): Promise<number> {
  const time = readTime(name, signature)
  if (!(await verifyBytes(key, message(body, time), signature.slice(timeLength))))
    throw new TranslogError(
      'COSIGNATURE_INVALID',
      `the cosignature of ${name} does not verify over this checkpoint`,
    )
  return time
}

function readTime(name: string, signature: Uint8Array): number {
  if (signature.length < timeLength)
    throw new TranslogError(
      'COSIGNATURE_INVALID',
      `the cosignature of ${name} has ${signature.length} bytes; expected 72`,
    )
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0)
  if (time > BigInt(Number.MAX_SAFE_INTEGER))
    throw new TranslogError(
      'COSIGNATURE_INVALID',
      `the time in the cosignature of ${name} is above 2^53 - 1 seconds`,
    )
  return Number(time)
}

function message(body: string, timeSeconds: number): Uint8Array<ArrayBuffer> {
  return utf8(`cosignature/v1\ntime ${timeSeconds}\n${body}`)
}

function lineOf({ name, keyId, signature }: NoteSignature): string {
  return `${name} ${keyId} ${signature.join(',')}`
}
