/**
 * Seals a new version of a model: one segment, the bytes that the check encoded. What a file holds beside what an enclave would run
 * (descriptions, who trained it and with what) stays here.
 */
import { createMemoryFile } from '#libs/engine'
import type { CheckedModel } from '#libs/model'
import type { Agent } from '../agent.js'
import type { SealingRecord } from '../store/records.js'
import { sealSegments, type Sealing } from './seal-segments.js'

/** Seals, signs the Manifest, and keeps it; nothing is uploaded yet. */
export async function sealModel(agent: Agent, sealing: Sealing, model: CheckedModel): Promise<SealingRecord> {
  const file = createMemoryFile()
  try {
    await file.write(model.bytes, 0)
    const content = { kind: 'model', columns: [], unit: null, rows: 0 } as const
    return await sealSegments(agent, sealing, { ...content, columns: [] }, [
      { name: 'model', columns: [], file },
    ])
  } finally {
    file.discard()
  }
}
