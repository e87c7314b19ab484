/**
 * C2SP chunked encryption with AES-256-GCM (Cobblestone-256) by both implementations of libs/envelope: each must open what is valid,
 * seal it again to the same bytes, and refuse the rest by `OPEN_FAILED`.
 */
import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { z } from 'zod'
import { openBytes, sealBytes } from '#libs/envelope'
import { nobleOpen, nobleSeal, saltLength } from '#libs/envelope/vectors'
import { MalformedVectors } from './kind.js'
import { hexBytes, readAs } from './reading.js'
import { verdictOf } from './verdict.js'
import type { Judge } from './wycheproof-algorithms.js'

const groupSchema = z.object({ aead: z.string() })
const testSchema = z.object({
  key: hexBytes,
  ctx: hexBytes,
  ct: hexBytes,
  msgLength: z.int().optional(),
  msgSha512: z.string().optional(),
})
const maximumLength = 1024 * 1024 * 1024

const implementations = [
  {
    name: 'node:crypto',
    open: (dataKey: Uint8Array, context: Uint8Array, sealed: Uint8Array) =>
      openBytes({ dataKey, context }, sealed),
    seal: (dataKey: Uint8Array, salt: Uint8Array, context: Uint8Array, message: Uint8Array) =>
      sealBytes({ dataKey, context, randomBytes: () => salt }, message),
  },
  { name: '@noble/ciphers', open: nobleOpen, seal: nobleSeal },
] as const

export const chunkedEncryption: Judge = {
  whyNotUsed: (group) =>
    readAs(groupSchema, group, 'a group').aead === 'AEAD_AES_256_GCM'
      ? undefined
      : 'the project has the chunked format with AES-256-GCM only',
  judge: (_group, test) => {
    const vector = readAs(testSchema, test, 'a test')
    const sealed = inflated(vector.ct)
    return {
      verdict: async () => {
        const verdicts: string[] = []
        for (const by of implementations) verdicts.push(await verdictBy(by))
        return verdicts[0] === verdicts[1] ? (verdicts[0] ?? '') : `${verdicts[0]} and ${verdicts[1]}`
      },
    }
    async function verdictBy({ name, open, seal }: (typeof implementations)[number]): Promise<string> {
      let message = new Uint8Array()
      const verdict = await verdictOf(() => {
        message = Uint8Array.from(open(vector.key, vector.ctx, sealed))
      })
      if (verdict === 'refused') return verdict
      const digest = createHash('sha512').update(message).digest('hex')
      if (message.length !== vector.msgLength || digest !== vector.msgSha512)
        return `${name} opened to ${message.length} bytes of SHA-512 ${digest}`
      const again = seal(vector.key, sealed.subarray(0, saltLength), vector.ctx, message)
      return Buffer.compare(again, sealed) === 0 ? 'accepted' : `${name} sealed to something else`
    }
  },
}

// The ciphertexts of these files are packed by zlib.
function inflated(packed: Uint8Array): Uint8Array {
  try {
    return inflateSync(packed, { maxOutputLength: maximumLength })
  } catch (cause) {
    throw new MalformedVectors('a ciphertext cannot be unpacked', { cause })
  }
}
