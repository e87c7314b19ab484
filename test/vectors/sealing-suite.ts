/**
 * The suite that the project seals keys with (X-Wing 0x647a, HKDF-SHA256, AES-256-GCM) against another implementation of it: what one seals
 * the other opens. No published file has this suite yet, so these cases make their own.
 */
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core'
import { XWing } from '@hpke/hybridkem-x-wing'
import { fromBase64url, toBase64url, toHex, utf8 } from '#libs/canonical'
import { generateSealingKeyPair, openKey, sealingSuite, sealKey } from '#libs/envelope'
import type { VectorCase } from './kind.js'

// The package's declarations do not resolve under our settings; this is what of it is used.
interface Peer {
  readonly kem: {
    deserializePublicKey(bytes: ArrayBuffer): Promise<object>
    serializePublicKey(key: object): Promise<ArrayBuffer>
    generateKeyPair(): Promise<{ readonly publicKey: object; readonly privateKey: object }>
  }
  seal(
    to: { recipientPublicKey: object; info: ArrayBuffer },
    key: ArrayBuffer,
  ): Promise<{ enc: ArrayBuffer; ct: ArrayBuffer }>
  open(
    by: { recipientKey: object; enc: ArrayBuffer; info: ArrayBuffer },
    ct: ArrayBuffer,
  ): Promise<ArrayBuffer>
}

/** Both ways, for a key and an info of the caller's. */
export function sealingSuiteCases(randomBytes: (length: number) => Uint8Array): readonly VectorCase[] {
  const peer = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() }) as Peer
  const key = randomBytes(32)
  const info = utf8('a key for one enclave')
  return [
    {
      id: 'sealed by @hpke/core, opened by us',
      expected: toHex(key),
      see: async () => {
        const pair = await generateSealingKeyPair(randomBytes)
        const publicKey = fromBase64url(pair.publicKey.publicKey)
        const recipientPublicKey = await peer.kem.deserializePublicKey(exact(publicKey))
        const { enc, ct } = await peer.seal({ recipientPublicKey, info: exact(info) }, exact(key))
        const sealed = {
          encapsulated: toBase64url(new Uint8Array(enc)),
          ciphertext: toBase64url(new Uint8Array(ct)),
        }
        return toHex(await openKey(pair, sealed, info))
      },
    },
    {
      id: 'sealed by us, opened by @hpke/core',
      expected: toHex(key),
      see: async () => {
        const { publicKey, privateKey: recipientKey } = await peer.kem.generateKeyPair()
        const ours = toBase64url(new Uint8Array(await peer.kem.serializePublicKey(publicKey)))
        const sealed = await sealKey({ suite: sealingSuite, publicKey: ours }, key, info)
        const enc = exact(fromBase64url(sealed.encapsulated))
        const ct = exact(fromBase64url(sealed.ciphertext))
        return toHex(new Uint8Array(await peer.open({ recipientKey, enc, info: exact(info) }, ct)))
      },
    },
  ]
}

function exact(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer
}
