import { describe, expect, it } from 'vitest'
import type { RunRecord, RunTerms } from './run-record.js'
import { admittedRun } from './run-beginning.js'
import { waitingFor } from './run-view.js'

const terms: RunTerms = {
  inputs: [{ dataset: 'stays', owner: 'north', manifest: 'm1' }],
  owners: ['north'],
  approvals: null,
  witnesses: ['north', 'watch'],
  quorum: 2,
  recordWaitSeconds: 60,
  maximumSeconds: 600,
  expiresAt: '2026-11-23T13:00:00.000Z',
}

/** A run whose Receipt is to be cosigned at 21, as far as these parties have done so. */
function recordingReceipt(cosigned: readonly string[]): RunRecord {
  return { ...admittedRun(terms), state: 'recordingReceipt', receiptCheckpoint: 21, cosigned }
}

describe('what a run waits for', () => {
  it.each([
    ['its owner and a witness who owns nothing', [], ['north', 'watch']],
    ['the witness alone, once the owner cosigned', ['north'], ['watch']],
    ['the owner alone, once the witness cosigned', ['watch'], ['north']],
  ])('names %s while its Receipt is being recorded', (_whom, cosigned, whom) => {
    expect(waitingFor(recordingReceipt(cosigned), 0)).toEqual([
      { what: 'cosignature', whom, reason: 'checkpoint 21' },
    ])
  })

  it('names no witness while its Spends are: these wait for owners only', () => {
    const run: RunRecord = { ...recordingReceipt([]), state: 'recordingSpends', spendsCheckpoint: 12 }
    expect(waitingFor(run, 0)).toEqual([{ what: 'cosignature', whom: ['north'], reason: 'checkpoint 12' }])
  })
})
