/** Uploads what was sealed, from where an earlier attempt ended, then says so in a Manifest. */
import { rm, stat } from 'node:fs/promises'
import { uploadFile } from '#libs/client'
import type { Recorded } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import { spaces, type DatasetVersionRecord, type SealingRecord } from '../store/records.js'
import { sealingKey } from './seal-segments.js'

/**
 * Uploads and records a sealing. Repeating it after a crash at any point goes on from there: an upload is named by its digest,
 * and the same Manifest again is no second one.
 */
export async function publishSealing(
  agent: Agent,
  sealing: SealingRecord,
  onProgress: (done: number, total: number) => void,
): Promise<Recorded> {
  const total = sealing.uploads.reduce((sum, { size }) => sum + size, 0)
  let before = 0
  for (const { path, digest, size } of sealing.uploads) {
    await expectThere(path, size)
    const done = before
    await uploadFile(agent.client.connection, path, {
      digest,
      size,
      onProgress: (sent) => {
        onProgress(done + sent, total)
      },
    })
    before += size
  }
  onProgress(total, total)
  const { contract, dataset, sequence } = sealing.version
  // Before the Manifest: from the moment it is recorded a run may name it, and the daemon needs the keys.
  await agent.store.write(
    agent.store.put(spaces.datasetVersions, versionKey(contract, dataset, sequence), sealing.version),
  )
  const recorded = await agent.client.record(sealing.version.manifestStatement)
  await agent.store.write(agent.store.remove(spaces.sealings, sealingKey(contract, dataset)))
  await dropOutbox(sealing)
  return recorded
}

/** Forgets a sealing whose Manifest was never recorded, with its ciphertext. */
export async function dropSealing(agent: Agent, sealing: SealingRecord): Promise<void> {
  await agent.store.write(
    agent.store.remove(spaces.sealings, sealingKey(sealing.version.contract, sealing.version.dataset)),
  )
  await dropOutbox(sealing)
}

/** All versions of a dataset, the oldest first. */
export async function versionsOf(
  agent: Agent,
  contract: string,
  dataset: string,
): Promise<readonly DatasetVersionRecord[]> {
  return (await agent.store.list(spaces.datasetVersions, `${contract}/${dataset}/`)).map(
    ([, record]) => record,
  )
}

export function versionKey(contract: string, dataset: string, sequence: number): string {
  return `${contract}/${dataset}/${String(sequence).padStart(10, '0')}`
}

async function dropOutbox(sealing: SealingRecord): Promise<void> {
  for (const { path } of sealing.uploads) await rm(path, { force: true })
}

async function expectThere(path: string, size: number): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found?.size === size) return
  throw new AgentError(
    'FILE_UNREADABLE',
    `${path} should hold ${size} sealed bytes on their way; seen ${found === null ? 'no file' : `${found.size} bytes`}: seal again with --replace`,
  )
}
