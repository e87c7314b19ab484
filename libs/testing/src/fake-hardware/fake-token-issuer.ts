/** A service that signs any token it is asked to. */
import { createHash, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { toBase64url, utf8, type JsonValue } from '#libs/canonical'
import type { FakeKey } from './certificate-authority.js'

/** A token before it is signed. Change what you like. */
export interface TokenForgery {
  header: Record<string, JsonValue>
  claims: Record<string, JsonValue>
  /** What becomes of the finished text. */
  onTheWay: (token: string) => string
}

/** The key of one service. */
export class FakeTokenIssuer {
  readonly #key: KeyObject
  readonly #algorithm: 'RS256' | 'ES384'

  constructor(algorithm: 'RS256' | 'ES384') {
    this.#algorithm = algorithm
    this.#key =
      algorithm === 'RS256'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
        : generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
  }

  /** Its key set; `changes` are made to the one key in it. */
  keySet(changes: Record<string, JsonValue> = {}): Uint8Array {
    const jwk = createPublicKey(this.#key).export({ format: 'jwk' })
    return utf8(
      JSON.stringify({ keys: [{ ...jwk, kid: 'fake', alg: this.#algorithm, use: 'sig', ...changes }] }),
    )
  }

  /** RFC 7638 thumbprint of its key. */
  get thumbprint(): string {
    const { crv, e, kty, n, x, y } = createPublicKey(this.#key).export({ format: 'jwk' })
    const members = this.#algorithm === 'RS256' ? { e, kty, n } : { crv, kty, x, y }
    return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
  }

  /** Its key, for a certificate of it. */
  get certifiedKey(): FakeKey {
    const spki = createPublicKey(this.#key).export({ type: 'spki', format: 'der' })
    const algorithm = this.#algorithm === 'RS256' ? 'rsa-pkcs1-sha384' : 'ecdsa-sha384'
    return { algorithm, privateKey: this.#key, spki }
  }

  /** A token with these claims, valid for an hour from a minute before `now`. */
  draft(now: number, claims: Record<string, JsonValue>): TokenForgery {
    const issued = Math.floor(now / 1000) - 60
    return {
      header: { alg: this.#algorithm, kid: 'fake', typ: 'JWT' },
      claims: { iat: issued, nbf: issued, exp: issued + 3600, ...claims },
      onTheWay: (token) => token,
    }
  }

  /** Makes what the draft says. */
  make({ header, claims, onTheWay }: TokenForgery): string {
    const signed = [header, claims].map((part) => toBase64url(utf8(JSON.stringify(part)))).join('.')
    const signature =
      this.#algorithm === 'RS256'
        ? sign('sha256', utf8(signed), this.#key)
        : sign('sha384', utf8(signed), { key: this.#key, dsaEncoding: 'ieee-p1363' })
    return onTheWay(`${signed}.${toBase64url(signature)}`)
  }
}
