/**
 * AES-256-GCM, which chunks and sealed keys are made with, by each of the three implementations that the project runs; and
 * XChaCha20-Poly1305, which an agent's store and key files are sealed with.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { gcm } from '@noble/ciphers/aes.js'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { AEAD_AES_256_GCM } from 'hpke'
import { z } from 'zod'
import { concatBytes, equalBytes } from '#libs/canonical'
import { hexBytes, readAs } from './reading.js'
import type { Judge } from './wycheproof-algorithms.js'

const groupSchema = z.object({ keySize: z.int(), ivSize: z.int(), tagSize: z.int() })
const testSchema = z.object({
  key: hexBytes,
  iv: hexBytes,
  aad: hexBytes,
  msg: hexBytes,
  ct: hexBytes,
  tag: hexBytes,
})
type Bytes = Uint8Array

interface Cipher {
  readonly name: string
  seal(key: Bytes, iv: Bytes, aad: Bytes, message: Bytes): Bytes | Promise<Bytes>
  open(key: Bytes, iv: Bytes, aad: Bytes, sealed: Bytes): Bytes | Promise<Bytes>
}

const tagLength = 16
const nodeGcm: Cipher = {
  name: 'node:crypto',
  seal: (key, iv, aad, message) => {
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad)
    return concatBytes(cipher.update(message), cipher.final(), cipher.getAuthTag())
  },
  open: (key, iv, aad, sealed) => {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagLength })
      .setAAD(aad)
      .setAuthTag(sealed.subarray(-tagLength))
    return concatBytes(decipher.update(sealed.subarray(0, -tagLength)), decipher.final())
  },
}
const nobleGcm: Cipher = {
  name: '@noble/ciphers',
  seal: (key, iv, aad, message) => gcm(key, iv, aad).encrypt(message),
  open: (key, iv, aad, sealed) => gcm(key, iv, aad).decrypt(sealed),
}
const hpkeGcm: Cipher = {
  name: 'hpke',
  seal: (key, iv, aad, message) => AEAD_AES_256_GCM().Seal(key, iv, aad, message),
  open: (key, iv, aad, sealed) => AEAD_AES_256_GCM().Open(key, iv, aad, sealed),
}
const nobleXchacha: Cipher = {
  name: '@noble/ciphers',
  seal: (key, iv, aad, message) => xchacha20poly1305(key, iv, aad).encrypt(message),
  open: (key, iv, aad, sealed) => xchacha20poly1305(key, iv, aad).decrypt(sealed),
}

export const aesGcm: Judge = judgeOf([nodeGcm, nobleGcm, hpkeGcm], { keySize: 256, ivSize: 96, tagSize: 128 })
export const xchacha: Judge = judgeOf([nobleXchacha], { keySize: 256, ivSize: 192, tagSize: 128 })

function judgeOf(ciphers: readonly Cipher[], used: z.infer<typeof groupSchema>): Judge {
  return {
    whyNotUsed: (group) => {
      const sizes = readAs(groupSchema, group, 'a group')
      const other = (['keySize', 'ivSize', 'tagSize'] as const).find((name) => sizes[name] !== used[name])
      return other === undefined ? undefined : `${other} ${sizes[other]}, the project's is ${used[other]}`
    },
    judge: (_group, test) => {
      const { key, iv, aad, msg, ct, tag } = readAs(testSchema, test, 'a test')
      const sealed = concatBytes(ct, tag)
      return {
        verdict: async () => {
          const verdicts = await Promise.all(
            ciphers.map(async (cipher) => [cipher.name, await verdictOf(cipher, sealed)] as const),
          )
          const [first] = verdicts
          return verdicts.every(([, verdict]) => verdict === first?.[1])
            ? (first?.[1] ?? 'nothing')
            : verdicts.map((pair) => pair.join(': ')).join(', ')
        },
      }
      async function verdictOf(cipher: Cipher, whole: Bytes): Promise<string> {
        const opened = await openedBy(cipher, key, iv, aad, whole)
        if (opened === undefined) return 'refused'
        if (!equalBytes(opened, msg)) return 'opened to something else'
        return equalBytes(await cipher.seal(key, iv, aad, msg), whole)
          ? 'accepted'
          : 'sealed to something else'
      }
    },
  }
}

async function openedBy(cipher: Cipher, ...message: Parameters<Cipher['open']>): Promise<Bytes | undefined> {
  try {
    return await cipher.open(...message)
  } catch (error) {
    // Ciphers have no code for a wrong tag, but each a message or name of its own. Anything else is a failure of the case.
    if (error instanceof Error && (refusals.test(error.message) || error.name === 'OpenError'))
      return undefined
    throw error
  }
}

const refusals =
  /unable to authenticate|invalid ghash tag|invalid tag|operation failed|operation-specific reason/i
