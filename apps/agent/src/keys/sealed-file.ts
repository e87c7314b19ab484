/**
 * Secrets of an agent at rest: XChaCha20-Poly1305 under a passphrase (scrypt) or a 32-byte key file, as one line of canonical
 * JSON. Guards the secret against whoever copies the file; says nothing about who may read it on this machine.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { z } from 'zod'
import {
  canonicalBytes,
  concatBytes,
  domains,
  fromBase64url,
  parseCanonical,
  toBase64url,
  utf8,
  type Domain,
} from '#libs/canonical'
import { bytesSchema, thumbprintSchema } from '#libs/protocol'
import { AgentError } from '../errors.js'
import {
  defaultCost,
  maximumN,
  minimumN,
  stretchPassphrase,
  type ScryptCost,
  type Unlock,
} from './stretch-passphrase.js'

export type { ScryptCost, Unlock } from './stretch-passphrase.js'

export const sealedKinds = ['consent', 'daemon', 'recovery', 'backup'] as const
export type SealedKind = (typeof sealedKinds)[number]

const kdfSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('scrypt'),
    N: z.int().min(2).max(maximumN),
    r: z.literal(8),
    p: z.literal(1),
    salt: bytesSchema(32),
  }),
  z.strictObject({ name: z.literal('key-file') }),
])

const headerSchema = z.strictObject({
  sealroom: z.literal('sealed-file/v1'),
  kind: z.enum(sealedKinds),
  party: thumbprintSchema,
  kdf: kdfSchema,
  nonce: bytesSchema(24),
})

const fileSchema = headerSchema.extend({ ciphertext: z.string().regex(/^[A-Za-z0-9_-]+$/) })

type Header = z.infer<typeof headerSchema>

/** Anything longer is no file of ours. A backup is longer than keys are. */
const maximumLength = { consent: 4096, recovery: 4096, daemon: 262_144, backup: 2 ** 28 } as const

export interface SealOptions {
  readonly kind: SealedKind
  readonly party: string
  readonly unlock: Unlock
  readonly randomBytes: (length: number) => Uint8Array
  /** @defaultValue {@link defaultCost} */
  readonly cost?: ScryptCost
  /** 32 bytes; files that are made together under one passphrase share it, so that the passphrase is stretched once */
  readonly salt?: Uint8Array
}

/** Seals a secret; the result is text for a file. */
export async function sealFile(secret: Uint8Array, options: SealOptions): Promise<string> {
  const { kind, party, unlock, randomBytes, cost = defaultCost, salt = randomBytes(32) } = options
  const kdf =
    unlock.kind === 'key-file'
      ? ({ name: 'key-file' } as const)
      : ({ name: 'scrypt', ...cost, salt: toBase64url(salt) } as const)
  const header: Header = { sealroom: 'sealed-file/v1', kind, party, kdf, nonce: toBase64url(randomBytes(24)) }
  const cipher = xchacha20poly1305(await keyOf(kdf, unlock), fromBase64url(header.nonce), boundTo(header))
  const ciphertext = toBase64url(cipher.encrypt(secret))
  return `${new TextDecoder().decode(canonicalBytes({ ...header, ciphertext }))}\n`
}

export interface OpenOptions {
  readonly kind: SealedKind
  readonly unlock: Unlock
  /** Where the bytes came from, for messages. */
  readonly where: string
  /** Lowest scrypt N that is read; tests alone pass a smaller one. */
  readonly minimumN?: number
}

/**
 * Opens a sealed file of a kind.
 * @throws AgentError `KEY_STORE_MALFORMED` where the bytes are no such file, `KEY_STORE_LOCKED` where the passphrase or key is
 * another one or the file was altered; which of these is not told.
 */
export async function openFile(
  bytes: Uint8Array,
  options: OpenOptions,
): Promise<{ readonly secret: Uint8Array; readonly party: string }> {
  const { ciphertext, ...header } = parseFile(bytes, options)
  if (header.kind !== options.kind)
    throw new AgentError(
      'KEY_STORE_MALFORMED',
      `${options.where} holds ${header.kind} keys; expected ${options.kind} keys`,
    )
  if ((header.kdf.name === 'scrypt') !== (options.unlock.kind === 'passphrase'))
    throw new AgentError(
      'KEY_STORE_LOCKED',
      header.kdf.name === 'scrypt'
        ? `${options.where} is under a passphrase: give --passphrase-file, or a terminal to type it at`
        : `${options.where} is under a key file: give --key-file`,
    )
  const cipher = xchacha20poly1305(
    await keyOf(header.kdf, options.unlock),
    fromBase64url(header.nonce),
    boundTo(header),
  )
  try {
    return { secret: cipher.decrypt(fromBase64url(ciphertext)), party: header.party }
  } catch (cause) {
    throw new AgentError(
      'KEY_STORE_LOCKED',
      `${options.where} does not open: the ${options.unlock.kind === 'passphrase' ? 'passphrase' : 'key file'} is not the one it was sealed under, or the file was altered`,
      { cause },
    )
  }
}

/** What opens a sealed file, told without opening it. */
export function unlockKindOf(bytes: Uint8Array, where: string): Unlock['kind'] {
  const { kdf } = parseFile(bytes, { where, minimumN: 2 })
  return kdf.name === 'scrypt' ? 'passphrase' : 'key-file'
}

function parseFile(
  bytes: Uint8Array,
  {
    where,
    kind,
    minimumN: least = minimumN,
  }: Pick<OpenOptions, 'where' | 'minimumN'> & { kind?: SealedKind },
): z.infer<typeof fileSchema> {
  if (bytes.length > maximumLength[kind ?? 'daemon'])
    throw new AgentError('KEY_STORE_MALFORMED', `${where} has ${bytes.length} bytes: too many for a key file`)
  const file = fileSchema.safeParse(parsed(bytes, where))
  if (!file.success) {
    const fields = file.error.issues.slice(0, 3).map((issue) => issue.path.join('.') || 'the whole')
    throw new AgentError(
      'KEY_STORE_MALFORMED',
      `${where} is not a sealed file of this version (${fields.join(', ')}): restore a backup`,
    )
  }
  const { kdf, nonce } = file.data
  for (const text of kdf.name === 'scrypt' ? [nonce, kdf.salt] : [nonce])
    if (!isBase64url(text))
      throw new AgentError('KEY_STORE_MALFORMED', `${where} holds stray bits: restore a backup`)
  if (kdf.name === 'scrypt' && (kdf.N < least || (kdf.N & (kdf.N - 1)) !== 0))
    throw new AgentError(
      'KEY_STORE_MALFORMED',
      `${where} names scrypt N=${kdf.N}; expected a power of two from ${least} to ${maximumN}`,
    )
  return file.data
}

function parsed(bytes: Uint8Array, where: string): unknown {
  try {
    // One spelling: repeated members, other orders and other spacing are refused.
    return parseCanonical(bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes)
  } catch (cause) {
    throw new AgentError('KEY_STORE_MALFORMED', `${where} is not a sealed file: restore a backup`, { cause })
  }
}

function isBase64url(text: string): boolean {
  try {
    fromBase64url(text)
    return true
  } catch {
    return false
  }
}

async function keyOf(kdf: Header['kdf'], unlock: Unlock): Promise<Uint8Array> {
  if (kdf.name === 'key-file' && unlock.kind === 'key-file') return unlock.key
  if (kdf.name === 'scrypt' && unlock.kind === 'passphrase') {
    return await stretchPassphrase(unlock, kdf)
  }
  throw new AgentError('KEY_STORE_LOCKED', 'a sealed file needs the kind of key that it was sealed under')
}

function boundTo(header: Header): Uint8Array {
  const domain: Domain = header.kind === 'backup' ? domains.backup : domains.keyStore
  return concatBytes(utf8(domain), canonicalBytes(header))
}
