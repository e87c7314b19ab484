import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signingKeyFromSeed } from '#libs/canonical'
import { manifestKind } from '#libs/protocol'
import type { Caller } from '../http/caller.js'
import { CosignatureBook } from '../log/cosignature-book.js'
import { PublicLog } from '../log/public-log.js'
import { RunBook } from '../runs/run-book.js'
import { RecordStatement } from '../statements/record-statement.js'
import { heldEvents, LedgerStore } from '../storage/ledger-store.js'
import type { Change } from '../storage/rows.js'
import { Play } from '../testing/play.js'
import { aStage, type Stage } from '../testing/stage.js'
import type { StatementToRecord } from './draft.js'
import { Ledger } from './ledger.js'

/** A statement of nobody that is known here: what is tested is the record. */
function aRecord(digit: string, attachment: string | null = null): StatementToRecord {
  const digest = digit.repeat(64)
  return {
    statement: { id: digest, digest, kid: 'k'.repeat(43), jws: 'jws' },
    type: 'spend',
    by: 'nobody',
    attachment,
    contract: null,
    run: 'none',
    leaf: { signer: null, run: null },
  }
}

/** PostgreSQL refuses this character in every text, so a row that holds it cannot be kept. */
const unkeepable = '\u0000'

describe('the ledger', () => {
  let stage: Stage
  let ledger: Ledger
  let log: PublicLog
  const commits: (readonly Change[])[] = []
  let commitGate: Promise<void> = Promise.resolve()

  const logged = (changes: readonly Change[]) =>
    changes.flatMap(({ statements }) => statements.map(({ digest }) => digest.charAt(0))).join('')

  beforeEach(async () => {
    stage = await aStage()
    ledger = stage.coordinator.app.get(Ledger)
    log = stage.coordinator.app.get(PublicLog)
    commits.length = 0
    commitGate = Promise.resolve()
    const store = stage.coordinator.app.get(LedgerStore)
    const commit = store.commit.bind(store)
    store.commit = async (changes) => {
      await commitGate
      commits.push(changes)
      await commit(changes)
    }
  })
  afterEach(async () => {
    await stage.close()
  })

  it('keeps acts that wait together in one transaction, each planned on the ones before it', async () => {
    const first = ledger.write((draft) => draft.record(aRecord('1')))
    const others = ['2', '3', '4'].map((digit) =>
      ledger.write((draft) => ({ before: draft.size, ...draft.record(aRecord(digit)) })),
    )
    await expect(first).resolves.toMatchObject({ index: 0 })
    expect(await Promise.all(others)).toMatchObject([
      { before: 1, index: 1 },
      { before: 2, index: 2 },
      { before: 3, index: 3 },
    ])
    expect(commits.map(logged)).toEqual(['1', '234'])
    expect(['1', '2', '3', '4'].map((digit) => log.indexOf(digit.repeat(64)))).toEqual([0, 1, 2, 3])
  })

  it('leaves the others of a group whole where one is refused', async () => {
    const acts = [
      ledger.write((draft) => draft.record(aRecord('1'))),
      ledger.write((draft) => draft.record(aRecord('2'))),
      ledger.write((draft) => {
        draft.record(aRecord('3'))
        throw new RangeError('refused')
      }),
      ledger.write((draft) => draft.record(aRecord('4'))),
    ]
    const outcomes = await Promise.allSettled(acts)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(log.leavesBetween(0, 9)).toHaveLength(3)
    expect(log.indexOf('4'.repeat(64))).toBe(2)
    expect(log.indexOf('3'.repeat(64))).toBeUndefined()
  })

  it('answers nobody, signs for no leaf and counts none before the group is on disk', async () => {
    let open: () => void = () => undefined
    commitGate = new Promise((resolve) => {
      open = resolve
    })
    const done: string[] = []
    const recorded = ledger.write((draft) => draft.record(aRecord('1'))).then(() => done.push('recorded'))
    const refused = ledger
      .write(() => {
        throw new RangeError('refused')
      })
      .catch(() => done.push('refused'))
    const read = fetch(`${stage.url}/v1/log`).then(async (answer) => {
      done.push('read')
      return (await answer.json()) as { size: number }
    })
    // The health of the process rests on nothing recorded: that it answers shows that a round trip would have been enough.
    for (let trip = 0; trip < 5; trip++) await fetch(`${stage.url}/health/live`)
    expect(done).toEqual([])
    expect(log.size).toBe(0)
    await expect(log.checkpoint(1)).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' })
    open()
    await Promise.all([recorded, refused, read])
    expect(new Set(done)).toEqual(new Set(['recorded', 'refused', 'read']))
    expect((await log.checkpoint(1)).size).toBe(1)
  })

  it('answers each act of a group that cannot be kept by its own truth, and closes', async () => {
    const outcomes = await Promise.allSettled([
      ledger.write((draft) => draft.record(aRecord('1'))),
      ledger.write((draft) => draft.record(aRecord('2'))),
      ledger.write((draft) => draft.record(aRecord('3', unkeepable))),
      ledger.write((draft) => draft.record(aRecord('4'))),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected'])
    expect(log.size).toBe(2)
    const store = stage.coordinator.app.get(LedgerStore)
    const { leaves } = await store.load(0)
    expect(leaves.map(({ digest }) => digest.charAt(0))).toEqual(['1', '2'])
    await expect(ledger.failed).resolves.toBeInstanceOf(Error)
    await expect(ledger.write(() => 0)).rejects.toMatchObject({ code: 'STOPPING' })
    const answer = await fetch(`${stage.url}/v1/log`)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ code: 'STOPPING' })
    expect((await fetch(`${stage.url}/health/live`)).status).toBe(200)
    expect((await fetch(`${stage.url}/health/ready`)).status).toBe(503)
  })

  it('keeps what came before an act that memory cannot take up, and closes', async () => {
    const runs = stage.coordinator.app.get(RunBook)
    const apply = runs.applyStatement.bind(runs)
    runs.applyStatement = (stored) => {
      if (stored.digest.startsWith('3')) throw new RangeError('no such thing')
      apply(stored)
    }
    const first = ledger.write((draft) => draft.record(aRecord('1')))
    const outcomes = await Promise.allSettled([
      first,
      ...['2', '3', '4'].map((digit) => ledger.write((draft) => draft.record(aRecord(digit)))),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected'])
    expect(outcomes[3]).toMatchObject({ reason: { code: 'STOPPING' } })
    const { leaves } = await stage.coordinator.app.get(LedgerStore).load(0)
    expect(leaves.map(({ digest }) => digest.charAt(0))).toEqual(['1', '2'])
    await expect(ledger.failed).resolves.toBeInstanceOf(RangeError)
    expect((await fetch(`${stage.url}/v1/log`)).status).toBe(503)
  })

  it('refuses the second of two equal statements rather than its whole group', async () => {
    await ledger.write((draft) => draft.record(aRecord('1')))
    const [twin, other] = await Promise.allSettled([
      ledger.write((draft) => draft.record(aRecord('1'))),
      ledger.write((draft) => draft.record(aRecord('2'))),
    ])
    expect(twin).toMatchObject({ status: 'rejected', reason: { code: 'STATEMENT_CONFLICT' } })
    expect(other.status).toBe('fulfilled')
    const twins = await Promise.allSettled(
      ['3', '4', '4', '5'].map((digit) => ledger.write((draft) => draft.record(aRecord(digit)))),
    )
    expect(twins.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  })

  it('refuses an act of an older key that waited while its Identity was renewed', async () => {
    const play = await Play.begin(stage)
    const { north } = play.cast
    const statements = stage.coordinator.app.get(RecordStatement)
    const caller: Caller = { kind: 'party', thumbprint: north.thumbprint }
    const known = play.manifests.get('north')
    if (known === undefined) throw new RangeError('north sealed nothing')
    const next = { ...known.payload, ...north.own('manifest'), sequence: 2, previous: known.id }
    const stolen = await north.sign(manifestKind, next)
    const fresh = await signingKeyFromSeed(randomBytes(32))
    const renewal = await north.makeIdentity({
      sequence: 2,
      previous: north.identity().id,
      daemonKey: fresh.publicKey,
    })

    let open: () => void = () => undefined
    const held = ledger.write(
      () =>
        new Promise<void>((resolve) => {
          open = resolve
        }),
    )
    const queued = queueOf(ledger)
    const renewed = statements.record({ statement: renewal.jws }, caller)
    await queued(1)
    // Verified under the key that is the newest now; its turn comes after the renewal.
    const act = statements.record({ statement: stolen.jws }, caller)
    const refused = expect(act).rejects.toMatchObject({ code: 'IDENTITY_INVALID' })
    await queued(2)
    open()
    await Promise.all([held, renewed, refused])
    expect(log.indexOf(stolen.digest)).toBeUndefined()
  })

  it('shows cosignatures older than those that a start reads', async () => {
    const play = await Play.begin(stage)
    const { north } = play.cast
    const size = await north.cosignNewest()
    const line = await stage.coordinator.app.get(CosignatureBook).find(size, north.thumbprint)
    const restarted = new CosignatureBook(stage.coordinator.app.get(LedgerStore))
    restarted.restore(
      Array.from({ length: heldEvents }, (_, index) => {
        return { size: size + 1 + index, witness: 'w', line: 'other\n', recordedAt: stage.clock.iso() }
      }),
    )
    expect(line).toContain(north.thumbprint)
    expect(await restarted.find(size, north.thumbprint)).toBe(line)
    expect(await restarted.lines(size)).toContain(line)
    expect(await restarted.lines(size + 2)).toEqual(['other\n'])
  })
})

/** Resolves once so many further acts wait for their turn. */
function queueOf(ledger: Ledger): (count: number) => Promise<void> {
  const write = ledger.write.bind(ledger)
  let count = 0
  let wake: () => void = () => undefined
  ledger.write = (plan) => {
    count++
    const turn = write(plan)
    wake()
    return turn
  }
  return async (expected) => {
    while (count < expected)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
}
