/**
 * The whole protocol against whatever may happen to it, in sequences that fast-check draws and makes shorter when one fails.
 *
 * A failure prints seed, path and replayPath. To play just that sequence again:
 * `MODEL_SEED=… MODEL_PATH=… MODEL_REPLAY=… npx vitest run test/model`. Longer and more: `SLOW=1`, or `MODEL_RUNS` and `MODEL_LENGTH`.
 */
import fc from 'fast-check'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { ClientError } from '#libs/client'
import { owners, parsedQuery } from './cast.js'
import { commands } from './commands/index.js'
import { config } from './config.js'
import { World, type Hurry } from './world.js'

let tree: unknown

/** Every way to hurry output keys. */
const hurries = (['theLog', 'spendsCheckpoint', 'receiptLeftOut'] as const).flatMap((shown) =>
  [[], ['north'], ['south'], ['north', 'south']]
    .map((cosigners): Hurry => ({ shown, cosigners: cosigners as Hurry['cosigners'] }))
    // A Receipt in the log that every owner has cosigned is recorded.
    .filter(({ cosigners }) => shown !== 'theLog' || cosigners.length < owners.length),
)

beforeAll(async () => {
  tree = await parsedQuery()
})

describe('the protocol', () => {
  it('brings an honest run to its end', async () => {
    const world = await World.begin(tree)
    await world.approve(await world.request())
    for (let i = 0; i < 10; i++) await world.turn()
    await world.invariants.check()
    expect(world.invariants.counts).toEqual({ releases: 2, completed: 1, refusals: 0 })
  })

  it('has an owner catch up after its start as soon as the others have cosigned, before a run asks', async () => {
    const world = await World.begin(tree)
    const { north, south } = world.owners
    north.stop()
    world.cast.clock.advance(2000)
    north.start()
    await north.look()
    expect(north.isCaughtUp).toBe(false)
    await south.look()
    await north.look()
    expect(north.isCaughtUp).toBe(true)
  })

  it('has an owner act at once where the coordinator was away in the midst of its look', async () => {
    const world = await World.begin(tree)
    const { north } = world.owners
    const run = await world.request()
    await world.approve(run)
    await world.playUntil(run, 'awaitingWorker')
    await world.reserve(run)
    const { record } = world.keeper.run(run)
    expect([record.state, record.nonces]).toEqual(['collectingNonces', {}])
    vi.spyOn(world.keeper, 'runView').mockImplementationOnce(() => {
      throw new ClientError('COORDINATOR_UNREACHABLE', 'away')
    })
    await north.look(false)
    expect(world.keeper.run(run).record.nonces).toEqual({})
    await north.look(false)
    expect(Object.keys(world.keeper.run(run).record.nonces)).toEqual([north.party.thumbprint])
  })

  it.each(hurries)('gives no output keys where %j', async (hurry) => {
    const world = await World.begin(tree)
    await world.hurryOutputKeys(hurry)
    await world.invariants.check()
    expect(world.invariants.counts).toEqual({ releases: 2, completed: 0, refusals: 0 })
  })

  it('makes no second KeyRelease where a crash comes between writing and sending it', async () => {
    // Wherever in the look that releases the process ends: before or after each of its writes and messages.
    for (let after = 0; after < 6; after++)
      for (const when of ['before', 'after'] as const) {
        const world = await World.begin(tree)
        const run = await world.request()
        await world.approve(run)
        await world.playUntil(run, 'collectingReleases')
        world.owners.north.crashAt({ after, when })
        await world.owners.north.look()
        await world.calm()
        await world.playUntil(run, 'completed')
        await world.invariants.check()
        expect(world.invariants.counts.releases).toBe(2)
      }
  })

  it.each([
    ['makes no second Spend or KeyRelease for an owner that is rewound', [null]],
    [
      'makes no second Spend or KeyRelease for an owner that is rewound under a log that flickers',
      ['shortFirst', 'wholeFirst'],
    ],
  ] as const)('%s', async (_title, flickering) => {
    for (const flickers of flickering)
      for (let looks = 0; looks < 6; looks++) {
        const world = await World.begin(tree)
        const run = await world.request()
        await world.approve(run)
        await world.playUntil(run, 'completed')
        await world.rewind({ owner: 'north', looks, run: 0, blind: 3, flickers })
        await world.invariants.check()
        expect(world.invariants.counts.completed).toBe(1)
      }
  })

  it(
    'keeps its invariants whatever coordinator, hosts, disks and clocks do, and works again once they are honest',
    async () => {
      const reached = { sequences: 0, released: 0, completed: 0, refused: 0, recovered: 0, split: 0 }
      const property = fc.asyncProperty(
        fc.commands(commands, {
          maxCommands: config.length,
          size: 'max',
          ...(config.replayPath === undefined ? {} : { replayPath: config.replayPath }),
        }),
        async (sequence) => {
          let world: World | undefined
          await fc.asyncModelRun(
            async () => ({ model: {}, real: (world = await World.begin(tree)) }),
            sequence,
          )
          if (world === undefined) return
          const { releases, completed, refusals } = world.invariants.counts
          reached.sequences++
          if (releases > 0) reached.released++
          if (completed > 0) reached.completed++
          if (refusals > 0) reached.refused++
          const end = await world.finale()
          if (end === 'completed') reached.recovered++
          if (end === 'split') reached.split++
        },
      )
      const seed = config.seed ?? Date.now() & 0x7fffffff
      console.info(`model: MODEL_SEED=${seed}`)
      await fc.assert(property, {
        seed,
        numRuns: config.runs,
        ...(config.path === undefined ? {} : { path: config.path }),
      })
      console.info(`model: ${JSON.stringify(reached)}`)
      if (config.path !== undefined) return
      // Else all of this would hold of a protocol in which nothing happens.
      expect(reached.released).toBeGreaterThan(0)
      expect(reached.completed).toBeGreaterThan(0)
      expect(reached.recovered).toBeGreaterThan(0)
    },
    config.runs * 60_000,
  )
})
