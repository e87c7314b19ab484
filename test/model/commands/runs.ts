/** What honest people and programs do. */
import fc from 'fast-check'
import type { RunState } from '#libs/protocol'
import { act, anOwner, aRun } from './act.js'

export const request = fc.constant(
  act('request', [], async (world) => {
    await world.request()
  }),
)

export const approve = aRun.map((back) =>
  act('approve', [back], async (world) => {
    const run = world.runAt(back)
    if (run !== undefined) await world.approve(run)
  }),
)

const states: fc.Arbitrary<RunState> = fc.constantFrom(
  'collectingAccepts',
  'collectingSpends',
  'recordingSpends',
  'collectingReleases',
  'recordingReceipt',
  'completed',
)

/** A run asked for, approved, and played up to a state: most sequences must come far to prove anything. */
export const play = states.map((state) =>
  act('play', [state], async (world) => {
    const run = await world.request()
    await world.approve(run)
    await world.playUntil(run, state)
  }),
)

export const turns = fc.integer({ min: 1, max: 5 }).map((count) =>
  act('turns', [count], async (world) => {
    for (let i = 0; i < count; i++) await world.turn()
  }),
)

export const calm = fc.constant(act('calm', [], (world) => world.calm()))

export const look = anOwner.map((owner) => act('look', [owner], (world) => world.owners[owner].look()))

export const work = fc.constant(
  act('work', [], async (world) => {
    for (const worker of world.workers) await worker.look()
  }),
)

export const renewIdentity = anOwner.map((owner) =>
  act('renewIdentity', [owner], (world) => world.renew(owner)),
)

export const withdraw = anOwner.map((owner) => act('withdraw', [owner], (world) => world.withdraw(owner)))
