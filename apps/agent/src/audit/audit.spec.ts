import { beforeAll, describe, expect, it } from 'vitest'
import { aHistory, shownRecord, type MadeHistory, type ShownRecord } from '#libs/testing'
import { auditRecord, type AuditReport } from './audit.js'
import type { AuditAnchors, AuditMaterial } from './material.js'

let made: MadeHistory
beforeAll(async () => {
  made = await aHistory({ runs: 2 })
})

function anchors(): AuditAnchors {
  const { log, parties } = made
  return {
    origin: log.origin,
    logKey: log.key.publicKey,
    pinned: new Map(Object.values(parties).map(({ thumbprint, label }) => [thumbprint, label])),
    seen: [],
  }
}

async function auditOf(shown: ShownRecord): Promise<AuditReport> {
  const material: AuditMaterial = {
    ...shown,
    contract: made.contract.id,
    coordinatorKey: made.log.coordinatorKey.publicKey,
  }
  return await auditRecord(material, anchors())
}

describe('an audit', () => {
  it('of an honest history finds that everything holds', async () => {
    const report = await auditOf(await shownRecord(made))
    expect(report.breaches).toEqual([])
    expect(report.gaps).toEqual([])
  })
})
