import { beforeAll, describe, expect, it } from 'vitest'
import type { StatementType } from '#libs/canonical'
import type { RunState } from '#libs/protocol'
import { parsedQuery, type OwnerLabel } from '../model/cast.js'
import { World } from '../model/world.js'
import type { HostileLog } from './stage/hostile-log.js'

let tree: unknown

beforeAll(async () => {
  tree = await parsedQuery()
})

const slipped = { digest: 'ab'.repeat(32) }
const nobody = { secret: null, signer: 'nobody', run: null }

/** Two owners' daemons, the worker and an honest coordinator, with a run brought to a state. */
async function runUntil(state: RunState): Promise<{ world: World; run: string }> {
  const world = await World.begin(tree)
  const run = await world.request()
  await world.approve(run)
  for (let i = 0; i < 12 && world.keeper.run(run).record.state !== state; i++) await world.turn()
  expect(world.keeper.run(run).record.state).toBe(state)
  return { world, run }
}

function said(world: World, type: StatementType): number {
  return new Set(world.keeper.heard.filter((one) => one.type === type).map(({ jws }) => jws)).size
}

/** Whether an owner's daemon has told that the log shows two trees. */
function foundOut(world: World, label: OwnerLabel): boolean {
  const codes = ['LOG_MISBEHAVED', 'FORK', 'CONSISTENCY_BROKEN']
  return world.owners[label].reports.some(({ code }) => codes.includes(String(code)))
}

/** Invariant 6, over the daemons of all owners: each of them that is shown another log finds it at its next checkpoint. */
describe('a coordinator that changes what an owner has read', () => {
  const lies: Readonly<Record<string, (log: HostileLog) => HostileLog>> = {
    'by an entry that it hides': (log) => log.without(log.size() - 2),
    'by an entry that it slips in before others': (log) =>
      log.backdated(log.size() - 2, 'denial', slipped, nobody),
    'by a fork': (log) => {
      const fork = log.fork(log.size() - 1)
      fork.append('denial', slipped, nobody)
      return fork
    },
    'by yesterday’s database': (log) => log.fork(log.size() - 3),
    'by an entry that it doubles': (log) => {
      const fork = log.fork(log.size() - 1)
      fork.double(fork.size() - 1)
      return fork
    },
  }
  for (const victims of [['north'], ['south'], ['north', 'south']] as const)
    it.each(Object.entries(lies))(`%s is found out by ${victims.join(' and ')}`, async (_, lie) => {
      const { world } = await runUntil('completed')
      world.keeper.demandCosignatures()
      for (const owner of world.everyOwner) await owner.look()
      const before = world.keeper.heard.length
      const log = lie(world.keeper.log)
      for (const victim of victims) world.keeper.shown.fork(victim, log)
      await world.approve(await world.request())
      for (const victim of victims) await world.owners[victim].look()
      for (const victim of victims) expect(foundOut(world, victim)).toBe(true)
      for (let i = 0; i < 8; i++) await world.turn()
      await world.invariants.check()
      const after = world.keeper.heard.slice(before).map(({ type }) => type)
      expect(after).not.toContain('spend')
      expect(after).not.toContain('key-release')
      for (const owner of world.everyOwner)
        if (!victims.some((victim) => victim === owner.label))
          expect(foundOut(world, owner.label)).toBe(false)
    })

  it('before the owner had read it, gets no key, and is found out when it shows what the others cosigned', async () => {
    const { world } = await runUntil('collectingSpends')
    const fork = world.keeper.log.fork(world.keeper.log.size())
    fork.append('denial', slipped, nobody)
    world.keeper.shown.fork('north', fork)
    for (let i = 0; i < 6; i++) await world.turn()
    expect(said(world, 'key-release')).toBe(0)
    world.keeper.shown.honest()
    await world.request()
    await world.request()
    for (let i = 0; i < 4; i++) await world.turn()
    expect(foundOut(world, 'north')).toBe(true)
    expect(said(world, 'key-release')).toBe(0)
    await world.invariants.check()
  })
})

describe('a coordinator that leaves an act out of its log', () => {
  it('gets no key when it is an owner’s Spend', async () => {
    const { world } = await runUntil('collectingSpends')
    world.keeper.doom('south', 'unlogged')
    for (let i = 0; i < 8; i++) await world.turn()
    expect(said(world, 'spend')).toBe(2)
    expect(said(world, 'key-release')).toBe(0)
  })

  it('gets no output keys when it is the Receipt, which it has handed to the recipient already', async () => {
    const { world, run } = await runUntil('collectingReleases')
    for (const owner of world.everyOwner) await owner.look()
    world.keeper.doom('worker', 'recorded')
    world.keeper.doom('worker', 'unlogged')
    await world.workers.at(-1)?.look()
    expect(said(world, 'receipt')).toBe(1)
    world.keeper.claim(run, 'awaitingOutputKeys')
    for (let i = 0; i < 6; i++) {
      await world.turn()
      await world.pass(20)
    }
    expect(world.workers.at(-1)?.ended?.code).toMatch(/unrecorded|leaseLost/)
    expect(said(world, 'output-keys')).toBe(0)
  })

  it('gets no output keys for a Receipt that is logged and that no owner has cosigned', async () => {
    const { world, run } = await runUntil('collectingReleases')
    for (const owner of world.everyOwner) await owner.look()
    await world.workers.at(-1)?.look()
    world.keeper.claim(run, 'awaitingOutputKeys')
    for (let i = 0; i < 3; i++) await world.workers.at(-1)?.look()
    expect(said(world, 'receipt')).toBe(1)
    expect(said(world, 'output-keys')).toBe(0)
  })
})

/** Invariant 2: a worker that is said to be dead brings no second key, whether or not the coordinator shows what came before. */
describe.each([false, true])('a coordinator that plays a dead worker (forgetting what was: %s)', (forget) => {
  it.each(['collectingReleases', 'recordingReceipt', 'completed'] as const)(
    'gets no other key for a run that was %s',
    async (state) => {
      const { world, run } = await runUntil(state)
      if (state === 'collectingReleases') for (const owner of world.everyOwner) await owner.look()
      expect(said(world, 'key-release')).toBe(2)
      world.workers.at(-1)?.kill()
      world.keeper.again(run, forget)
      for (let i = 0; i < 10; i++) await world.turn()
      await world.invariants.check()
      expect([said(world, 'spend'), said(world, 'key-release')]).toEqual([2, 2])
    },
  )
})

describe('a coordinator that keeps an owner’s Withdrawal to itself', () => {
  it('cannot keep the run going beyond the lease, whose end names the owner', async () => {
    const { world } = await runUntil('collectingReleases')
    for (const owner of world.everyOwner) await owner.look()
    for (const viewer of ['north', 'worker'] as const)
      world.keeper.shown.to(viewer).withheld.add('withdrawal')
    await world.withdraw('south')
    await world.pass(100)
    await world.workers.at(-1)?.look()
    expect(world.workers.at(-1)?.ended).toMatchObject({
      code: 'leaseLost',
      owner: world.owners.south.party.thumbprint,
    })
    expect(said(world, 'start')).toBe(0)
    expect(said(world, 'output-keys')).toBe(0)
  })
})
