/** An AWS whose Nitro hypervisors sign whatever they are asked to. */
import { concatBytes, utf8 } from '#libs/canonical'
import {
  authorityExtensions,
  fingerprint,
  keyUsage,
  makeCertificate,
  makeKey,
  signRaw,
  type FakeCertificate,
} from './certificate-authority.js'

/** What a fake writes as CBOR. A list of pairs is a map, so that a key can stand in it twice. */
export type FakeCbor =
  | number
  | string
  | null
  | Uint8Array
  | readonly FakeCbor[]
  | { readonly pairs: readonly (readonly [FakeCbor, FakeCbor])[] }

/** Writes CBOR in shortest form. */
export function cbor(value: FakeCbor): Uint8Array<ArrayBuffer> {
  if (value === null) return Uint8Array.of(0xf6)
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return concatBytes(head(3, utf8(value).length), utf8(value))
  if (value instanceof Uint8Array) return concatBytes(head(2, value.length), value)
  if ('pairs' in value)
    return concatBytes(head(5, value.pairs.length), ...value.pairs.flatMap((pair) => pair.map(cbor)))
  return concatBytes(head(4, value.length), ...value.map(cbor))
}

function head(major: number, argument: number): Uint8Array<ArrayBuffer> {
  const first = major << 5
  if (argument < 24) return Uint8Array.of(first | argument)
  if (argument < 2 ** 8) return Uint8Array.of(first | 24, argument)
  const length = argument < 2 ** 16 ? 2 : argument < 2 ** 32 ? 4 : 8
  const bytes = new Uint8Array(1 + length)
  bytes[0] = first | (24 + Math.log2(length))
  let rest = argument
  for (let i = length; i > 0; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return bytes
}

/** A document before anything is signed. Change what you like. */
export interface NitroForgery {
  /** Fields of the payload; `certificate` and `cabundle` are added where they are not there. */
  payload: Record<string, FakeCbor>
  headers: FakeCbor
  unsignedHeaders: FakeCbor
  leaf: FakeCertificate
  intermediate: FakeCertificate
  root: FakeCertificate
  onTheWay: (document: Uint8Array) => Uint8Array
  /** What becomes of the payload after it was signed. */
  payloadOnTheWay: (payload: Uint8Array) => Uint8Array
  signatureOnTheWay: (signature: Uint8Array) => Uint8Array
}

/** The keys of one AWS. */
export class FakeAws {
  readonly root = makeKey('ecdsa-sha384')
  readonly intermediate = makeKey('ecdsa-sha384')
  readonly leaf = makeKey('ecdsa-sha384')

  /** A genuine document, to be changed before it is made. Its leaf is valid from an hour before `now` for three hours. */
  draft(now: number): NitroForgery {
    const hour = 3_600_000
    const period = { from: now - 24 * hour, until: now + 24 * hour }
    const unchanged = (bytes: Uint8Array): Uint8Array => bytes
    return {
      payload: {
        module_id: 'i-0123456789abcdef0-enc0123456789abcdef',
        digest: 'SHA384',
        timestamp: now,
        pcrs: {
          pairs: Array.from({ length: 16 }, (_, i) => [i, new Uint8Array(48).fill(i < 3 ? i + 1 : 0)]),
        },
        public_key: null,
        user_data: new Uint8Array(64).fill(0xda),
        nonce: new Uint8Array(32).fill(0x0e),
      },
      headers: { pairs: [[1, -35]] },
      unsignedHeaders: { pairs: [] },
      root: {
        ...period,
        subject: 'aws.nitro-enclaves',
        issuer: 'aws.nitro-enclaves',
        serialNumber: 1,
        key: this.root,
        signer: this.root,
        extensions: authorityExtensions(),
      },
      intermediate: {
        ...period,
        subject: 'zonal',
        issuer: 'aws.nitro-enclaves',
        serialNumber: 2,
        key: this.intermediate,
        signer: this.root,
        extensions: authorityExtensions({ pathLength: 0 }),
      },
      leaf: {
        subject: 'enclave',
        issuer: 'zonal',
        serialNumber: 3,
        from: now - hour,
        until: now + 2 * hour,
        key: this.leaf,
        signer: this.intermediate,
        extensions: [{ id: '2.5.29.15', critical: true, value: keyUsage([0]) }],
      },
      onTheWay: unchanged,
      payloadOnTheWay: unchanged,
      signatureOnTheWay: unchanged,
    }
  }

  /** Signs everything. */
  make(forgery: NitroForgery): { readonly document: Uint8Array; readonly root: string } {
    const root = makeCertificate(forgery.root)
    const fields: Record<string, FakeCbor> = {
      certificate: makeCertificate(forgery.leaf),
      cabundle: [root, makeCertificate(forgery.intermediate)],
      ...forgery.payload,
    }
    const payload = cbor({ pairs: Object.entries(fields) })
    const headers = cbor(forgery.headers)
    const signed = cbor(['Signature1', headers, new Uint8Array(), payload])
    const signature = forgery.signatureOnTheWay(signRaw(this.leaf, signed))
    const shown = forgery.payloadOnTheWay(payload)
    const document = cbor([headers, forgery.unsignedHeaders, shown, signature])
    return { document: forgery.onTheWay(document), root: fingerprint(root) }
  }
}
