/**
 * Oblivious HTTP (RFC 9458 appendix A): one exchange, as a second witness of HPKE. The project has no OHTTP; what is run is the library
 * that seals its keys, by the steps of §4.3 and §4.4, and each byte of the request flipped alone.
 */
import { z } from 'zod'
import { concatBytes, toHex, utf8 } from '#libs/canonical'
import { findAlgorithms, suiteName, suiteOf, withEphemeral, type Algorithms } from './hpke-suites.js'
import type { NotUsed, VectorCase, VectorKind } from './kind.js'
import { hexBytes, isRecord, readAs } from './reading.js'

const schema = z.object({
  gateway_secret_key: hexBytes,
  key_config: hexBytes,
  client_ephemeral_secret_key: hexBytes,
  client_ephemeral_public_key: hexBytes,
  hpke_info: hexBytes,
  bhttp_request: hexBytes,
  encapsulated_request: hexBytes,
  bhttp_response: hexBytes,
  exported_secret: hexBytes,
  response_nonce: hexBytes,
  encapsulated_response: hexBytes,
})
type Exchange = z.infer<typeof schema>

export const ohttp: VectorKind = {
  name: 'Oblivious HTTP (RFC 9458)',
  looksFor: 'a JSON object {gateway_secret_key, encapsulated_request, encapsulated_response, …}',
  recognise({ json }) {
    if (!isRecord(json) || !('encapsulated_request' in json)) return undefined
    return { cases: () => casesOf(readAs(schema, json, 'the exchange')) }
  },
}

/** §4.3: key identifier (1), KEM, KDF and AEAD (2 each), then the encapsulated key and the ciphertext. */
const headerLength = 7

async function* casesOf(exchange: Exchange): AsyncGenerator<VectorCase | NotUsed> {
  const request = exchange.encapsulated_request
  const header = new DataView(Uint8Array.from(request.subarray(0, headerLength)).buffer)
  const numbers = { kem: header.getUint16(1), kdf: header.getUint16(3), aead: header.getUint16(5) }
  const algorithms = findAlgorithms(numbers)
  if (algorithms === undefined) {
    yield { notUsed: suiteName(numbers), why: 'the library has no such algorithm', cases: 1 }
    return
  }
  const secret = await algorithms.kem.DeserializePrivateKey(exchange.gateway_secret_key, false)
  const gateway = receiverOf(algorithms, secret)
  yield {
    id: 'request opened by the gateway',
    expected: toHex(exchange.bhttp_request),
    see: async () => toHex(await gateway.open(request)),
  }
  yield {
    id: 'request sealed by the client',
    expected: toHex(request),
    see: () => sealedRequest(exchange, algorithms),
  }
  for (let at = 0; at < request.length; at++)
    yield {
      id: `request with byte ${at} flipped`,
      expected: 'refused',
      see: () => seeFlipped(gateway, request, at),
    }
  yield {
    id: 'secret of the response',
    expected: toHex(exchange.exported_secret),
    see: async () => toHex(await gateway.exported(request)),
  }
  yield {
    id: 'response sealed by the gateway',
    expected: toHex(exchange.encapsulated_response),
    see: async () => toHex(await sealedResponse(exchange, algorithms, await gateway.exported(request))),
  }
}

interface Gateway {
  open(request: Uint8Array): Promise<Uint8Array>
  exported(request: Uint8Array): Promise<Uint8Array>
}

function receiverOf(
  algorithms: Algorithms,
  secret: Awaited<ReturnType<Algorithms['kem']['DeserializePrivateKey']>>,
): Gateway {
  const suite = suiteOf(algorithms)
  const { Nenc } = algorithms.kem
  const { Nk, Nn } = algorithms.aead
  const contextOf = (request: Uint8Array) =>
    suite.SetupRecipient(secret, request.slice(headerLength, headerLength + Nenc), { info: infoOf(request) })
  return {
    open: async (request) => (await contextOf(request)).Open(request.slice(headerLength + Nenc)),
    exported: async (request) =>
      (await contextOf(request)).Export(utf8('message/bhttp response'), Math.max(Nk, Nn)),
  }
}

// §4.3: the header of the message is part of the info, so that a changed header opens nothing.
function infoOf(request: Uint8Array): Uint8Array {
  return concatBytes(utf8('message/bhttp request'), Uint8Array.of(0), request.subarray(0, headerLength))
}

async function sealedRequest(exchange: Exchange, algorithms: Algorithms): Promise<string> {
  const { kem } = algorithms
  const suite = suiteOf({
    ...algorithms,
    kem: withEphemeral(kem, {
      privateKey: await kem.DeserializePrivateKey(exchange.client_ephemeral_secret_key, false),
      publicKey: await kem.DeserializePublicKey(exchange.client_ephemeral_public_key),
    }),
  })
  // §3.1: the public key stands behind the identifier and the KEM.
  const publicKey = await kem.DeserializePublicKey(exchange.key_config.slice(3, 3 + kem.Npk))
  const sealed = await suite.Seal(publicKey, exchange.bhttp_request, { info: exchange.hpke_info })
  const header = exchange.encapsulated_request.subarray(0, headerLength)
  return toHex(concatBytes(header, sealed.encapsulatedSecret, sealed.ciphertext))
}

async function seeFlipped(gateway: Gateway, request: Uint8Array, at: number): Promise<string> {
  const flipped = Uint8Array.from(request)
  flipped[at]! ^= 1
  try {
    return `opened to ${toHex(await gateway.open(flipped))}`
  } catch (error) {
    // The package's one error of opening; a key that is no point ends in its error of decapsulation.
    if (error instanceof Error && ['OpenError', 'DecapError', 'DeserializeError'].includes(error.name))
      return 'refused'
    throw error
  }
}

// §4.4, by the KDF and AEAD of the suite.
async function sealedResponse(
  exchange: Exchange,
  { kdf, aead }: Algorithms,
  secret: Uint8Array,
): Promise<Uint8Array> {
  const nonce = exchange.encapsulated_response.slice(0, Math.max(aead.Nk, aead.Nn))
  const prk = await kdf.Extract(concatBytes(exchange.client_ephemeral_public_key, nonce), secret)
  const key = await kdf.Expand(prk, utf8('key'), aead.Nk)
  const aeadNonce = await kdf.Expand(prk, utf8('nonce'), aead.Nn)
  if (toHex(aeadNonce) !== toHex(exchange.response_nonce))
    throw new Error(`the nonce is ${toHex(aeadNonce)}; expected ${toHex(exchange.response_nonce)}`)
  return concatBytes(nonce, await aead.Seal(key, aeadNonce, concatBytes(), exchange.bhttp_response))
}
