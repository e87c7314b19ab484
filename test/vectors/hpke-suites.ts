/**
 * The algorithms of HPKE by their numbers (RFC 9180 §7), from the packages that the project seals keys with: `hpke`, and for the KEMs
 * and ChaCha20-Poly1305, which Node 20 lacks, `@panva/hpke-noble`.
 */
import * as noble from '@panva/hpke-noble'
import * as hpke from 'hpke'

/** Modes of RFC 9180 §5; the package has the first two. */
export const modeNames = ['base', 'psk', 'auth', 'auth_psk'] as const

const kems: Readonly<Record<number, hpke.KEMFactory>> = byId([
  noble.KEM_DHKEM_P256_HKDF_SHA256,
  noble.KEM_DHKEM_P384_HKDF_SHA384,
  noble.KEM_DHKEM_P521_HKDF_SHA512,
  noble.KEM_DHKEM_X25519_HKDF_SHA256,
  noble.KEM_DHKEM_X448_HKDF_SHA512,
  noble.KEM_ML_KEM_512,
  noble.KEM_ML_KEM_768,
  noble.KEM_ML_KEM_1024,
  noble.KEM_MLKEM768_P256,
  noble.KEM_MLKEM1024_P384,
  noble.KEM_MLKEM768_X25519,
])
const kdfs: Readonly<Record<number, hpke.KDFFactory>> = byId([
  hpke.KDF_HKDF_SHA256,
  hpke.KDF_HKDF_SHA384,
  hpke.KDF_HKDF_SHA512,
  noble.KDF_SHAKE128,
  noble.KDF_SHAKE256,
  noble.KDF_TurboSHAKE128,
  noble.KDF_TurboSHAKE256,
])
const aeads: Readonly<Record<number, hpke.AEADFactory>> = byId([
  hpke.AEAD_AES_128_GCM,
  hpke.AEAD_AES_256_GCM,
  noble.AEAD_ChaCha20Poly1305,
  hpke.AEAD_EXPORT_ONLY,
])

/** The numbers of a suite. */
export interface SuiteNumbers {
  readonly kem: number
  readonly kdf: number
  readonly aead: number
}

/** The algorithms of a suite. */
export interface Algorithms {
  readonly kem: hpke.KEM
  readonly kdf: hpke.KDF
  readonly aead: hpke.AEAD
}

/** The algorithms behind numbers, or undefined where the packages lack one of them. */
export function findAlgorithms({ kem, kdf, aead }: SuiteNumbers): Algorithms | undefined {
  const [makeKem, makeKdf, makeAead] = [kems[kem], kdfs[kdf], aeads[aead]]
  if (makeKem === undefined || makeKdf === undefined || makeAead === undefined) return undefined
  return { kem: makeKem(), kdf: makeKdf(), aead: makeAead() }
}

/** A suite as people write it, numbers for what is not known. */
export function suiteName({ kem, kdf, aead }: SuiteNumbers): string {
  return [kems[kem]?.().name ?? `KEM ${hex(kem)}`, kdfs[kdf]?.().name ?? `KDF ${hex(kdf)}`]
    .concat(aeads[aead]?.().name ?? `AEAD ${hex(aead)}`)
    .join(', ')
}

/** The suite itself; the KEM may be a changed one. */
export function suiteOf({ kem, kdf, aead }: Algorithms): hpke.CipherSuite {
  return new hpke.CipherSuite(
    () => kem,
    () => kdf,
    () => aead,
  )
}

/**
 * The same KEM with its ephemeral key pair given, so that an encapsulation can be foretold. RFC 9180 §4.1: Encap makes the pair
 * by GenerateKeyPair, and the vectors tell from which keying material.
 */
export function withEphemeral(kem: hpke.KEM, ephemeral: hpke.KeyPair): hpke.KEM {
  return Object.assign(Object.create(kem) as hpke.KEM, { GenerateKeyPair: () => Promise.resolve(ephemeral) })
}

/** Whether the KEM is one of Diffie-Hellman (RFC 9180 §4.1), the only ones whose ephemeral pair is a pair of keys. */
export function isDiffieHellman(kem: number): boolean {
  return kem >= 0x10 && kem <= 0x21
}

function byId<F extends () => { readonly id: number }>(factories: readonly F[]): Readonly<Record<number, F>> {
  return Object.fromEntries(factories.map((make) => [make().id, make]))
}

function hex(id: number): string {
  return `0x${id.toString(16).padStart(4, '0')}`
}
