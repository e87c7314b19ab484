/**
 * The `info` of every sealed key: canonical JSON of exactly twelve members. A key sealed for one purpose, sender, recipient,
 * run or place cannot be presented as one for another. Says nothing about who really sealed it: HPKE's base mode does not
 * authenticate the sender, so an opened key may be used only if the statement that carries it verified first.
 */
import { canonicalBytes, domains, type Digest, type Thumbprint } from '#libs/canonical'

/** The only suite: X-Wing (KEM 0x647a), HKDF-SHA256 (0x0001), AES-256-GCM (0x0002). */
export const sealingSuite = 'xwing-hkdf-sha256-aes256gcm'

interface Parties {
  /** thumbprint of the key that signs the statement which carries the sealed key */
  readonly sender: Thumbprint
  /** a party's consent key, or the receipt key of the enclave's Offer */
  readonly recipient: Thumbprint
  readonly contract: Digest
}

interface InRun extends Parties {
  readonly run: Digest
  /** digest of the Offer whose keys are meant */
  readonly offer: Digest
  /** digest of the ordered list of Offers of the round */
  readonly set: Digest
}

/** What a sealed key is for. */
export type KeyPurpose =
  /** a data owner to an enclave: opens one segment of one manifest */
  | (InRun & { readonly purpose: 'segment-key'; readonly manifest: Digest; readonly segment: string })
  /** a requester to a data owner, approver or auditor; there is no run id yet, since it is the digest of what carries this */
  | (Parties & { readonly purpose: 'request-key-to-party' })
  /** a data owner to an enclave: opens the request's sealed part */
  | (InRun & { readonly purpose: 'request-key-to-enclave' })
  /** an enclave to a recipient: opens one output */
  | (InRun & { readonly purpose: 'output-key'; readonly output: string })

const tags = {
  'segment-key': domains.segmentKey,
  'request-key-to-party': domains.requestKey,
  'request-key-to-enclave': domains.requestKey,
  'output-key': domains.outputKey,
} as const

/** The info bytes of a purpose; what the purpose does not have is null. */
export function keyInfo(key: KeyPurpose): Uint8Array {
  const inRun = key.purpose === 'request-key-to-party' ? null : key
  return canonicalBytes({
    tag: tags[key.purpose],
    purpose: key.purpose,
    suite: sealingSuite,
    sender: key.sender,
    recipient: key.recipient,
    contract: key.contract,
    run: inRun?.run ?? null,
    offer: inRun?.offer ?? null,
    set: inRun?.set ?? null,
    manifest: key.purpose === 'segment-key' ? key.manifest : null,
    segment: key.purpose === 'segment-key' ? key.segment : null,
    output: key.purpose === 'output-key' ? key.output : null,
  })
}
