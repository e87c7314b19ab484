import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBase64, signingKeyFromSeed, toBase64, toBase64url, utf8, type PublicKey } from '#libs/canonical'
import { slow } from '#libs/testing'
import {
  formatCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  verifySignedCheckpoint,
  type Checkpoint,
} from './checkpoint.js'
import { addSignatures, cosign, findCosignature, type Witness } from './cosignature.js'
import { TranslogError, type TranslogErrorCode } from './errors.js'
import { leafHash } from './merkle-hash.js'
import { rootOf } from './frontier.js'
import { formatNote, keyIdOf, maximumNoteLength, parseNote, type Note, type NoteSignature } from './note.js'
import { countQuorum } from './quorum.js'
import { verifyCheckpoint, type CheckpointExpectation } from './verify-checkpoint.js'

const keyOf = (seed: number) => signingKeyFromSeed(new Uint8Array(32).fill(seed))
const [logKey, otherKey, ...witnessKeys] = await Promise.all([1, 2, 11, 12, 13, 14].map(keyOf))
const [northKey, southKey, insurerKey, strangerKey] = witnessKeys
const origin = 'log.example.org/1'
const root = rootOf([leafHash(utf8('a')), leafHash(utf8('b'))])
const checkpoint: Checkpoint = { origin, size: 2, root }
const note = await signCheckpoint(checkpoint, logKey!)
const signed = await verifySignedCheckpoint(note, { origin, key: logKey!.publicKey })
const witnesses: Witness[] = [
  { name: 'north', key: northKey!.publicKey },
  { name: 'south', key: southKey!.publicKey },
  { name: 'insurer', key: insurerKey!.publicKey },
]
const [byNorth, bySouth, byInsurer, byStranger] = await Promise.all([
  cosign(signed, { name: 'north', key: northKey!, timeSeconds: 1_700_000_000 }),
  cosign(signed, { name: 'south', key: southKey!, timeSeconds: 1_700_000_001 }),
  cosign(signed, { name: 'insurer', key: insurerKey!, timeSeconds: 1_700_000_002 }),
  cosign(signed, { name: 'stranger', key: strangerKey!, timeSeconds: 1_700_000_003 }),
])

async function codeOf(act: () => unknown): Promise<string | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    if (!(error instanceof TranslogError)) throw error
    return error.code
  }
}

const withLines = (...lines: (NoteSignature | undefined)[]): string =>
  addSignatures(
    note,
    lines.filter((line) => line !== undefined),
  )

describe('a signed note', () => {
  it('of another implementation verifies: the example of golang.org/x/mod/sumdb/note', async () => {
    const text =
      'If you think cryptography is the answer to your problem,\n' +
      "then you don't know what your problem is.\n\n" +
      '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
    const vkey = fromBase64('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
    const key: PublicKey = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(vkey.slice(1)) }
    expect(keyIdOf('PeterNeumann', 0x01, key)).toBe('c74f20a3')
    const parsed = parseNote(text)
    expect(parsed.signatures[0]?.keyId).toBe('c74f20a3')
    expect(formatNote(parsed)).toBe(text)
    const { verifyBytes } = await import('#libs/canonical')
    expect(await verifyBytes(key, utf8(parsed.body), parsed.signatures[0]!.signature)).toBe(true)
  })

  it('keeps blank lines of its text: the last one separates', () => {
    const text = `one\n\ntwo\n\n— name ${toBase64(new Uint8Array(8))}\n`
    expect(parseNote(text).body).toBe('one\n\ntwo\n')
  })

  it('may hold 16 signatures and more, of any length and algorithm', () => {
    const line: NoteSignature = { name: 'x', keyId: '00000001', signature: new Uint8Array(2420) }
    const many: Note = { body: 'text\n', signatures: Array.from({ length: 16 }, () => line) }
    expect(parseNote(formatNote(many))).toEqual(many)
  })

  const line = `— name ${toBase64(new Uint8Array(8))}`
  const mutations: [string, string][] = [
    ['nothing', ''],
    ['no blank line', `text\n${line}\n`],
    ['no signature', 'text\n\n'],
    ['no last newline', `text\n\n${line}`],
    ['two last newlines', `text\n\n${line}\n\n`],
    ['a carriage return', `text\r\n\n${line}\n`],
    ['a control character in the text', `te\u0000xt\n\n${line}\n`],
    ['a tab in the text', `te\txt\n\n${line}\n`],
    ['a lone surrogate', `te\ud800xt\n\n${line}\n`],
    ['a hyphen instead of a dash', `text\n\n- name ${toBase64(new Uint8Array(8))}\n`],
    ['a space after the signature', `text\n\n${line} \n`],
    ['two spaces', `text\n\n—  name ${toBase64(new Uint8Array(8))}\n`],
    ['a name with a plus', `text\n\n— na+me ${toBase64(new Uint8Array(8))}\n`],
    ['a name with a no-break space', `text\n\n— na\u00a0me ${toBase64(new Uint8Array(8))}\n`],
    ['a name with a next-line character', `text\n\n— na\u0085me ${toBase64(new Uint8Array(8))}\n`],
    ['base64url', `text\n\n— name ${toBase64(new Uint8Array(8).fill(0xff)).replaceAll('/', '_')}\n`],
    ['base64 without padding', `text\n\n— name ${toBase64(new Uint8Array(8)).replace('=', '')}\n`],
    ['base64 with stray bits', `text\n\n— name AAAAAAAAAAB=\n`],
    ['a signature that is a key id only', `text\n\n— name ${toBase64(new Uint8Array(4))}\n`],
    ['too many signatures', `text\n\n${`${line}\n`.repeat(257)}`],
    ['too much text', `${'x'.repeat(maximumNoteLength)}\n\n${line}\n`],
  ]
  it.each(mutations)('is refused with %s', async (_name, text) => {
    expect(await codeOf(() => parseNote(`text\n\n${line}\n`))).toBeUndefined()
    expect(await codeOf(() => parseNote(text))).toBe('NOTE_MALFORMED')
  })

  it('is not written where it could not be read', async () => {
    const ok: NoteSignature = { name: 'n', keyId: '00000000', signature: new Uint8Array(64) }
    const wrong: [Note, TranslogErrorCode][] = [
      [{ body: 'text', signatures: [ok] }, 'NOTE_MALFORMED'],
      [{ body: 'te\u0007xt\n', signatures: [ok] }, 'NOTE_MALFORMED'],
      [{ body: 'text\n', signatures: [] }, 'NOTE_MALFORMED'],
      [{ body: 'text\n', signatures: [{ ...ok, keyId: '0' }] }, 'NOTE_MALFORMED'],
      [{ body: 'text\n', signatures: [{ ...ok, signature: new Uint8Array() }] }, 'NOTE_MALFORMED'],
      [{ body: 'text\n', signatures: [{ ...ok, name: 'a b' }] }, 'NAME_MALFORMED'],
      [{ body: 'text\n', signatures: [{ ...ok, name: '' }] }, 'NAME_MALFORMED'],
      [{ body: 'text\n', signatures: [{ ...ok, name: 'a\nb' }] }, 'NAME_MALFORMED'],
    ]
    for (const [bad, code] of wrong) expect(await codeOf(() => formatNote(bad))).toBe(code)
  })

  it('reads back exactly as written, and lets only a TranslogError out', async () => {
    const piece = fc.oneof(
      fc.constantFrom('\n', '\n\n', '— ', ' ', `${line}\n`, 'name', '+', '=', origin, '2', note),
      fc.string({ unit: 'binary', maxLength: 20 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const text = pieces.join('')
        const code = await codeOf(() => {
          expect(formatNote(parseNote(text))).toBe(text)
        })
        return code === undefined || code === 'NOTE_MALFORMED'
      }),
      { numRuns: slow ? 50_000 : 3_000 },
    )
  })
})

describe('the text of a checkpoint', () => {
  const base64 = toBase64(root)
  it('has three lines and reads back', () => {
    expect(formatCheckpoint(checkpoint)).toBe(`${origin}\n2\n${base64}\n`)
    expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint)
  })

  const mutations: [string, string][] = [
    ['an extension line', `${origin}\n2\n${base64}\nmore\n`],
    ['a line too few', `${origin}\n2\n`],
    ['no last newline', `${origin}\n2\n${base64}`],
    ['an empty origin', `\n2\n${base64}\n`],
    ['a space in the origin', `log one\n2\n${base64}\n`],
    ['a plus in the origin', `log+one\n2\n${base64}\n`],
    ['a leading zero', `${origin}\n02\n${base64}\n`],
    ['a negative size', `${origin}\n-2\n${base64}\n`],
    ['a size with a sign', `${origin}\n+2\n${base64}\n`],
    ['a size in hexadecimal', `${origin}\n0x2\n${base64}\n`],
    ['a size with an exponent', `${origin}\n2e1\n${base64}\n`],
    ['a size beyond 2^53', `${origin}\n9007199254740992\n${base64}\n`],
    ['a size of 40 digits', `${origin}\n${'9'.repeat(40)}\n${base64}\n`],
    ['digits of another script', `${origin}\n٢\n${base64}\n`],
    ['a root of 31 bytes', `${origin}\n2\n${toBase64(root.slice(1))}\n`],
    ['a root with stray bits', `${origin}\n2\n${'A'.repeat(42)}B=\n`],
    ['a root of its own for no leaves', `${origin}\n0\n${base64}\n`],
  ]
  it.each(mutations)('is refused with %s', async (_name, body) => {
    expect(await codeOf(() => parseCheckpoint(body))).toBe('CHECKPOINT_MALFORMED')
  })

  it('is not signed where it could not be read', async () => {
    const wrong: [Checkpoint, TranslogErrorCode][] = [
      [{ ...checkpoint, origin: 'two words' }, 'NAME_MALFORMED'],
      [{ ...checkpoint, size: -1 }, 'SIZE_INVALID'],
      [{ ...checkpoint, root: root.slice(1) }, 'HASH_MALFORMED'],
    ]
    for (const [bad, code] of wrong) expect(await codeOf(() => signCheckpoint(bad, logKey!))).toBe(code)
  })
})

describe('verifySignedCheckpoint', () => {
  const log = { origin, key: logKey!.publicKey }
  const cases: [string, () => Promise<string> | string, TranslogErrorCode][] = [
    [
      'a checkpoint of another log',
      () => signCheckpoint({ ...checkpoint, origin: 'other.example' }, logKey!),
      'ORIGIN_MISMATCH',
    ],
    ['a checkpoint by another key', () => signCheckpoint(checkpoint, otherKey!), 'LOG_SIGNATURE_MISSING'],
    ['a size that was not signed', () => note.replace('\n2\n', '\n3\n'), 'LOG_SIGNATURE_INVALID'],
    [
      'a root that was not signed',
      () => note.replace(toBase64(root), toBase64(leafHash(utf8('x')))),
      'LOG_SIGNATURE_INVALID',
    ],
    [
      'a second line under the log key that fails',
      () => addSignatures(note, [{ ...parseNote(note).signatures[0]!, signature: new Uint8Array(64) }]),
      'LOG_SIGNATURE_INVALID',
    ],
    [
      'a signature of 63 bytes',
      () =>
        formatNote({
          body: formatCheckpoint(checkpoint),
          signatures: [{ ...parseNote(note).signatures[0]!, signature: new Uint8Array(63) }],
        }),
      'LOG_SIGNATURE_INVALID',
    ],
    [
      'a cosignature in place of the log signature',
      () => formatNote({ ...parseNote(note), signatures: [byNorth] }),
      'LOG_SIGNATURE_MISSING',
    ],
    [
      'text that is no checkpoint',
      () => formatNote({ ...parseNote(note), body: 'hello\n' }),
      'CHECKPOINT_MALFORMED',
    ],
    ['no note', () => 'hello', 'NOTE_MALFORMED'],
  ]
  it.each(cases)('refuses %s', async (_name, make, code) => {
    expect((await verifySignedCheckpoint(note, log)).size).toBe(2)
    expect(await codeOf(async () => verifySignedCheckpoint(await make(), log))).toBe(code)
  })

  it('ignores lines of keys that it does not know, even under the name of the log', async () => {
    const stranger = parseNote(await signCheckpoint(checkpoint, otherKey!)).signatures
    const garbage: NoteSignature = { name: origin, keyId: 'ffffffff', signature: new Uint8Array(5) }
    const crowded = addSignatures(note, [...stranger, garbage, byStranger])
    expect((await verifySignedCheckpoint(crowded, log)).root).toEqual(root)
  })

  it('accepts the empty tree', async () => {
    const empty = await signCheckpoint({ origin, size: 0, root: rootOf([]) }, logKey!)
    expect((await verifySignedCheckpoint(empty, log)).size).toBe(0)
  })
})

describe('a cosignature', () => {
  it('signs the prefix, the time and the text of the checkpoint (C2SP tlog-cosignature)', async () => {
    const { verifyBytes } = await import('#libs/canonical')
    const message = utf8(`cosignature/v1\ntime 1700000000\n${formatCheckpoint(checkpoint)}`)
    const { signature, keyId } = byNorth
    expect(signature).toHaveLength(72)
    expect(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0)).toBe(1_700_000_000n)
    expect(await verifyBytes(northKey!.publicKey, message, signature.slice(8))).toBe(true)
    expect(keyId).toBe(keyIdOf('north', 0x04, northKey!.publicKey))
    expect(keyId).not.toBe(keyIdOf('north', 0x01, northKey!.publicKey))
  })

  it('has the time at which it was made; of several the latest', async () => {
    const later = await cosign(signed, { name: 'north', key: northKey!, timeSeconds: 1_700_000_500 })
    const parsed = parseNote(withLines(later, byNorth))
    expect(await findCosignature(parsed, witnesses[0]!)).toEqual({
      name: 'north',
      timeSeconds: 1_700_000_500,
    })
    expect(await findCosignature(parsed, witnesses[1]!)).toBeUndefined()
  })

  it('cannot be made at no time', async () => {
    for (const timeSeconds of [-1, 1.5, Number.NaN, 2 ** 53])
      expect(await codeOf(() => cosign(signed, { name: 'north', key: northKey!, timeSeconds }))).toBe(
        'SIZE_INVALID',
      )
  })

  it('is added once however often it comes', () => {
    const once = withLines(byNorth)
    expect(addSignatures(once, [byNorth, byNorth])).toBe(once)
    expect(withLines(byNorth, byNorth)).toBe(once)
  })
})

describe('verifyCheckpoint', () => {
  const expectation = (text: string): CheckpointExpectation => ({
    note: text,
    origin,
    logKey: logKey!.publicKey,
    witnesses,
    quorum: 2,
    required: ['north'],
  })

  it('accepts a quorum with everyone who must be in it, and names who is absent', async () => {
    const verified = await verifyCheckpoint(expectation(withLines(bySouth, byStranger, byNorth)))
    expect(verified.cosignatures).toEqual([
      { name: 'north', timeSeconds: 1_700_000_000 },
      { name: 'south', timeSeconds: 1_700_000_001 },
    ])
    expect(verified.absent).toEqual(['insurer'])
    expect(verified).toMatchObject({ origin, size: 2, root })
  })

  const tampered = (line: NoteSignature | undefined, at: number): NoteSignature => {
    const signature = Uint8Array.from(line!.signature)
    signature[at]! ^= 1
    return { ...line!, signature }
  }
  const mutations: [string, Partial<CheckpointExpectation>, TranslogErrorCode][] = [
    ['nobody cosigned', { note }, 'QUORUM_NOT_MET'],
    ['one too few cosigned', { note: withLines(byNorth) }, 'QUORUM_NOT_MET'],
    [
      'one cosigned twice',
      { note: `${withLines(byNorth)}${withLines(byNorth).split('\n').at(-2)!}\n` },
      'QUORUM_NOT_MET',
    ],
    ['a stranger makes up the number', { note: withLines(byNorth, byStranger) }, 'QUORUM_NOT_MET'],
    ['one who must is missing', { note: withLines(bySouth, byInsurer) }, 'QUORUM_NOT_MET'],
    ['another of those who must is missing', { required: ['north', 'insurer'] }, 'QUORUM_NOT_MET'],
    [
      'one signed the note but not as a witness',
      { note: withLines(byNorth, { ...bySouth, keyId: keyIdOf('south', 1, southKey!.publicKey) }) },
      'QUORUM_NOT_MET',
    ],
    [
      'one cosigned under the name of another',
      { note: withLines(byNorth, { ...byStranger, name: 'south' }) },
      'QUORUM_NOT_MET',
    ],
    [
      'a copied cosignature is given the key id of another',
      { note: withLines(byNorth, { ...byNorth, name: 'south', keyId: bySouth.keyId }) },
      'COSIGNATURE_INVALID',
    ],
    ['a signature was changed', { note: withLines(byNorth, tampered(bySouth, 70)) }, 'COSIGNATURE_INVALID'],
    ['a time was changed', { note: withLines(byNorth, tampered(bySouth, 7)) }, 'COSIGNATURE_INVALID'],
    ['a time is beyond 2^53', { note: withLines(byNorth, tampered(bySouth, 0)) }, 'COSIGNATURE_INVALID'],
    [
      'a cosignature is cut off',
      { note: withLines(byNorth, { ...bySouth, signature: bySouth.signature.slice(0, 7) }) },
      'COSIGNATURE_INVALID',
    ],
    [
      'a cosignature is a byte too long',
      { note: withLines(byNorth, { ...bySouth, signature: new Uint8Array([...bySouth.signature, 0]) }) },
      'COSIGNATURE_INVALID',
    ],
    ['the log is another', { origin: 'other.example' }, 'ORIGIN_MISMATCH'],
    ['the key of the log is another', { logKey: otherKey!.publicKey }, 'LOG_SIGNATURE_MISSING'],
    ['the quorum is zero', { quorum: 0 }, 'WITNESSES_INVALID'],
    ['the quorum is no number', { quorum: Number.NaN }, 'WITNESSES_INVALID'],
    ['the quorum is more than there are', { quorum: 4 }, 'WITNESSES_INVALID'],
    ['there are no witnesses', { witnesses: [], required: [] }, 'WITNESSES_INVALID'],
    ['one who must is no witness', { required: ['lab'] }, 'WITNESSES_INVALID'],
    [
      'two witnesses share a name',
      { witnesses: [...witnesses, { name: 'north', key: otherKey!.publicKey }] },
      'WITNESSES_INVALID',
    ],
    [
      'two witnesses share a key',
      { witnesses: [...witnesses, { name: 'lab', key: northKey!.publicKey }] },
      'WITNESSES_INVALID',
    ],
  ]
  it.each(mutations)('refuses where %s', async (_name, mutation, code) => {
    const base = expectation(withLines(byNorth, bySouth))
    expect((await verifyCheckpoint(base)).size).toBe(2)
    expect(await codeOf(() => verifyCheckpoint({ ...base, ...mutation }))).toBe(code)
  })

  it('names who is missing', async () => {
    const error: unknown = await verifyCheckpoint(expectation(withLines(bySouth, byInsurer))).catch(
      (cause: unknown) => cause,
    )
    expect(error).toBeInstanceOf(TranslogError)
    expect((error as TranslogError).message).toContain('missing and required: north')
  })

  it('does not carry cosignatures of one checkpoint over to another', async () => {
    const next = await signCheckpoint({ origin, size: 3, root: leafHash(utf8('other')) }, logKey!)
    const moved = addSignatures(next, [byNorth, bySouth])
    expect(await codeOf(() => verifyCheckpoint(expectation(moved)))).toBe('COSIGNATURE_INVALID')
  })
})

describe('countQuorum', () => {
  it('never counts more than the distinct witnesses that it knows', () => {
    const names = fc.array(fc.constantFrom('north', 'south', 'insurer', 'x', '', 'North'), { maxLength: 12 })
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 3 }), (cosigned, quorum) => {
        const known = new Set(cosigned.filter((name) => witnesses.some((witness) => witness.name === name)))
        const count = countQuorum({ witnesses, quorum, required: [] }, cosigned)
        return count.met === known.size >= quorum && count.present.length + count.absent.length === 3
      }),
    )
  })
})
