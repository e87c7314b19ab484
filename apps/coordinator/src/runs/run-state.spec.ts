import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runEndStates, runStates, type RunState } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import type { RunRecord, RunTerms } from './run-record.js'
import { admittedRun, hasEnded } from './run-beginning.js'
import type { RunHappening, RunTimeouts } from './run-happening.js'
import { advance } from './run-state.js'

const start = Date.parse('2026-11-23T12:00:00.000Z')
const at = (seconds: number) => new Date(start + seconds * 1000).toISOString()
const timeouts: RunTimeouts = { nonceSeconds: 20, offerSeconds: 30, outputKeysSeconds: 60, maximumRounds: 3 }
const terms: RunTerms = {
  inputs: [
    { dataset: 'stays', owner: 'north', manifest: 'm1' },
    { dataset: 'stays', owner: 'south', manifest: 'm2' },
  ],
  owners: ['north', 'south'],
  approvals: null,
  witnesses: ['north', 'south', 'third'],
  quorum: 3,
  recordWaitSeconds: 60,
  maximumSeconds: 600,
  expiresAt: at(3600),
}
const receiptKey = { kty: 'OKP', crv: 'Ed25519', x: 'x' } as const

/** The happenings of a run without a fault, in order. */
const story: readonly RunHappening[] = [
  ...(['north', 'south'] as const).map(
    (owner) => ({ kind: 'answered', owner, answer: 'ready', reason: '' }) as const,
  ),
  { kind: 'reserved', worker: 'worker' },
  ...(['north', 'south'] as const).map((owner) => ({ kind: 'nonce', owner, nonce: 'n' }) as const),
  { kind: 'offered', id: 'offer', receiptKey, expiresAt: at(300) },
  { kind: 'evidenced', id: 'evidence' },
  ...(['north', 'south'] as const).map((owner) => ({ kind: 'accepted', owner }) as const),
  ...(['north', 'south'] as const).map(
    (owner, index) =>
      ({
        kind: 'spent',
        spend: { owner, dataset: 'stays', id: owner, index: 10 + index },
        sizeAfter: 11 + index,
      }) as const,
  ),
  { kind: 'cosigned', size: 12, witnesses: ['north', 'south'] },
  ...(['north', 'south'] as const).map(
    (owner) => ({ kind: 'released', release: { owner, dataset: 'stays', id: owner } }) as const,
  ),
  { kind: 'started', id: 'start' },
  { kind: 'receipted', id: 'receipt', index: 20, outcome: 'completed', outputs: [], sizeAfter: 21 },
  { kind: 'cosigned', size: 21, witnesses: ['north', 'south', 'third'] },
  { kind: 'keysGiven' },
]

function play(happenings: readonly RunHappening[], from: RunRecord = admittedRun(terms)): RunRecord {
  return happenings.reduce((run, happening) => advance(run, happening, start, timeouts), from)
}

/** The story up to the first moment of a state. */
function until(state: RunState): RunRecord {
  let run = admittedRun(terms)
  for (const happening of story) {
    if (run.state === state) return run
    run = advance(run, happening, start, timeouts)
  }
  return run
}

describe('a run', () => {
  it('passes through every state of the story to completed', () => {
    const seen: RunState[] = ['awaitingOwners']
    let run = admittedRun(terms)
    for (const happening of story) {
      run = advance(run, happening, start, timeouts)
      if (seen.at(-1) !== run.state) seen.push(run.state)
    }
    expect(seen).toEqual(runStates.slice(1, runStates.indexOf('completed') + 1))
  })

  it.each(['awaitingOffer', 'collectingAccepts'] as const)(
    'begins another round at once where an owner lost its nonce while it was %s',
    (state) => {
      const waits = { kind: 'answered', owner: 'south', answer: 'waiting', reason: 'lost' } as const
      const run = advance(until(state), waits, start, timeouts)
      expect(run).toMatchObject({ state: 'awaitingOwners', worker: null, nonces: {}, offer: null })
      expect(run.readiness['south']).toEqual({ state: 'waiting', reason: 'lost' })
      expect(run.readiness['north']?.state).toBe('ready')
      const again = play(
        [
          { ...waits, answer: 'ready' },
          { kind: 'reserved', worker: 'another' },
        ],
        run,
      )
      expect(again).toMatchObject({ state: 'collectingNonces', round: 2 })
    },
  )

  it('goes on where an owner has to wait that gave no nonce yet, or has accepted', () => {
    const waits = (owner: string) => ({ kind: 'answered', owner, answer: 'waiting', reason: 'lost' }) as const
    const collecting = until('collectingNonces')
    expect(play([waits('south')], collecting).state).toBe('collectingNonces')
    const accepted = play([{ kind: 'accepted', owner: 'north' }], until('collectingAccepts'))
    expect(play([waits('north')], accepted).state).toBe('collectingAccepts')
    expect(play([waits('south')], until('collectingSpends')).state).toBe('collectingSpends')
  })

  it('gives up where owners lose their nonces in as many rounds as are tried', () => {
    const waits = { kind: 'answered', owner: 'south', answer: 'waiting', reason: 'lost' } as const
    const run = { ...until('awaitingOffer'), round: timeouts.maximumRounds }
    expect(advance(run, waits, start, timeouts).state).toBe('expired')
  })

  it('waits for the approvals that the contract names, and for no others', () => {
    const run = admittedRun({ ...terms, approvals: { from: ['north', 'third'], count: 2 } })
    const one = play(
      [
        { kind: 'approved', by: 'north', expiresAt: at(60) },
        { kind: 'approved', by: 'stranger', expiresAt: at(60) },
      ],
      run,
    )
    expect(one.state).toBe('awaitingApprovals')
    expect(play([{ kind: 'approved', by: 'north', expiresAt: at(60) }], one).state).toBe('awaitingApprovals')
    expect(play([{ kind: 'approved', by: 'third', expiresAt: at(-1) }], one).state).toBe('awaitingApprovals')
    expect(play([{ kind: 'approved', by: 'third', expiresAt: at(60) }], one).state).toBe('awaitingOwners')
  })

  it('goes on at once after the last approval where every owner was ready before', () => {
    const run = admittedRun({ ...terms, approvals: { from: ['north'], count: 1 } })
    const ready = play(story.slice(0, 2), run)
    expect(ready.state).toBe('awaitingApprovals')
    expect(play([{ kind: 'approved', by: 'north', expiresAt: at(60) }], ready).state).toBe('awaitingWorker')
  })

  it('does not count cosignatures of two checkpoints together', () => {
    const run = until('recordingSpends')
    const split = play(
      [
        { kind: 'cosigned', size: 12, witnesses: ['north'] },
        { kind: 'cosigned', size: 15, witnesses: ['south'] },
      ],
      run,
    )
    expect(split.state).toBe('recordingSpends')
    const later = play([{ kind: 'cosigned', size: 15, witnesses: ['south', 'north'] }], split)
    expect([later.state, later.spendsCheckpoint]).toEqual(['collectingReleases', 15])
  })

  it('does not take a checkpoint that is too small for its Spends', () => {
    expect(
      play([{ kind: 'cosigned', size: 11, witnesses: ['north', 'south'] }], until('recordingSpends')).state,
    ).toBe('recordingSpends')
  })

  it('needs the whole quorum for a Receipt, not only the owners', () => {
    expect(
      play([{ kind: 'cosigned', size: 21, witnesses: ['north', 'south'] }], until('recordingReceipt')).state,
    ).toBe('recordingReceipt')
  })

  it('ends failed once the Receipt of a failure is recorded', () => {
    const run = play(
      [{ kind: 'receipted', id: 'r', index: 20, outcome: 'timedOut', outputs: [], sizeAfter: 21 }],
      until('running'),
    )
    const ended = play([{ kind: 'cosigned', size: 21, witnesses: ['north', 'south', 'third'] }], run)
    expect([ended.state, ended.endedBecause]).toEqual(['failed', 'the enclave reported timedOut'])
  })

  const deadlines: [state: RunState, next: RunState][] = [
    ['awaitingOwners', 'expired'],
    ['awaitingWorker', 'expired'],
    ['collectingNonces', 'awaitingOwners'],
    ['awaitingOffer', 'awaitingWorker'],
    ['collectingAccepts', 'awaitingOwners'],
    ['collectingSpends', 'awaitingOwners'],
    ['recordingSpends', 'expired'],
    ['collectingReleases', 'expired'],
    ['running', 'lost'],
    ['recordingReceipt', 'unrecorded'],
    ['awaitingOutputKeys', 'lost'],
  ]
  it.each(deadlines)('that is %s past its deadline becomes %s', (state, next) => {
    const run = until(state)
    expect(advance(run, { kind: 'deadline' }, start, timeouts)).toBe(run)
    expect(advance(run, { kind: 'deadline' }, Date.parse(run.deadlineAt ?? ''), timeouts).state).toBe(next)
  })

  it('is charged and ended where one Spend was made and the other did not come', () => {
    const run = play(story.slice(9, 10), until('collectingSpends'))
    expect(run.spends).toHaveLength(1)
    expect(advance(run, { kind: 'deadline' }, start + 301_000, timeouts).state).toBe('expired')
  })

  it.each([
    ['collectingAccepts', 'awaitingWorker'],
    ['recordingSpends', 'lost'],
    ['running', 'lost'],
    ['awaitingOutputKeys', 'lost'],
  ] as const)('whose worker is lost while it is %s becomes %s', (state, next) => {
    expect(play([{ kind: 'workerLost' }], until(state)).state).toBe(next)
  })

  it('ends after the bounded number of rounds', () => {
    let run = until('collectingNonces')
    for (let round = 1; round < timeouts.maximumRounds; round++)
      run = play([{ kind: 'workerLost' }, { kind: 'reserved', worker: `worker ${round}` }], run)
    expect([run.round, play([{ kind: 'workerLost' }], run).state]).toEqual([3, 'expired'])
  })

  it('that is running can no longer be refused, denied, cancelled or stopped', () => {
    const run = until('running')
    for (const happening of [
      { kind: 'refused', by: 'north', step: 'release' },
      { kind: 'denied', by: 'north' },
      { kind: 'cancelled' },
      { kind: 'stopped', because: 'withdrawn' },
    ] as const)
      expect(() => play([happening], run)).toThrow(expect.objectContaining({ code: 'RUN_STATE_CONFLICT' }))
  })

  const owners = fc.constantFrom('north', 'south')
  const happenings: fc.Arbitrary<RunHappening> = fc.oneof(
    fc.constantFrom(...story),
    fc.record({
      kind: fc.constant('cosigned' as const),
      size: fc.integer({ min: 0, max: 40 }),
      witnesses: fc.subarray(['north', 'south', 'third']),
    }),
    fc.record({ kind: fc.constant('refused' as const), by: owners, step: fc.constant('accept') }),
    fc.record({
      kind: fc.constant('answered' as const),
      owner: owners,
      answer: fc.constantFrom('ready' as const, 'waiting' as const),
      reason: fc.constant(''),
    }),
    fc.constantFrom<RunHappening>(
      { kind: 'workerLost' },
      { kind: 'deadline' },
      { kind: 'cancelled' },
      { kind: 'stopped', because: 'x' },
    ),
    fc.record({
      kind: fc.constant('workerEnded' as const),
      code: fc.constantFrom(
        'leaseLost' as const,
        'expired' as const,
        'unrecorded' as const,
        'refused' as const,
        'done' as const,
      ),
      owner: fc.constant(null),
      detail: fc.constant(''),
    }),
  )

  it('whatever happens never skips a step, never leaves an end, and never gives back a Spend', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(happenings, fc.integer({ min: 0, max: 400 })), { maxLength: 80 }),
        (steps) => {
          let [run, now] = [admittedRun(terms), start]
          for (const [happening, seconds] of steps) {
            now += seconds * 100
            const before = run
            try {
              run = advance(run, happening, now, timeouts)
            } catch (error) {
              expect(error).toBeInstanceOf(CoordinatorError)
            }
            if (hasEnded(before.state)) expect(run).toBe(before)
            expect(run.version).toBeGreaterThanOrEqual(before.version)
            if (before.spends.length > 0)
              expect(run.spends.length).toBeGreaterThanOrEqual(before.spends.length)
            expectHonest(run)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

/** What must have happened for a run to be where it is. */
function expectHonest(run: RunRecord): void {
  const reached = runStates.indexOf(run.state)
  const ended = (runEndStates as readonly RunState[]).includes(run.state)
  const past = (state: RunState) => !ended && reached > runStates.indexOf(state)
  if (past('collectingSpends')) expect(run.spends).toHaveLength(2)
  if (past('recordingSpends'))
    expect(run.terms.owners.every((owner) => run.cosigned.includes(owner) || run.receipt !== null)).toBe(true)
  if (past('collectingReleases')) expect(run.releases).toHaveLength(2)
  if (run.state === 'completed' || run.state === 'awaitingOutputKeys') {
    expect(run.receipt?.outcome).toBe('completed')
    expect(run.receiptCheckpoint).toBeGreaterThan(run.receipt?.index ?? Infinity)
    expect(run.cosigned).toEqual(expect.arrayContaining(['north', 'south', 'third']))
  }
}
