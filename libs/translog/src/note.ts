/**
 * Signed notes (C2SP signed-note): a text, a blank line, signature lines. Reads and writes the form; which signatures
 * count is the caller's, see verify-checkpoint.ts.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { CodedError, concatBytes, fromBase64, fromBase64url, toBase64, toHex, utf8 } from '#libs/canonical'
import type { PublicKey } from '#libs/canonical'
import { TranslogError } from './errors.js'

/** Longer notes are refused before they are parsed, in UTF-16 code units. */
export const maximumNoteLength = 131_072

/** More signature lines are refused: each from a known key costs a verification. */
export const maximumNoteSignatures = 256

/** The signature types of C2SP signed-note that are used here: the log's own, and a witness's with its time. */
export const signatureTypes = { ed25519: 0x01, cosignatureV1: 0x04 } as const

/** One of {@link signatureTypes}. */
export type SignatureType = (typeof signatureTypes)[keyof typeof signatureTypes]

/** One signature line, unverified. */
export interface NoteSignature {
  readonly name: string
  /** Eight hexadecimal characters. An identifier, not a commitment: anyone can make a key that has the same. */
  readonly keyId: string
  readonly signature: Uint8Array<ArrayBuffer>
}

/** A note in its parts; nothing in it is verified. */
export interface Note {
  /** With its last newline: what is signed. */
  readonly body: string
  readonly signatures: readonly NoteSignature[]
}

/**
 * Reads a note. `formatNote(parseNote(text))` is `text`.
 * @throws TranslogError `NOTE_MALFORMED`.
 */
export function parseNote(text: string): Note {
  if (text.length > maximumNoteLength)
    throw malformed(`a note has ${text.length} characters; expected at most ${maximumNoteLength}`)
  expectText(text)
  // The text may hold blank lines itself: the last one is the separator.
  const end = text.lastIndexOf('\n\n')
  if (end < 0 || !text.endsWith('\n')) throw malformed('a note is a text, a blank line and signature lines')
  const lines = text.slice(end + 2, -1).split('\n')
  if (lines.length > maximumNoteSignatures)
    throw malformed(`${lines.length} signature lines; expected at most ${maximumNoteSignatures}`)
  return { body: text.slice(0, end + 1), signatures: lines.map(parseSignatureLine) }
}

/**
 * Writes a note.
 * @throws TranslogError `NOTE_MALFORMED` where body or signatures cannot be a note, `NAME_MALFORMED`.
 */
export function formatNote(note: Note): string {
  const { body, signatures } = note
  expectText(body)
  if (!body.endsWith('\n')) throw malformed('the text of a note ends in a newline')
  if (signatures.length === 0 || signatures.length > maximumNoteSignatures)
    throw malformed(`a note has ${signatures.length} signatures; expected 1 to ${maximumNoteSignatures}`)
  return `${body}\n${signatures.map(formatSignatureLine).join('')}`
}

/**
 * Key names are non-empty and hold no Unicode space and no plus (C2SP signed-note); control characters are refused too.
 * @throws TranslogError `NAME_MALFORMED`.
 */
export function expectKeyName(name: string): string {
  if (name.length > 200 || !/^[^\p{White_Space}\p{Cc}+]+$/u.test(name) || !name.isWellFormed())
    throw new TranslogError(
      'NAME_MALFORMED',
      'a key name has 1 to 200 characters, no space, no plus, no control character',
    )
  return name
}

/** SHA-256(name ‖ newline ‖ type ‖ key)[:4], as C2SP signed-note recommends and tlog-cosignature demands. */
export function keyIdOf(name: string, type: SignatureType, key: PublicKey): string {
  const named = concatBytes(utf8(`${expectKeyName(name)}\n`), Uint8Array.of(type), fromBase64url(key.x))
  return toHex(sha256(named).subarray(0, 4))
}

/** The signature lines of a name and key id, in the note's order. */
export function signaturesOf(note: Note, name: string, keyId: string): readonly NoteSignature[] {
  return note.signatures.filter((line) => line.name === name && line.keyId === keyId)
}

function parseSignatureLine(line: string): NoteSignature {
  const match = /^— ([^\p{White_Space}\p{Cc}+]{1,200}) ([A-Za-z0-9+/]+=*)$/u.exec(line)
  const [, name, blob] = match ?? []
  if (name === undefined || blob === undefined) throw malformed('a signature line is not "— name base64"')
  const bytes = decode(blob)
  if (bytes.length < 5)
    throw malformed(`a signature has ${bytes.length} bytes; expected a key id of 4 and more`)
  return { name, keyId: toHex(bytes.subarray(0, 4)), signature: bytes.slice(4) }
}

function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  if (!/^[0-9a-f]{8}$/.test(keyId) || signature.length === 0)
    throw malformed('a signature has a key id of 4 bytes and more')
  const id = Uint8Array.from(keyId.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return `— ${expectKeyName(name)} ${toBase64(concatBytes(id, signature))}\n`
}

// C2SP signed-note: UTF-8, and no ASCII control character but the newline.
function expectText(text: string): void {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (!text.isWellFormed() || /[\u0000-\u0009\u000b-\u001f]/.test(text))
    throw malformed('a note is well-formed text without control characters')
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64(base64)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new TranslogError('NOTE_MALFORMED', `a signature is ${cause.message}`, { cause })
  }
}

function malformed(message: string): TranslogError {
  return new TranslogError('NOTE_MALFORMED', message)
}
