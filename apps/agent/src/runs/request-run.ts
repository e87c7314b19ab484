/** Asks for a run: names the exact inputs, seals the parameters to those who decide on it, signs, and sends. */
import {
  canonicalBytes,
  digest,
  domains,
  signStatement,
  toBase64url,
  type Digest,
  type Verified,
} from '#libs/canonical'
import { requestReaders, keyOf, type ComputationTerms } from '#libs/contract'
import { keyInfo, pad, requestPartContext, sealBytes, sealKey } from '#libs/envelope'
import { runRequestKind, type RequestPart, type RunRequest } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { spaces } from '../store/records.js'
import { newStatement } from '../trust/new-statement.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import { newestInputs } from './newest-manifests.js'
import type { ParameterValues } from './parameters.js'

export interface NewRequest {
  readonly computation: string
  readonly terms: ComputationTerms
  readonly parameters: ParameterValues
  readonly purpose: string
  /** How long it may wait for approvals and owners. */
  readonly validHours: number
}

/** A signed request and what goes beside it. */
export interface SignedRequest {
  readonly statement: Verified<RunRequest>
  /** ciphertext of the sealed part, in base64url */
  readonly attachment: string
}

/** Makes a request; it is kept before it is sent, since its parameters stand nowhere else in the clear. */
export async function makeRequest(
  agent: Agent,
  contract: VerifiedContract,
  plan: NewRequest,
): Promise<SignedRequest> {
  const inputs = newestInputs(contract, plan.terms)
  const requestKey = agent.randomBytes(32)
  const part: RequestPart = { parameters: { ...plan.parameters }, query: null }
  const context = requestPartContext({ contract: contract.id, requester: agent.keys.party })
  const sealed = sealBytes(
    { dataKey: requestKey, context, randomBytes: agent.randomBytes },
    pad(canonicalBytes(part)),
  )
  const statement = await signStatement(
    runRequestKind,
    {
      ...newStatement(agent, 'run-request'),
      contract: contract.id,
      computation: plan.computation,
      inputs: [...inputs],
      purpose: plan.purpose,
      expiresAt: new Date(agent.now() + plan.validHours * 3_600_000).toISOString(),
      sealed: {
        digest: digest(domains.ciphertext, sealed),
        size: sealed.length,
        keys: await sealToReaders(agent, contract, plan.terms, requestKey),
      },
      resultKey: null,
    },
    agent.keys.daemonKey,
  )
  requestKey.fill(0)
  const record = {
    contract: contract.id,
    computation: plan.computation,
    statement: statement.jws,
    parameters: plan.parameters,
  }
  await agent.store.write(agent.store.put(spaces.requests, statement.id, record))
  return { statement, attachment: toBase64url(sealed) }
}

/** Sends a request; its id is the run's. */
export async function sendRequest(agent: Agent, { statement, attachment }: SignedRequest): Promise<Digest> {
  await agent.client.record(statement.jws, { attachment })
  return statement.id
}

async function sealToReaders(
  agent: Agent,
  contract: VerifiedContract,
  terms: ComputationTerms,
  requestKey: Uint8Array,
): Promise<RunRequest['sealed']['keys']> {
  return await Promise.all(
    requestReaders(contract.terms, terms).map(async (label) => {
      const party = keyOf(contract.terms, label) ?? ''
      const { newest } = contract.chainOf(party)
      const info = keyInfo({
        purpose: 'request-key-to-party',
        sender: agent.keys.daemonKey.thumbprint,
        recipient: party,
        contract: contract.id,
      })
      return { party, identity: newest.id, key: await sealKey(newest.payload.sealingKey, requestKey, info) }
    }),
  )
}
