/** What a coordinator says of a run and of keys that is not so. */
import fc from 'fast-check'
import { signingKeyFromSeed } from '#libs/canonical'
import type { RunState } from '#libs/protocol'
import { aParty, seededBytes } from '#libs/testing'
import { otherMeasurement } from '../../adversary/stage/offer-of.js'
import { owners } from '../cast.js'
import { forgeries } from '../forged-offer.js'
import type { Hurry } from '../world.js'
import { act, anOwner, aRun } from './act.js'

const states: fc.Arbitrary<RunState> = fc.constantFrom(
  'awaitingOwners',
  'collectingNonces',
  'collectingAccepts',
  'collectingSpends',
  'recordingSpends',
  'collectingReleases',
  'running',
  'awaitingOutputKeys',
)

export const claimState = fc.tuple(aRun, states).map(([back, state]) =>
  act('claimState', [back, state], async (world) => {
    const run = world.runAt(back)
    if (run === undefined) return
    world.keeper.claim(run, state)
    for (const worker of world.workers) await worker.look()
    for (const owner of world.everyOwner) await owner.look()
  }),
)

/** Says of a run whose Receipt is not recorded that its output keys may be given. */
export const hurryOutputKeys = fc
  .record<Hurry>({
    cosigners: fc.subarray([...owners]),
    shown: fc.constantFrom('theLog', 'spendsCheckpoint', 'receiptLeftOut'),
  })
  // A Receipt in the log that every owner has cosigned is recorded.
  .filter(({ cosigners, shown }) => shown !== 'theLog' || cosigners.length < owners.length)
  .map((hurry) => act('hurryOutputKeys', [hurry], (world) => world.hurryOutputKeys(hurry)))

/** Says that the worker is dead, and wants all of a round again from another one. */
export const again = fc.tuple(aRun, fc.boolean()).map(([back, forget]) =>
  act('again', [back, forget], (world) => {
    const run = world.runAt(back)
    if (run !== undefined) world.keeper.again(run, forget)
  }),
)

/** A run whose worker's Offer is exchanged on its way for one whose keys the coordinator has. */
export const exchangeOffer = fc.constantFrom(...forgeries).map((forgery) =>
  act('exchangeOffer', [forgery], async (world) => {
    const options = {
      stranger: { simulator: await signingKeyFromSeed(seededBytes('stranger')(32)) },
      otherBuild: { report: { measurement: otherMeasurement } },
      old: { report: { issuedAt: world.cast.clock.now() - 3_600_000 } },
      otherNonces: {},
      otherRun: { change: { run: 'ab'.repeat(32) } },
      borrowed: {},
    }[forgery]
    await world.playExchanged(forgery, options)
  }),
)

/** A party's keys, as somebody shows them who has not got its consent key. */
export const swapIdentity = fc.tuple(anOwner, anOwner).map(([viewer, victim]) =>
  act('swapIdentity', [viewer, victim], async (world) => {
    const impostor = await aParty(`in the name of ${victim}`, { clock: world.cast.clock })
    const { thumbprint } = world.owners[victim].party
    world.keeper.shown.to(viewer).identities = world.keeper.identities.map((known) =>
      known.thumbprint === thumbprint
        ? { thumbprint, statements: [...known.statements, impostor.identity.jws] }
        : known,
    )
  }),
)
