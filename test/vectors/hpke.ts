/**
 * Test vectors of RFC 9180 as the CFRG publishes them, one object a suite and mode: flat, or with the numbers and keys under `setup` as
 * in the text of appendix A. Each is run with its own suite and mode against the packages that the project seals keys with.
 */
import { randomBytes } from 'node:crypto'
import type { CipherSuite, KeyPair } from 'hpke'
import { z } from 'zod'
import { concatBytes, toHex } from '#libs/canonical'
import {
  findAlgorithms,
  isDiffieHellman,
  modeNames,
  suiteName,
  suiteOf,
  withEphemeral,
  type Algorithms,
} from './hpke-suites.js'
import type { NotUsed, VectorCase, VectorKind } from './kind.js'
import { count, hexBytes, isRecord, readAs } from './reading.js'
import { sealingSuiteCases } from './sealing-suite.js'

const setupSchema = z.object({
  mode: count,
  kem_id: count,
  kdf_id: count,
  aead_id: count,
  info: hexBytes,
  ikmE: hexBytes.optional(),
  ikmR: hexBytes.optional(),
  pkRm: hexBytes,
  skRm: hexBytes,
  enc: hexBytes,
  shared_secret: hexBytes,
  psk: hexBytes.optional(),
  psk_id: hexBytes.optional(),
})
const vectorSchema = z.object({
  setup: setupSchema,
  encryptions: z.array(
    z.object({ aad: hexBytes, pt: hexBytes, ct: hexBytes, 'sequence number': count.optional() }),
  ),
  exports: z.array(z.object({ exporter_context: hexBytes, L: count, exported_value: hexBytes })),
})
type Vector = z.infer<typeof vectorSchema>

export const hpke: VectorKind = {
  name: 'HPKE (RFC 9180)',
  looksFor: 'a JSON array of {mode, kem_id, kdf_id, aead_id, … encryptions, exports}, or those under setup',
  recognise({ json }) {
    const vectors: unknown[] = Array.isArray(json) ? json : [json]
    if (!isRecord(vectors[0]) || !('kem_id' in setupOf(vectors[0]))) return undefined
    return { cases: () => casesOf(vectors) }
  },
}

function setupOf(vector: Record<string, unknown>): Record<string, unknown> {
  return isRecord(vector['setup']) ? vector['setup'] : vector
}

async function* casesOf(vectors: readonly unknown[]): AsyncGenerator<VectorCase | NotUsed> {
  for (const [index, value] of vectors.entries()) {
    const whole = isRecord(value) ? { ...value, setup: setupOf(value) } : value
    const vector = readAs(vectorSchema, whole, `vector ${index}`)
    const { mode, kem_id: kem, kdf_id: kdf, aead_id: aead } = vector.setup
    const numbers = { kem, kdf, aead }
    const modeName = modeNames[mode] ?? `mode ${mode}`
    const algorithms = findAlgorithms(numbers)
    if (mode > 1 || algorithms === undefined)
      yield {
        notUsed: `${suiteName(numbers)}, ${modeName}`,
        why: mode > 1 ? 'the library has no such mode' : 'the library has no such algorithm',
        cases: 1,
      }
    else yield* casesOfVector(`${index} (${suiteName(numbers)}, ${modeName})`, vector, algorithms)
  }
  yield* sealingSuiteCases(randomBytes)
}

async function* casesOfVector(
  name: string,
  vector: Vector,
  algorithms: Algorithms,
): AsyncGenerator<VectorCase> {
  const { setup } = vector
  const suite = suiteOf(algorithms)
  const { ikmE, ikmR } = setup
  if (ikmR !== undefined)
    yield {
      id: `${name} DeriveKeyPair`,
      expected: `${toHex(setup.skRm)} ${toHex(setup.pkRm)}`,
      see: () => derivedPair(suite, ikmR),
    }
  const recipient = await recipientOf(suite, setup)
  yield {
    id: `${name} Decap`,
    expected: toHex(setup.shared_secret),
    see: async () => toHex(await algorithms.kem.Decap(setup.enc, recipient.privateKey, recipient.publicKey)),
  }
  const foretold =
    ikmE !== undefined && isDiffieHellman(setup.kem_id)
      ? withEphemeral(algorithms.kem, await suite.DeriveKeyPair(ikmE))
      : undefined
  if (foretold !== undefined)
    yield {
      id: `${name} Encap`,
      expected: `${toHex(setup.enc)} ${toHex(setup.shared_secret)}`,
      see: async () => {
        const { enc, shared_secret } = await foretold.Encap(recipient.publicKey)
        return `${toHex(enc)} ${toHex(shared_secret)}`
      },
    }
  // Where no ephemeral can be given, the sender's key schedule starts from the vector's own secret.
  const kem = foretold ?? {
    ...algorithms.kem,
    Encap: () => Promise.resolve({ enc: setup.enc, shared_secret: setup.shared_secret }),
  }
  yield* messagesOf(name, vector, suiteOf({ ...algorithms, kem }), recipient)
}

async function derivedPair(suite: CipherSuite, ikm: Uint8Array): Promise<string> {
  const pair = await suite.DeriveKeyPair(ikm, true)
  const secret = await suite.SerializePrivateKey(pair.privateKey)
  return `${toHex(secret)} ${toHex(await suite.SerializePublicKey(pair.publicKey))}`
}

async function recipientOf(suite: CipherSuite, setup: Vector['setup']): Promise<KeyPair> {
  return {
    privateKey: await suite.DeserializePrivateKey(setup.skRm),
    publicKey: await suite.DeserializePublicKey(setup.pkRm),
  }
}

async function* messagesOf(
  name: string,
  { setup, encryptions, exports }: Vector,
  suite: CipherSuite,
  recipient: KeyPair,
): AsyncGenerator<VectorCase> {
  const options = {
    info: setup.info,
    ...(setup.mode === 1 ? { psk: setup.psk ?? concatBytes(), pskId: setup.psk_id ?? concatBytes() } : {}),
  }
  const { ctx: sender } = await suite.SetupSender(recipient.publicKey, options)
  const receiver = await suite.SetupRecipient(recipient, setup.enc, options)
  for (const [index, { aad, pt, ct, 'sequence number': sequence = index }] of encryptions.entries())
    yield {
      id: `${name} sequence number ${sequence}`,
      expected: `${toHex(ct)} opened to ${toHex(pt)}`,
      see: async () => {
        // The text of the RFC leaves numbers out; neither context can skip one.
        while (sender.seq < sequence) await receiver.Open(await sender.Seal(concatBytes()))
        const sealed = await sender.Seal(pt, aad)
        return `${toHex(sealed)} opened to ${toHex(await receiver.Open(ct, aad))}`
      },
    }
  for (const [index, { exporter_context: context, L, exported_value: value }] of exports.entries())
    yield {
      id: `${name} export ${index}`,
      expected: `${toHex(value)} by both sides`,
      see: async () => {
        const [sent, received] = [await sender.Export(context, L), await receiver.Export(context, L)]
        return toHex(sent) === toHex(received)
          ? `${toHex(sent)} by both sides`
          : `${toHex(sent)} by the sender, ${toHex(received)} by the recipient`
      },
    }
}
