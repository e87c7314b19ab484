/**
 * Sealing of 32-byte keys to a party or an enclave: HPKE (RFC 9180), base mode, single shot, X-Wing.
 * Guards: only the holder of the secret opens, against quantum computers too; the info must be the same on both sides.
 * Says nothing about who sealed; see {@link keyInfo}.
 */
import { KEM_MLKEM768_X25519 } from '@panva/hpke-noble'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, type Key, type KeyPair } from 'hpke'
import { fromBase64url, toBase64url } from '#libs/canonical'
import { EnvelopeError, openFailed } from './errors.js'
import { sealingSuite } from './key-info.js'

/** A public key that keys are sealed to, as statements carry it: 1216 bytes of base64url. */
export interface SealingPublicKey {
  readonly suite: typeof sealingSuite
  readonly publicKey: string
}

/** A sealed 32-byte key: 1120 and 48 bytes of base64url. */
export interface SealedKey {
  readonly encapsulated: string
  readonly ciphertext: string
}

/** Holds a secret: never logged, never serialized but as the seed it came from, by the key store. */
export interface SealingKeyPair {
  readonly publicKey: SealingPublicKey
  /** Opaque, not extractable. */
  readonly secret: KeyPair
}

const publicKeyLength = 1216
const encapsulatedLength = 1120
const sealedKeyLength = 48
const keyLength = 32
const seedLength = 32
const suite = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM)

/**
 * The key pair of a seed, by HPKE's DeriveKeyPair (RFC 9180 §7.1.3). Equal seeds give equal pairs.
 * @throws RangeError where the seed is not 32 bytes.
 */
export async function sealingKeyPairFromSeed(seed: Uint8Array): Promise<SealingKeyPair> {
  if (seed.length !== seedLength)
    throw new RangeError(`a sealing seed has ${seedLength} bytes; got ${seed.length}`)
  const secret = await suite.DeriveKeyPair(seed, false)
  const publicKey = toBase64url(await suite.SerializePublicKey(secret.publicKey))
  return { publicKey: { suite: sealingSuite, publicKey }, secret }
}

/** A fresh key pair. */
export async function generateSealingKeyPair(
  randomBytes: (length: number) => Uint8Array,
): Promise<SealingKeyPair> {
  return sealingKeyPairFromSeed(randomBytes(seedLength))
}

/**
 * Seals a key. The encapsulation draws on the platform's own generator, which RFC 9180 implementations do not let anyone
 * replace, so two seals of one key differ.
 * @param info - from {@link keyInfo}.
 * @throws EnvelopeError `SEALING_KEY_MALFORMED` where nobody can seal to the recipient's key.
 * @throws RangeError where the key is not 32 bytes.
 */
export async function sealKey(
  recipient: SealingPublicKey,
  key: Uint8Array,
  info: Uint8Array,
): Promise<SealedKey> {
  if (key.length !== keyLength)
    throw new RangeError(`a key to seal has ${keyLength} bytes; got ${key.length}`)
  const publicKey = await importSealingKey(recipient)
  try {
    const sealed = await suite.Seal(publicKey, key, { info })
    return {
      encapsulated: toBase64url(sealed.encapsulatedSecret),
      ciphertext: toBase64url(sealed.ciphertext),
    }
  } catch (cause) {
    throw new EnvelopeError('SEALING_KEY_MALFORMED', 'nothing can be sealed to this public key', { cause })
  }
}

/**
 * Opens a sealed key.
 * @throws EnvelopeError `OPEN_FAILED`, whatever the reason.
 */
export async function openKey(
  pair: SealingKeyPair,
  sealed: SealedKey,
  info: Uint8Array,
): Promise<Uint8Array> {
  try {
    const encapsulated = expectBytes(sealed.encapsulated, encapsulatedLength)
    const ciphertext = expectBytes(sealed.ciphertext, sealedKeyLength)
    return await suite.Open(pair.secret, encapsulated, ciphertext, { info })
  } catch {
    throw openFailed()
  }
}

async function importSealingKey(key: SealingPublicKey): Promise<Key> {
  if ((key.suite as unknown) !== sealingSuite)
    throw new EnvelopeError('SEALING_KEY_MALFORMED', `the suite must be ${sealingSuite}`)
  try {
    const bytes = expectBytes(key.publicKey, publicKeyLength)
    checkModulus(bytes)
    return await suite.DeserializePublicKey(bytes)
  } catch (cause) {
    if (cause instanceof EnvelopeError) throw cause
    throw new EnvelopeError('SEALING_KEY_MALFORMED', `expected ${publicKeyLength} bytes of base64url`, {
      cause,
    })
  }
}

// FIPS 203 §7.2: every 12-bit coefficient of the encapsulation key must be below q. The X-Wing of our package does not ask.
function checkModulus(key: Uint8Array): void {
  const coefficientBytes = 1152
  for (let i = 0; i < coefficientBytes; i += 3) {
    const [a = 0, b = 0, c = 0] = key.subarray(i, i + 3)
    if ((a | ((b & 15) << 8)) >= 3329 || ((b >> 4) | (c << 4)) >= 3329)
      throw new EnvelopeError(
        'SEALING_KEY_MALFORMED',
        'a coefficient of the ML-KEM key is not below its modulus',
      )
  }
}

function expectBytes(text: unknown, length: number): Uint8Array {
  // The length of the text is looked at before anything of it is decoded.
  if (typeof text !== 'string' || text.length !== Math.ceil((length * 4) / 3))
    throw new RangeError(`expected ${length} bytes of base64url`)
  return fromBase64url(text)
}
