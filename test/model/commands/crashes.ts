/** Processes end at any step; disks come back from backups. */
import fc from 'fast-check'
import { backupsKept } from '../owner.js'
import type { Rewind } from '../world.js'
import { act, anOwner, aRun } from './act.js'

const when = fc.constantFrom('before' as const, 'after' as const)

/** At the write or message after so many, before or after it took effect. */
export const crash = fc.tuple(anOwner, fc.nat({ max: 25 }), when).map(([owner, after, side]) =>
  act('crash', [owner, after, side], (world) => {
    world.owners[owner].crashAt({ after, when: side })
  }),
)

export const restart = anOwner.map((owner) =>
  act('restart', [owner], (world) => {
    world.owners[owner].stop()
    world.owners[owner].start()
  }),
)

const back = fc.nat({ max: backupsKept - 1 })

export const restore = fc
  .tuple(anOwner, back)
  .map(([owner, looks]) => act('restore', [owner, looks], (world) => world.owners[owner].restore(looks)))

export const rewind = fc
  .record<Rewind>({
    owner: anOwner,
    looks: back,
    run: aRun,
    blind: fc.integer({ min: 1, max: 4 }),
    flickers: fc.constantFrom(null, 'shortFirst', 'wholeFirst'),
  })
  .map((how) => act('rewind', [how], (world) => world.rewind(how)))

export const killWorker = fc.boolean().map((noticed) =>
  act('killWorker', [noticed], (world) => {
    const worker = world.workers.at(-1)
    worker?.kill()
    if (worker !== undefined && noticed) world.keeper.workerLost(worker.run, worker.name)
  }),
)
