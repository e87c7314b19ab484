/**
 * Takes this party's outputs of a run (design: section 4, step 8): every check of the receipt first, then the ciphertext, then
 * the key. A result of which any check fails is never opened.
 */
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseCanonical, signStatement, type Verified } from '#libs/canonical'
import { downloadBlob } from '#libs/client'
import { EnvelopeError, keyInfo, openBytes, openKey, outputContext, unpad } from '#libs/envelope'
import {
  fetchKind,
  offerSetDigest,
  releasedOutputSchema,
  type OutputKeys,
  type Receipt,
  type ReleasedOutput,
} from '#libs/protocol'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import { spaces } from '../store/records.js'
import { newStatement } from '../trust/new-statement.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import type { VerifiedRun } from '../trust/verify-run.js'

/** Larger outputs than this are not taken into memory. */
const maximumOutputBytes = 1024 * 1024 * 1024

export interface ResultOptions {
  /** a folder for the ciphertext on its way; it is removed again */
  readonly folder: string
  readonly onProgress: (received: number, size: number) => void
}

/** A run that completed, its Receipt and the keys of its outputs. */
export interface ReceivedRun {
  readonly contract: VerifiedContract
  readonly run: VerifiedRun
  readonly receipt: Verified<Receipt>
  readonly outputKeys: Verified<OutputKeys>
}

/** The outputs of a run that this party is a recipient of, by name. */
export function ownOutputs(agent: Agent, receipt: Verified<Receipt>): Receipt['outputs'] {
  return receipt.payload.outputs.filter(({ recipients }) =>
    recipients.some(({ party }) => party === agent.keys.party),
  )
}

/**
 * Fetches and opens one output. The caller has verified the receipt.
 * @throws AgentError `RESULT_NOT_VERIFIED` where what was sealed is not what the receipt says.
 */
export async function openOutput(
  agent: Agent,
  received: ReceivedRun,
  output: Receipt['outputs'][number],
  options: ResultOptions,
): Promise<ReleasedOutput> {
  if (output.size > maximumOutputBytes)
    throw new AgentError(
      'RESULT_NOT_VERIFIED',
      `output ${output.name} has ${output.size} bytes; at most ${maximumOutputBytes} are opened`,
    )
  await sayFetch(agent, received, output.name)
  const sealed = await download(agent, output, options)
  const dataKey = await openOutputKey(agent, received, output.name)
  const plain = opened(
    () =>
      unpad(
        openBytes({ dataKey, context: outputContext({ run: received.run.id, output: output.name }) }, sealed),
      ),
    output.name,
  )
  dataKey.fill(0)
  return expectOutput(plain, received, output.name)
}

/** Posts the Fetch once; the same bytes again are no second one. */
async function sayFetch(agent: Agent, { contract, run }: ReceivedRun, output: string): Promise<void> {
  const name = `fetch/${run.id}/${output}`
  const known = await agent.store.get(spaces.state, name)
  if (known !== undefined) {
    await agent.client.record(known)
    return
  }
  const fields = { ...newStatement(agent, 'fetch'), contract: contract.id, run: run.id, output }
  const { jws } = await signStatement(fetchKind, fields, agent.keys.daemonKey)
  await agent.store.write(agent.store.put(spaces.state, name, jws))
  await agent.client.record(jws)
}

async function download(
  agent: Agent,
  { name, digest, size }: Receipt['outputs'][number],
  { folder, onProgress }: ResultOptions,
): Promise<Uint8Array> {
  const path = join(folder, `${name}.sealed`)
  const file = await open(path, 'w+', 0o600)
  try {
    await downloadBlob(agent.client.connection, file, { digest, size, onProgress })
    const sealed = Buffer.alloc(size)
    const { bytesRead } = await file.read(sealed, 0, size, 0)
    return sealed.subarray(0, bytesRead)
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}

async function openOutputKey(
  agent: Agent,
  { contract, run, receipt, outputKeys }: ReceivedRun,
  output: string,
): Promise<Uint8Array> {
  const own = outputKeys.payload.keys.find(
    (key) => key.output === output && key.recipient === agent.keys.party,
  )
  const offer = run.offers.find(({ offer: { kid } }) => kid === outputKeys.kid)?.offer
  if (own === undefined || offer === undefined)
    throw new AgentError('RESULT_NOT_VERIFIED', `the output keys hold none of ${output} for this party`)
  const info = keyInfo({
    purpose: 'output-key',
    sender: outputKeys.kid,
    recipient: agent.keys.party,
    contract: contract.id,
    run: run.id,
    offer: offer.id,
    set: offerSetDigest(receipt.payload.offers),
    output,
  })
  // Sealed under the Identity that was newest then; an older key of this party may be the one.
  for (const pair of agent.keys.sealingKeys) {
    const key = await openKey(pair, own.key, info).catch(notThisKey)
    if (key !== null) return key
  }
  throw new AgentError(
    'RESULT_NOT_VERIFIED',
    `the key of output ${output} does not open with any sealing key of this agent`,
  )
}

function notThisKey(error: unknown): null {
  if (error instanceof EnvelopeError && error.code === 'OPEN_FAILED') return null
  throw error
}

function opened(open: () => Uint8Array, output: string): Uint8Array {
  try {
    return open()
  } catch (cause) {
    throw new AgentError('RESULT_NOT_VERIFIED', `output ${output} does not open with its key`, { cause })
  }
}

function expectOutput(
  plain: Uint8Array,
  { contract, run, receipt }: ReceivedRun,
  name: string,
): ReleasedOutput {
  const parsed = releasedOutputSchema.safeParse(parseCanonical(plain))
  if (!parsed.success)
    throw new AgentError('RESULT_NOT_VERIFIED', `output ${name} is not of the form that this version reads`)
  const { data } = parsed
  const belongs = data.contract === contract.id && data.run === run.id && data.output === name
  if (!belongs || data.simulated !== receipt.payload.simulated)
    throw new AgentError(
      'RESULT_NOT_VERIFIED',
      `output ${name} says that it belongs to another run or another kind of enclave`,
    )
  return data
}
