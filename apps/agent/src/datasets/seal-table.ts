/**
 * Seals a new version of a table: Parquet by column group in memory, each group under a key of its own, ciphertext into the
 * outbox. Keys, manifest and what is still to be uploaded are durable before the first byte leaves.
 */
import { open, mkdir, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { signStatement, toBase64url, type Verified } from '#libs/canonical'
import { createMemoryFile, withEngine, type MemoryFile } from '#libs/engine'
import { sealFile, segmentContext, type Sealed } from '#libs/envelope'
import { manifestKind, type Manifest } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { spaces, type SealingRecord } from '../store/records.js'
import { newStatement } from '../trust/new-statement.js'
import type { ReadingOptions } from './profile-file.js'
import type { SourceFile } from './source-file.js'
import type { TablePlan } from './table-plan.js'

export interface SealingPlan {
  readonly contract: string
  readonly table: TablePlan
  readonly source: SourceFile
  readonly reading: ReadingOptions
  /** this owner's newest Manifest in the log, or null before the first */
  readonly previous: Verified<Manifest> | null
  readonly outbox: string
  readonly onConverted: (done: number, total: number) => void
  readonly onSealed: (done: number, total: number) => void
}

interface SealedSegment {
  readonly name: string
  readonly columns: readonly string[]
  readonly key: Uint8Array
  readonly path: string
  readonly sealed: Sealed
}

/** Seals, signs the Manifest, and keeps both; nothing is uploaded yet. */
export async function sealTable(agent: Agent, plan: SealingPlan): Promise<SealingRecord> {
  const version = toBase64url(agent.randomBytes(16))
  const parquet = plan.table.groups.map(() => createMemoryFile())
  try {
    const rows = await convert(plan, parquet)
    const segments = await sealSegments(agent, plan, version, parquet)
    const record = await signedRecord(agent, plan, version, segments, rows)
    await agent.store.write(
      agent.store.put(spaces.sealings, sealingKey(plan.contract, plan.table.dataset), record),
    )
    return record
  } finally {
    for (const file of parquet) file.discard()
  }
}

/** Key of the sealing that is on its way, one per dataset. */
export function sealingKey(contract: string, dataset: string): string {
  return `${contract}/${dataset}`
}

async function convert(
  { source, table, reading, onConverted }: SealingPlan,
  parquet: readonly MemoryFile[],
): Promise<number> {
  const { fd } = source.file
  const descriptors = [
    { fd, access: 'read' as const },
    ...parquet.map((file) => ({ fd: file.fd, access: 'write' as const })),
  ]
  const groups = table.groups.map((group, index) => ({ ...group, outputFd: parquet[index]?.fd ?? -1 }))
  return await withEngine({ descriptors }, (engine) =>
    engine.convertToParquet(fd, source.format, table.rules, groups, {
      ...reading,
      unit: table.unit,
      onProgress: (percent) => {
        onConverted(percent, 100)
      },
    }),
  )
}

async function sealSegments(
  agent: Agent,
  plan: SealingPlan,
  version: string,
  parquet: readonly MemoryFile[],
): Promise<readonly SealedSegment[]> {
  await mkdir(plan.outbox, { recursive: true, mode: 0o700 })
  const total = parquet.reduce((sum, file) => sum + file.size(), 0)
  let before = 0
  const segments: SealedSegment[] = []
  for (const [index, group] of plan.table.groups.entries()) {
    const input = parquet[index]
    if (input === undefined) throw new RangeError('every group has a file')
    const path = join(plan.outbox, `${version}-${index}.sealed`)
    const key = agent.randomBytes(32)
    const output = await open(path, 'w+', 0o600)
    try {
      const place = {
        owner: agent.keys.party,
        dataset: plan.table.dataset,
        version,
        segment: group.name,
        segmentCount: plan.table.groups.length,
      }
      const done = before
      const sealed = await sealFile({
        dataKey: key,
        context: segmentContext(place),
        randomBytes: agent.randomBytes,
        input: input.fd,
        output: output.fd,
        onProgress: (bytes) => {
          plan.onSealed(done + bytes, total)
        },
      })
      await onDisk(output)
      segments.push({ name: group.name, columns: group.columns, key, path, sealed })
    } finally {
      await output.close()
    }
    before += input.size()
  }
  plan.onSealed(total, total)
  return segments
}

async function onDisk(file: FileHandle): Promise<void> {
  await file.sync()
}

async function signedRecord(
  agent: Agent,
  plan: SealingPlan,
  version: string,
  segments: readonly SealedSegment[],
  rows: number,
): Promise<SealingRecord> {
  const sequence = (plan.previous?.payload.sequence ?? 0) + 1
  const payload: Manifest = {
    ...newStatement(agent, 'manifest'),
    contract: plan.contract,
    dataset: plan.table.dataset,
    sequence,
    previous: plan.previous?.id ?? null,
    kind: 'table',
    columns: Object.entries(plan.table.terms.columns).map(([name, { type, nullable }]) => ({
      name,
      type,
      nullable,
    })),
    unit: plan.table.unit,
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
      contract: plan.contract,
      dataset: plan.table.dataset,
      manifest: manifest.id,
      manifestStatement: manifest.jws,
      sequence,
      version,
      segments: segments.map(({ name, columns, key }) => ({ name, columns, key: toBase64url(key) })),
      withdrawn: false,
    },
    sourcePath: plan.source.path,
    sourceMark: plan.source.mark,
    sealedAt: new Date(agent.now()).toISOString(),
    rows,
    uploads: segments.map(({ path, sealed }) => ({ path, digest: sealed.digest, size: sealed.size })),
  }
}
