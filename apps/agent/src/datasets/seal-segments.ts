/**
 * What sealing a table and sealing a model share: each file under a key of its own, ciphertext into the outbox, one signed Manifest. Keys,
 * Manifest and what is still to be uploaded are durable before the first byte leaves.
 */
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { signStatement, toBase64url, type Verified } from '#libs/canonical'
import type { MemoryFile } from '#libs/engine'
import { sealFile, segmentContext, type Sealed } from '#libs/envelope'
import { manifestKind, type Manifest } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { spaces, type SealingRecord } from '../store/records.js'
import { newStatement } from '../trust/new-statement.js'
import type { SourceFile } from './source-file.js'

/** What is sealed of which file of the owner's, and where to. */
export interface Sealing {
  readonly contract: string
  readonly dataset: string
  readonly source: SourceFile
  /** this owner's newest Manifest in the log, or null before the first */
  readonly previous: Verified<Manifest> | null
  readonly outbox: string
  readonly onSealed: (done: number, total: number) => void
}

/** One segment in the clear, in memory; a model's has no columns. */
export interface ClearSegment {
  readonly name: string
  readonly columns: readonly string[]
  readonly file: MemoryFile
}

/** What a Manifest says beside its segments. */
export type Content = Pick<Manifest, 'kind' | 'columns' | 'unit'> & { readonly rows: number }

interface SealedSegment {
  readonly name: string
  readonly columns: readonly string[]
  readonly key: Uint8Array
  readonly path: string
  readonly sealed: Sealed
}

/** Seals, signs the Manifest, and keeps both; nothing is uploaded yet. */
export async function sealSegments(
  agent: Agent,
  sealing: Sealing,
  content: Content,
  clear: readonly ClearSegment[],
): Promise<SealingRecord> {
  const version = toBase64url(agent.randomBytes(16))
  const segments = await sealEach(agent, sealing, version, clear)
  const record = await signedRecord(agent, sealing, content, version, segments)
  await agent.store.write(
    agent.store.put(spaces.sealings, sealingKey(sealing.contract, sealing.dataset), record),
  )
  return record
}

/** Key of the sealing that is on its way, one per dataset. */
export function sealingKey(contract: string, dataset: string): string {
  return `${contract}/${dataset}`
}

async function sealEach(
  agent: Agent,
  { dataset, outbox, onSealed }: Sealing,
  version: string,
  clear: readonly ClearSegment[],
): Promise<readonly SealedSegment[]> {
  await mkdir(outbox, { recursive: true, mode: 0o700 })
  const total = clear.reduce((sum, { file }) => sum + file.size(), 0)
  let before = 0
  const segments: SealedSegment[] = []
  for (const [index, { name, columns, file }] of clear.entries()) {
    const path = join(outbox, `${version}-${index}.sealed`)
    const key = agent.randomBytes(32)
    const output = await open(path, 'w+', 0o600)
    try {
      const place = { owner: agent.keys.party, dataset, version, segment: name, segmentCount: clear.length }
      const done = before
      const sealed = await sealFile({
        dataKey: key,
        context: segmentContext(place),
        randomBytes: agent.randomBytes,
        input: file.fd,
        output: output.fd,
        onProgress: (bytes) => {
          onSealed(done + bytes, total)
        },
      })
      await output.sync()
      segments.push({ name, columns, key, path, sealed })
    } finally {
      await output.close()
    }
    before += file.size()
  }
  onSealed(total, total)
  return segments
}

async function signedRecord(
  agent: Agent,
  { contract, dataset, source, previous }: Sealing,
  { rows, ...content }: Content,
  version: string,
  segments: readonly SealedSegment[],
): Promise<SealingRecord> {
  const sequence = (previous?.payload.sequence ?? 0) + 1
  const payload: Manifest = {
    ...newStatement(agent, 'manifest'),
    contract,
    dataset,
    sequence,
    previous: previous?.id ?? null,
    ...content,
    version,
    segments: segments.map(({ name, columns, sealed }) => ({
      name,
      columns: [...columns],
      ciphertextDigest: sealed.digest,
      size: sealed.size,
    })),
  }
  const manifest = await signStatement(manifestKind, payload, agent.keys.daemonKey)
  return {
    version: {
      contract,
      dataset,
      manifest: manifest.id,
      manifestStatement: manifest.jws,
      sequence,
      version,
      segments: segments.map(({ name, columns, key }) => ({ name, columns, key: toBase64url(key) })),
      withdrawn: false,
    },
    sourcePath: source.path,
    sourceMark: source.mark,
    sealedAt: new Date(agent.now()).toISOString(),
    rows,
    uploads: segments.map(({ path, sealed }) => ({ path, digest: sealed.digest, size: sealed.size })),
  }
}
