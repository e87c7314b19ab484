/**
 * The log as a whole receipt file has it, in the place of a coordinator: nothing is asked over a network. What the file does not hold is
 * an error, as it is when a coordinator cannot be reached. Verifies nothing: whoever asks does, as with every answer.
 */
import { toHex, utf8, type PublicKey, type StatementType } from '#libs/canonical'
import { CoordinatorClient } from '#libs/client'
import type { CheckpointMessage } from '#libs/protocol'
import { encodeLeaf, leafHash, MerkleTree } from '#libs/translog'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import type { AgentStore } from '../store/agent-store.js'
import { spaces } from '../store/records.js'
import { seenCheckpoint } from '../trust/log-follower.js'

/** What a whole file holds of the log. */
export interface FiledLog {
  /** Every leaf up to the checkpoint. */
  readonly leaves: readonly string[]
  /** Cosigned by the quorum of the run. */
  readonly checkpoint: CheckpointMessage
  /** The one that the OutputKeys name; null where there are none. */
  readonly outputKeysCheckpoint: CheckpointMessage | null
}

/** The anchors of a reader, from a home or given by hand. */
export interface LogAnchors {
  readonly origin: string
  readonly logKey: PublicKey
}

/** An agent that reads from a file what it would ask the coordinator. */
export function offline(agent: Agent, filed: FiledLog): Agent {
  return { ...agent, client: new OfflineLog(agent, filed) }
}

class OfflineLog extends CoordinatorClient {
  constructor(
    private readonly reader: Agent,
    private readonly filed: FiledLog,
  ) {
    // Whatever is not answered below ends before it begins: the signal has been given already.
    super({ ...reader.client.connection, signal: AbortSignal.abort() })
  }

  /** The newest: what the file has, or where the reader's own view is larger, that. */
  override checkpoint = async () => {
    const own = await seenCheckpoint(this.reader)
    if (own === null || own.size <= this.filed.checkpoint.size) return this.filed.checkpoint
    return { size: own.size, root: toHex(own.root), note: own.note }
  }

  override checkpointOf = () => Promise.resolve(this.filed.checkpoint)
  override checkpointAt = (size: number) => {
    const { checkpoint, outputKeysCheckpoint } = this.filed
    const found = [checkpoint, outputKeysCheckpoint].find((known) => known?.size === size)
    return found == null
      ? Promise.reject(notFiled(`the checkpoint of ${size} leaves`))
      : Promise.resolve(found)
  }

  override leaves = (from: number, to: number) =>
    Promise.resolve({ from, leaves: this.filed.leaves.slice(from, Math.min(to, from + 1000)) })

  /** From the file's leaves, or where the reader's own view is larger, from the leaves that it read itself. */
  override consistency = async (from: number, to: number) => {
    const hashes =
      to <= this.filed.leaves.length
        ? this.filed.leaves.slice(0, to).map((leaf) => leafHash(utf8(leaf)))
        : await ownLeafHashes(this.reader.store, to)
    if (hashes.length < to) throw notFiled(`leaves up to ${to}`)
    return { from, to, proof: MerkleTree.fromLeafHashes(hashes).proveConsistency(from, to).map(toHex) }
  }
}

async function ownLeafHashes(store: AgentStore, to: number): Promise<readonly Uint8Array[]> {
  const read = await store.list(spaces.leaves)
  return (
    read
      .toSorted(([, a], [, b]) => a.index - b.index)
      .slice(0, to)
      // A record of another type than leaves have is refused by its own schema.
      .map(([digest, { type, signer, run }]) =>
        leafHash(encodeLeaf({ version: 1, type: type as StatementType, digest, signer, run })),
      )
  )
}

function notFiled(what: string): AgentError {
  return new AgentError('FILE_UNREADABLE', `the file does not hold ${what}: check it with the coordinator`)
}
