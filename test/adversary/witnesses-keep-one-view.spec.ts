import { describe, expect, it } from 'vitest'
import { vendorHardware } from '#libs/attestation'
import { aHistory, shownRecord } from '#libs/testing'
import { auditRecord } from '../../apps/agent/src/audit/audit.js'
import { admittedRun } from '../../apps/coordinator/src/runs/run-beginning.js'
import { advance } from '../../apps/coordinator/src/runs/run-state.js'
import { startEngine } from '#libs/engine'
import { parquetOfGroups, playEnclave } from './stage/enclave-under-attack.js'

/** Design, section 5: the quorum counts the witnesses that the contract names, every data owner among them, and nobody else. */
describe('a witness', () => {
  const timeouts = { nonceSeconds: 1, offerSeconds: 1, outputKeysSeconds: 1, maximumRounds: 1 }
  const north = 'north'
  const regulator = 'regulator'

  const recording = () => ({
    ...admittedRun({
      inputs: [{ dataset: 'people', owner: north, manifest: 'a'.repeat(64) }],
      owners: [north],
      approvals: null,
      witnesses: [north, regulator],
      quorum: 2,
      recordWaitSeconds: 60,
      maximumSeconds: 60,
      expiresAt: '2026-12-01T00:00:00.000Z',
    }),
    state: 'recordingReceipt' as const,
    receiptCheckpoint: 10,
    receipt: { id: 'b'.repeat(64), index: 9, outcome: 'completed' as const },
  })
  const cosigned = (...witnesses: string[]) =>
    advance(recording(), { kind: 'cosigned', size: 10, witnesses }, Date.now(), timeouts)

  it('that owns no data is waited for where the quorum needs it', () => {
    expect(cosigned(north).state).toBe('recordingReceipt')
    expect(cosigned(north).cosigned).toEqual([north])
    expect(cosigned(north, regulator).state).toBe('awaitingOutputKeys')
  })

  it('that the contract does not name counts for nothing at the coordinator', () => {
    expect(cosigned(north, 'somebody', 'somebody else').state).toBe('recordingReceipt')
    expect(cosigned(regulator, 'somebody').state).toBe('recordingReceipt')
  })

  it('that the contract names is needed by the enclave too: without it no output key leaves', async () => {
    const parser = await startEngine({ limits: { threads: 1 } })
    try {
      const parquet = await parquetOfGroups()
      const { said } = await playEnclave(parser, parquet, {
        stage: {
          cosigners: (step, all) => (step === 'receipt' ? all.filter(({ label }) => label !== 'lab') : all),
          idle: (wait, run) => {
            run.owners()[0]?.owner.clock.advance(wait * 1000)
            return run.said.receipt !== undefined
          },
        },
      })
      expect(said.receipt?.payload.outcome).toBe('completed')
      expect(said.end?.code).toMatch(/unrecorded|leaseLost/)
      expect(said.outputKeys).toBeUndefined()
    } finally {
      await parser.close()
    }
  })

  it('that signs two views is named by an audit, with both roots', async () => {
    const made = await aHistory()
    const fork = await shownRecord({
      ...made,
      made: [...made.made.slice(0, -2), ...made.made.slice(-2).toReversed()],
      checkpoints: [{ size: 24, cosigners: [made.parties.watch] }],
    })
    const honest = await shownRecord({
      ...made,
      checkpoints: [...made.checkpoints, { size: 24, cosigners: [made.parties.watch] }],
    })
    const { origin, key, coordinatorKey } = made.log
    const pinned = new Map(Object.values(made.parties).map(({ thumbprint, label }) => [thumbprint, label]))
    const report = await auditRecord(
      {
        ...honest,
        checkpoints: [...honest.checkpoints, ...fork.checkpoints],
        contract: made.contract.id,
        coordinatorKey: coordinatorKey.publicKey,
      },
      { origin, logKey: key.publicKey, pinned, seen: [], hardware: vendorHardware },
    )
    const named = report.breaches.filter(({ rule }) => rule === 'witness.oneView')
    expect(named.map(({ expected }) => expected)).toEqual(['one view of the log by watch'])
    expect(named[0]?.seen).toMatch(/it cosigned [0-9a-f]{64} of 24 leaves, and [0-9a-f]{64} of 24/)
  })
})
