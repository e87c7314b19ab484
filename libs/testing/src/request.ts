import { canonicalBytes, digest, domains, type Verified } from '#libs/canonical'
import { keyOf, requestReaders } from '#libs/contract'
import { keyInfo, pad, requestPartContext, sealBytes, sealKey } from '#libs/envelope'
import {
  approvalKind,
  runRequestKind,
  type Approval,
  type RequestPart,
  type RunRequest,
} from '#libs/protocol'
import type { TestContract } from './contract.js'
import type { OwnedVersion } from './owner.js'
import type { Party } from './party.js'

/** A request with the key of its sealed part and that part's ciphertext. */
export interface TestRequest {
  readonly request: Verified<RunRequest>
  readonly requestKey: Uint8Array
  readonly sealedPart: Uint8Array
}

export interface RequestOptions {
  readonly contract: TestContract
  readonly computation: string
  readonly versions: readonly OwnedVersion[]
  readonly part?: RequestPart
  readonly change?: Partial<RunRequest>
}

/** A request for a run, sealed to everyone who must be able to read it. */
export async function aRequest(requester: Party, options: RequestOptions): Promise<TestRequest> {
  const { contract, computation, versions } = options
  const requestKey = requester.randomBytes(32)
  const part = canonicalBytes(options.part ?? { parameters: {}, query: null })
  const context = requestPartContext({ contract: contract.id, requester: requester.thumbprint })
  const sealedPart = sealBytes(
    { dataKey: requestKey, context, randomBytes: requester.randomBytes },
    pad(part),
  )
  const terms = contract.terms.computations[computation]
  const readers = terms === undefined ? [] : requestReaders(contract.terms, terms)
  const keys = await Promise.all(
    readers.map(async (label) => {
      const thumbprint = keyOf(contract.terms, label)
      const party = contract.parties.find((known) => known.thumbprint === thumbprint)
      if (party === undefined) throw new RangeError(`no party ${label}`)
      const info = keyInfo({
        purpose: 'request-key-to-party',
        sender: requester.daemon.thumbprint,
        recipient: party.thumbprint,
        contract: contract.id,
      })
      const key = await sealKey(party.sealing.publicKey, requestKey, info)
      return { party: party.thumbprint, identity: party.identity.id, key }
    }),
  )
  const request = await requester.sign(runRequestKind, {
    contract: contract.id,
    computation,
    inputs: versions.map(({ manifest: { id, payload } }) => ({
      dataset: payload.dataset,
      owner: payload.by,
      manifest: id,
    })),
    purpose: 'To test.',
    expiresAt: requester.clock.iso(24 * 3600 * 1000),
    sealed: { digest: digest(domains.ciphertext, sealedPart), size: sealedPart.length, keys },
    resultKey: null,
    ...options.change,
  })
  return { request, requestKey, sealedPart }
}

/** An Approval of a run. */
export async function approvalOf(
  approver: Party,
  request: Verified<RunRequest>,
  change: Partial<Approval> = {},
): Promise<Verified<Approval>> {
  return await approver.sign(approvalKind, {
    contract: request.payload.contract,
    run: request.id,
    release: null,
    expiresAt: approver.clock.iso(3600 * 1000),
    ...change,
  })
}
