/** From a YAML file to the terms of a proposal: what the author left to the agent is filled in from what it has pinned and seen. */
import { thumbprintOf, toBase64url } from '#libs/canonical'
import type { ContractTerms } from '#libs/contract'
import { readContract, maximumYamlBytes, type ContractReading } from '#libs/contract/yaml'
import {
  formatNote,
  keyIdOf,
  parseNote,
  signaturesOf,
  signatureTypes,
  type SignedCheckpoint,
} from '#libs/translog'
import type { Agent } from '../agent.js'
import { readBounded } from '../durable-file.js'
import { AgentError } from '../errors.js'
import { pinnedParties } from '../trust/known-parties.js'
import { resolveLabels } from './party-labels.js'

/** Fields of `log` that the agent fills in. */
interface LogFields {
  readonly origin: string
  readonly key: string
  readonly coordinator: string
  readonly secret: string
  readonly checkpoint: string
}

/** Reads a YAML file; mistakes are in the answer. Labels of pinned parties stand for their keys. */
export async function readProposal(agent: Agent, path: string, checkpoint: string): Promise<ContractReading> {
  const bytes = await readBounded(path, maximumYamlBytes)
  const labels = new Map(
    [...(await pinnedParties(agent))].map(([thumbprint, { label }]) => [label, thumbprint]),
  )
  const { name, party, log } = agent.config
  const yaml = resolveLabels(
    decode(bytes, path),
    (label) => labels.get(label) ?? (label === name ? party : undefined),
  )
  const fields: LogFields = {
    origin: log.origin,
    key: log.logKey.x,
    coordinator: thumbprintOf(log.coordinatorKey),
    secret: toBase64url(agent.randomBytes(32)),
    checkpoint,
  }
  return readContract(yaml, fields)
}

/** The log's own word about a checkpoint, without the cosignatures that it happened to carry. */
export function bareCheckpoint(checkpoint: SignedCheckpoint, agent: Agent): string {
  const { origin, logKey } = agent.config.log
  const note = parseNote(checkpoint.note)
  return formatNote({
    body: note.body,
    signatures: signaturesOf(note, origin, keyIdOf(origin, signatureTypes.ed25519, logKey)),
  })
}

/** @throws AgentError `REFUSED` where a proposal is not for the log that this agent has pinned. */
export function expectOwnLog(terms: ContractTerms, agent: Agent): void {
  const { origin, logKey, coordinatorKey } = agent.config.log
  const wanted = { origin, key: logKey.x, coordinator: thumbprintOf(coordinatorKey) }
  for (const [field, expected] of Object.entries(wanted) as [keyof typeof wanted, string][])
    if (terms.log[field] !== expected)
      throw new AgentError(
        'REFUSED',
        `log.${field} is ${terms.log[field]}; expected ${expected}, which this agent has pinned`,
      )
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new AgentError('FILE_UNREADABLE', `${path} is not UTF-8 text`, { cause })
  }
}
