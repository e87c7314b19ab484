/**
 * A receipt with everything that it rests on, in one file: contract, identities, every statement of the run with the evidence,
 * checkpoint and proofs. Whoever has it needs nothing of the coordinator but the log itself, to compare it with an own view.
 */
import { z } from 'zod'
import {
  checkpointSchema,
  contractViewSchema,
  inclusionSchema,
  runViewSchema,
  type ContractView,
  type RunView,
} from '#libs/protocol'
import type { Agent } from '../agent.js'
import { readBounded } from '../durable-file.js'
import { AgentError } from '../errors.js'
import type { FiledLog, LogAnchors } from './offline-log.js'
import type { VerifiedRun } from '../trust/verify-run.js'

const bundleSchema = z.strictObject({
  sealroom: z.literal('receipt-bundle/v1'),
  log: z.strictObject({ origin: z.string(), key: z.string(), coordinatorKey: z.string() }),
  contract: contractViewSchema,
  run: runViewSchema,
  /** cosigned by the quorum of the run */
  checkpoint: checkpointSchema,
  /** of the Receipt in that checkpoint */
  inclusion: inclusionSchema,
  /** every leaf up to the checkpoint; with them the file is whole, and nobody needs to be asked */
  leaves: z.array(z.string().max(1024)).max(200_000).optional(),
  /** the one that the OutputKeys name */
  outputKeysCheckpoint: checkpointSchema.nullable().optional(),
})

export type ReceiptBundle = z.infer<typeof bundleSchema>

const maximumBundleBytes = 64 * 1024 * 1024

/** Everything about a run whose Receipt is recorded. */
export async function makeBundle(
  agent: Agent,
  contract: ContractView,
  run: VerifiedRun,
): Promise<ReceiptBundle> {
  if (run.receipt === null) throw new AgentError('WAITING', `run ${run.id} has no receipt yet`)
  const checkpoint = await agent.client.checkpointOf(run.id)
  const { origin, logKey, coordinatorKey } = agent.config.log
  const named = run.outputKeys?.payload.checkpoint.size
  return {
    sealroom: 'receipt-bundle/v1',
    log: { origin, key: logKey.x, coordinatorKey: coordinatorKey.x },
    contract,
    run: run.view,
    checkpoint,
    inclusion: await agent.client.inclusion(run.receipt.digest, checkpoint.size),
    ...(await wholeLog(agent, checkpoint.size)),
    outputKeysCheckpoint: named === undefined ? null : await agent.client.checkpointAt(named),
  }
}

/** A longer log is left out: the file then says no more than what is checked with a coordinator. */
const maximumFiledLeaves = 100_000

async function wholeLog(agent: Agent, size: number): Promise<{ leaves?: string[] }> {
  if (size > maximumFiledLeaves) return {}
  const leaves: string[] = []
  while (leaves.length < size) {
    const page = await agent.client.leaves(leaves.length, Math.min(size, leaves.length + 1000))
    if (page.leaves.length === 0) break
    leaves.push(...page.leaves)
  }
  return { leaves }
}

/** The statements of a bundle, from a file or from the coordinator; verified by neither. */
export interface ReceiptMaterial {
  readonly contract: ContractView
  readonly run: RunView
}

/** What a file holds, and the log with it where the file is whole. */
export interface FiledReceipt extends ReceiptMaterial {
  readonly log: ReceiptBundle['log']
  readonly filed: FiledLog | null
}

/**
 * Reads a bundle of a log that is pinned.
 * @throws AgentError `FILE_UNREADABLE`, `USAGE` where it is none or of another log.
 */
export async function readBundle(
  { config: { log: pinned } }: { readonly config: { readonly log: LogAnchors } },
  path: string,
): Promise<FiledReceipt> {
  const parsed = bundleSchema.safeParse(parseJson(await readBounded(path, maximumBundleBytes)))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new AgentError(
      'USAGE',
      `${path} is no receipt bundle of this version (${(issue?.path ?? []).join('.')}: ${issue?.message ?? ''})`,
    )
  }
  const { contract, run, log, leaves, checkpoint, outputKeysCheckpoint = null } = parsed.data
  if (log.origin !== pinned.origin || log.key !== pinned.logKey.x)
    throw new AgentError(
      'USAGE',
      `${path} is of log ${log.origin} under ${log.key}; this agent has pinned ${pinned.origin} under ${pinned.logKey.x}`,
    )
  const filed = leaves === undefined ? null : { leaves, checkpoint, outputKeysCheckpoint }
  return { contract, run, log, filed }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch {
    return undefined
  }
}
