/** Ed25519 by the project's own verifier of raw bytes, which everything but statements is verified with. */
import { z } from 'zod'
import { toBase64url, verifyBytes } from '#libs/canonical'
import { hexBytes, isRecord, readAs } from './reading.js'
import { verdictOf } from './verdict.js'
import type { Judge } from './wycheproof-algorithms.js'

const rawKeySchema = z.object({ curve: z.string().optional(), pk: hexBytes })
const jwkSchema = z.object({ crv: z.string(), x: z.string() })
const testSchema = z.object({ msg: hexBytes, sig: hexBytes })

export const ed25519: Judge = {
  whyNotUsed: (group) =>
    keyOf(group) === undefined ? 'the project verifies by public keys on edwards25519 only' : undefined,
  judge: (group, test) => {
    const x = keyOf(group) ?? ''
    const { msg, sig } = readAs(testSchema, test, 'a test')
    const verify = () => verifyBytes({ kty: 'OKP', crv: 'Ed25519', x }, msg, sig)
    return {
      // A key that cannot be used is refused by a code, a signature that does not hold by `false`.
      verdict: async () => {
        const usable = await verdictOf(verify)
        return usable === 'accepted' && !(await verify()) ? 'refused' : usable
      },
    }
  },
}

// Files of different years have the key as bytes, under two names, and as a JWK.
function keyOf(group: Readonly<Record<string, unknown>>): string | undefined {
  const raw = [group['publicKey'], group['key']].find((key) => isRecord(key) && 'pk' in key)
  if (raw !== undefined) {
    const { curve = 'edwards25519', pk } = readAs(rawKeySchema, raw, 'the public key')
    return curve === 'edwards25519' ? toBase64url(pk) : undefined
  }
  const jwk = group['publicKeyJwk'] ?? group['jwk']
  if (jwk === undefined || jwk === null) return undefined
  const { crv, x } = readAs(jwkSchema, jwk, 'the public key')
  return crv === 'Ed25519' ? x : undefined
}
