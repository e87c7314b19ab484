/** Seals a new version of a table: Parquet by column group in memory, each group a segment under a key of its own. */
import { createMemoryFile, withEngine } from '#libs/engine'
import type { Agent } from '../agent.js'
import type { SealingRecord } from '../store/records.js'
import type { ReadingOptions } from './profile-file.js'
import { sealSegments, type ClearSegment, type Sealing } from './seal-segments.js'
import type { TablePlan } from './dataset-plan.js'

export interface TableSealing extends Sealing {
  readonly table: TablePlan
  readonly reading: ReadingOptions
  readonly onConverted: (done: number, total: number) => void
}

/** Converts, seals, signs the Manifest, and keeps it; nothing is uploaded yet. */
export async function sealTable(agent: Agent, sealing: TableSealing): Promise<SealingRecord> {
  const { terms, groups, unit } = sealing.table
  const clear = groups.map(({ name, columns }) => ({ name, columns, file: createMemoryFile() }))
  try {
    const rows = await convert(sealing, clear)
    const columns = Object.entries(terms.columns).map(([name, { type, nullable }]) => ({
      name,
      type,
      nullable,
    }))
    return await sealSegments(agent, sealing, { kind: 'table', columns, unit, rows }, clear)
  } finally {
    for (const { file } of clear) file.discard()
  }
}

async function convert(
  { source, table, reading, onConverted }: TableSealing,
  clear: readonly ClearSegment[],
): Promise<number> {
  const { fd } = source.file
  const descriptors = [
    { fd, access: 'read' as const },
    ...clear.map(({ file }) => ({ fd: file.fd, access: 'write' as const })),
  ]
  const groups = table.groups.map((group, index) => ({ ...group, outputFd: clear[index]?.file.fd ?? -1 }))
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
