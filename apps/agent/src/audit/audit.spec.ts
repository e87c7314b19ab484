import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { vendorHardware } from '#libs/attestation'
import {
  aHistory,
  resigned,
  shownRecord,
  slow,
  type MadeHistory,
  type MadeStatement,
  type ShownRecord,
} from '#libs/testing'
import { auditRecord, type AuditReport } from './audit.js'
import type { AuditAnchors, AuditMaterial } from './material.js'

let made: MadeHistory
let honest: ShownRecord
beforeAll(async () => {
  made = await aHistory({ runs: 2 })
  honest = await shownRecord(made)
})

const anchors = (change: Partial<AuditAnchors> = {}): AuditAnchors => ({
  origin: made.log.origin,
  logKey: made.log.key.publicKey,
  pinned: new Map(Object.values(made.parties).map(({ thumbprint, label }) => [thumbprint, label])),
  seen: [],
  hardware: vendorHardware,
  ...change,
})

async function auditOf(shown: ShownRecord, change: Partial<AuditAnchors> = {}): Promise<AuditReport> {
  const coordinatorKey = made.log.coordinatorKey.publicKey
  const material: AuditMaterial = { ...shown, contract: made.contract.id, coordinatorKey }
  return await auditRecord(material, anchors(change))
}

/** The record of other statements, as if the log's keeper and all witnesses had agreed to it. */
async function ofStatements(
  change: (statements: MadeStatement[]) => readonly MadeStatement[],
): Promise<AuditReport> {
  return await auditOf(await shownRecord({ ...made, made: change([...made.made]) }))
}

const rulesOf = ({ breaches }: AuditReport) => [...new Set(breaches.map(({ rule }) => rule))]
const nth = (type: MadeStatement['type'], count = 0) => {
  const found = made.made.filter((one) => one.type === type)[count]
  if (found === undefined) throw new RangeError(`no ${type} ${count}`)
  return found
}
const without = (dropped: MadeStatement) => (statements: MadeStatement[]) =>
  statements.filter((one) => one !== dropped)
const moved = (what: MadeStatement, before: MadeStatement) => (statements: MadeStatement[]) => {
  const rest = without(what)(statements)
  rest.splice(rest.indexOf(before), 0, what)
  return rest
}
const replaced = (old: MadeStatement, by: MadeStatement) => (statements: MadeStatement[]) =>
  statements.map((one) => (one === old ? by : one))

describe('an audit', () => {
  it('of an honest history finds that everything holds', async () => {
    const report = await auditOf(honest)
    expect(report.breaches).toEqual([])
    expect(report.gaps).toEqual([])
    expect(report).toMatchObject({ holds: true, established: true, runs: 2, leaves: 38, simulated: true })
  })

  it('claims nothing of parties that were not pinned', async () => {
    const report = await auditOf(honest, { pinned: new Map() })
    expect(report.holds).toBe(true)
    expect(report.gaps.map(({ rule }) => rule)).toEqual(Array(4).fill('contract.pinned'))
  })

  it('of a contract on another log than the auditor trusts fails', async () => {
    expect(rulesOf(await auditOf(honest, { logKey: made.log.coordinatorKey.publicKey }))).toContain(
      'contract.log',
    )
  })

  const dropped: readonly [MadeStatement['type'], number, string][] = [
    ['identity', 0, 'record.logged'],
    ['contract', 1, 'contract.signed'],
    ['activation', 0, 'contract.first'],
    ['manifest', 0, 'inputs.newest'],
    ['run-request', 0, 'request.first'],
    ['approval', 0, 'approvals.count'],
    ['offer', 0, 'authority'],
    ['evidence', 0, 'accept.offered'],
    ['accept', 0, 'spend.accepted'],
    ['spend', 0, 'release.spent'],
    ['spend', 2, 'release.spent'],
    ['key-release', 1, 'start.released'],
    ['start', 0, 'receipt.started'],
    ['receipt', 0, 'output-keys.recorded'],
    ['output-keys', 0, 'fetch.keys'],
  ]
  it.each(dropped)(
    'finds a %s (%i) that was never recorded, though all witnesses say so: %s',
    async (type, count, rule) => {
      expect(rulesOf(await ofStatements(without(nth(type, count))))).toContain(rule)
    },
  )

  const early: readonly [what: () => MadeStatement, before: () => MadeStatement, rule: string][] = [
    [() => nth('activation'), () => nth('contract', 2), 'contract.activated'],
    [() => nth('manifest'), () => nth('activation'), 'contract.first'],
    [() => nth('run-request'), () => nth('activation'), 'contract.active'],
    [() => nth('run-request'), () => nth('manifest', 1), 'inputs.newest'],
    [() => nth('approval'), () => nth('run-request'), 'request.first'],
    [() => nth('accept'), () => nth('offer'), 'accept.offered'],
    [() => nth('accept'), () => nth('evidence'), 'accept.offered'],
    [() => nth('accept'), () => nth('approval'), 'approvals.count'],
    [() => nth('spend'), () => nth('accept', 1), 'spend.accepted'],
    [() => nth('key-release'), () => nth('spend', 1), 'release.spent'],
    [() => nth('key-release'), () => nth('accept', 1), 'release.accepted'],
    [() => nth('start'), () => nth('key-release', 1), 'start.released'],
    [() => nth('receipt'), () => nth('start'), 'receipt.started'],
    [() => nth('output-keys'), () => nth('receipt'), 'output-keys.recorded'],
    [() => nth('fetch'), () => nth('output-keys'), 'fetch.keys'],
    [() => nth('spend', 2), () => nth('spend'), 'spend.numbers'],
  ]
  it.each(early)('finds an act (%#) before what it rests on', async (what, before, rule) => {
    const report = await ofStatements(moved(what(), before()))
    expect(rulesOf(report)).toContain(rule)
  })

  it('names rule, entry, expected and seen', async () => {
    const spend = nth('spend', 1)
    const { breaches } = await ofStatements(without(nth('accept')))
    expect(breaches.find(({ rule }) => rule === 'spend.accepted')).toMatchObject({
      entry: { index: 15, type: 'spend' },
      expected: 'the Accepts of all data owners before it',
      seen: 'none of north',
    })
    expect(spend.type).toBe('spend')
  })

  it('finds two Spends with one number, and names both', async () => {
    const spend = nth('spend', 2)
    const twin = await resigned(made, spend, { sequence: 1, previous: null })
    const { breaches } = await ofStatements((all) => [...all, twin])
    const found = breaches.find(({ rule }) => rule === 'spend.numbers')
    expect(found?.seen).toContain(nth('spend').statement.id)
    expect(found?.seen).toContain(twin.statement.id)
  })

  it('finds a second KeyRelease with other bytes for one run, dataset and place', async () => {
    const release = nth('key-release')
    const twin = await resigned(made, release, {})
    const { breaches } = await ofStatements((all) => [...all, twin])
    const found = breaches.find(({ rule }) => rule === 'release.once')
    expect(found?.seen).toContain(release.statement.id)
    expect(found?.seen).toContain(twin.statement.id)
  })

  const changed: readonly [what: () => MadeStatement, change: object, rule: string][] = [
    [() => nth('run-request'), { computation: 'other' }, 'computation.known'],
    [() => nth('run-request'), { expiresAt: '2020-01-01T00:00:00.000Z' }, 'request.unexpired'],
    [() => nth('approval'), { expiresAt: '2020-01-01T00:00:00.000Z' }, 'approver.unexpired'],
    [() => nth('accept'), { evidence: ['0'.repeat(64)] }, 'accept.offered'],
    [() => nth('accept'), { manifests: ['0'.repeat(64)] }, 'accept.offered'],
    [() => nth('accept'), { expiresAt: '2030-01-01T00:00:00.000Z' }, 'accept.offered'],
    [() => nth('spend'), { sequence: 2 }, 'spend.numbers'],
    [() => nth('spend'), { previous: '0'.repeat(64) }, 'spend.previous'],
    [() => nth('spend', 2), { previous: '0'.repeat(64) }, 'spend.previous'],
    [() => nth('spend', 2), { total: { runs: 1, rows: 0, epsilonMicro: 0, deltaPico: 0 } }, 'spend.totals'],
    [() => nth('spend'), { amounts: { runs: 0, rows: 0, epsilonMicro: 0, deltaPico: 0 } }, 'spend.oneRun'],
    [() => nth('spend'), { total: { runs: 1, rows: 0, epsilonMicro: 1, deltaPico: 0 } }, 'spend.budget'],
    [() => nth('spend'), { dataset: 'values' }, 'spend.accepted'],
    [() => nth('key-release'), { manifest: '0'.repeat(64) }, 'release.spent'],
    [() => nth('key-release'), { spend: '0'.repeat(64) }, 'release.spent'],
    [() => nth('key-release'), { offer: '0'.repeat(64) }, 'release.accepted'],
    [() => nth('key-release'), { issuedAt: '2026-11-23T13:00:00.000Z' }, 'release.accepted'],
    [() => nth('key-release'), { place: 1 }, 'release.accepted'],
    [() => nth('manifest'), { sequence: 2 }, 'manifest.chain'],
    [() => nth('manifest'), { dataset: 'values' }, 'manifest.chain'],
    [() => nth('fetch'), { output: 'other' }, 'fetch.recipient'],
    [() => nth('fetch'), { issuedAt: '2026-11-22T12:00:00.000Z' }, 'time.run'],
    [() => nth('manifest'), { issuedAt: '2026-11-22T12:00:00.000Z' }, 'time.contract'],
    [() => nth('spend'), { log: 'log.other/1' }, 'record.log'],
  ]
  it.each(changed)('finds what a party signed otherwise (%#)', async (what, change, rule) => {
    const old = what()
    expect(rulesOf(await ofStatements(replaced(old, await resigned(made, old, change))))).toContain(rule)
  })

  it('names the Accept that rests on evidence which does not hold, and no other', async () => {
    const blamed = async (count: number) => {
      const accept = nth('accept', count)
      const late = await resigned(made, accept, { issuedAt: '2026-11-23T13:00:00.000Z' })
      const { breaches } = await ofStatements(replaced(accept, late))
      return breaches.filter(({ rule }) => rule === 'accept.evidence').map(({ entry }) => entry?.index ?? -1)
    }
    const [first = expect.fail('none is blamed'), ...others] = await blamed(0)
    expect(others).toEqual([])
    expect(await blamed(1)).toEqual([first + 1])
  })

  it('finds Spends that no checkpoint had before a key was released', async () => {
    const { checkpoints } = made
    const [spends] = checkpoints
    const report = await auditOf(
      await shownRecord({ ...made, checkpoints: checkpoints.filter((checkpoint) => checkpoint !== spends) }),
    )
    expect(rulesOf(report)).toEqual(['release.recorded'])
  })

  it('finds output keys whose Receipt was in no checkpoint that the quorum cosigned', async () => {
    const { checkpoints, parties } = made
    const lonely = checkpoints.map((checkpoint, at) =>
      at === 1 ? { ...checkpoint, cosigners: [parties.north] } : checkpoint,
    )
    const report = await auditOf(await shownRecord({ ...made, checkpoints: lonely }))
    expect(rulesOf(report)).toEqual(expect.arrayContaining(['output-keys.recorded', 'receipt.recorded']))
  })

  it('counts only witnesses that the contract names', async () => {
    const { checkpoints, parties } = made
    const { watch, north, south, lab } = parties
    const swapped = checkpoints.map((checkpoint) => ({
      ...checkpoint,
      cosigners: checkpoint.cosigners.map((party) => (party === watch ? lab : party)),
    }))
    expect(swapped[0]?.cosigners).toEqual([north, south, lab])
    expect(rulesOf(await auditOf(await shownRecord({ ...made, checkpoints: swapped })))).toContain(
      'output-keys.recorded',
    )
  })

  it('accuses nobody of what rests on a body that was not shown, whatever its kind', async () => {
    for (const type of new Set(
      made.made.map((one) => one.type).filter((one) => one !== 'nonce' && one !== 'identity'),
    )) {
      const report = await auditOf(await shownRecord(made, (one) => one !== nth(type)))
      expect([type, report.breaches]).toEqual([type, []])
      expect([type, report.established]).toEqual([type, false])
    }
    const { north } = made.parties
    const identities = honest.identities.filter(({ thumbprint }) => thumbprint !== north.thumbprint)
    const report = await auditOf({ ...honest, identities })
    expect(report).toMatchObject({ established: false, breaches: [] })
  })

  it('says what it was not shown, and claims nothing that rests on it', async () => {
    const hidden = nth('accept')
    const report = await auditOf(await shownRecord(made, (one) => one !== hidden))
    expect(report.breaches).toEqual([])
    expect(report.established).toBe(false)
    expect(report.gaps.map(({ rule }) => rule)).toContain('record.shown')
    expect(report.gaps.find(({ rule }) => rule === 'spend.accepted')?.why).toContain('was not shown')
  })
})

describe('the tree', () => {
  const retold = (change: (shown: ShownRecord) => Partial<ShownRecord>) =>
    auditOf({ ...honest, ...change(honest) })

  it('that the log signed twice at one size is proof, by root', async () => {
    const other = await shownRecord({ ...made, made: moved(nth('fetch'), nth('start'))([...made.made]) })
    const report = await retold(({ checkpoints }) => ({
      checkpoints: [...checkpoints, ...other.checkpoints],
    }))
    const found = report.breaches.find(({ rule }) => rule === 'log.oneTree')
    expect(found?.seen).toContain('proof that it misbehaved')
  })

  it('names a witness that cosigned two views, and not one that cosigned a fork alone', async () => {
    const other = await shownRecord({ ...made, made: moved(nth('fetch'), nth('start'))([...made.made]) })
    const report = await retold(({ checkpoints }) => ({
      checkpoints: [...checkpoints, ...other.checkpoints],
    }))
    const named = report.breaches
      .filter(({ rule }) => rule === 'witness.oneView')
      .map(({ expected }) => expected)
    expect(new Set(named)).toEqual(
      new Set(['north', 'south', 'watch'].map((who) => `one view of the log by ${who}`)),
    )
    const { parties, checkpoints } = made
    const only = checkpoints.map((checkpoint) => ({
      ...checkpoint,
      cosigners: checkpoint.cosigners.filter((party) => party !== parties.watch),
    }))
    const cosigned = await shownRecord({ ...made, checkpoints: only })
    const victim = await auditOf({
      ...cosigned,
      checkpoints: [...cosigned.checkpoints, ...other.checkpoints],
    })
    expect(
      victim.breaches.filter(({ rule }) => rule === 'witness.oneView').map(({ expected }) => expected),
    ).not.toContain('one view of the log by watch')
  })

  it('must be whole under the newest checkpoint, and a checkpoint over all of it must be there', async () => {
    expect(rulesOf(await retold(({ leaves }) => ({ leaves: leaves.slice(0, -1) })))).toContain('log.whole')
    expect(rulesOf(await retold(({ checkpoints }) => ({ checkpoints: checkpoints.slice(0, -1) })))).toEqual([
      'log.whole',
    ])
  })

  it('is held against the auditor’s own view', async () => {
    const own = new Map([['0'.repeat(64), 3]])
    const { breaches } = await auditOf(honest, { ownPlaces: own })
    expect(breaches).toMatchObject([{ rule: 'log.ownView', entry: { index: 3 } }])
  })

  it('any single entry dropped, doubled or moved is found, by a root that does not fit', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom('drop', 'double', 'move', 'exchange'),
      fc.nat(37),
      fc.nat(36),
      async (how, at, to) => {
        const leaves = [...honest.leaves]
        const [taken = ''] = how === 'double' ? [leaves[at] ?? ''] : leaves.splice(at, 1)
        const place = to >= at ? to + 1 : to
        if (how === 'double') leaves.splice(place, 0, taken)
        if (how === 'move') leaves.splice(place, 0, taken)
        if (how === 'exchange') leaves.splice(at, 0, taken.replace(/"digest":"./, '"digest":"0'))
        fc.pre(leaves.join() !== honest.leaves.join())
        const report = await retold(() => ({ leaves }))
        expect(report.holds).toBe(false)
        expect(rulesOf(report).some((rule) => rule.startsWith('log.'))).toBe(true)
      },
    )
    await fc.assert(property, { numRuns: slow ? 500 : 40 })
  })

  it('a body exchanged for another, altered or withheld never goes unnoticed', async () => {
    const property = fc.asyncProperty(
      fc.nat(honest.statements.length - 1),
      fc.constantFrom('withhold', 'alter', 'retype'),
      async (at, how) => {
        const statements = [...honest.statements]
        const [taken] = statements.splice(at, 1)
        if (taken === undefined) return
        fc.pre(taken.type !== 'nonce')
        if (how === 'alter')
          statements.push({
            ...taken,
            statement: taken.statement.replace(/.{4}$/, (end) => (end.startsWith('A') ? 'BAAA' : 'AAAA')),
          })
        if (how === 'retype') statements.push({ ...taken, type: taken.type === 'spend' ? 'accept' : 'spend' })
        const report = await retold(() => ({ statements }))
        expect(report.holds && report.established).toBe(false)
      },
    )
    await fc.assert(property, { numRuns: slow ? 500 : 40 })
  })
})
