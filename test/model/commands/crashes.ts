/** Processes end at any step; disks come back from backups. */
import fc from 'fast-check'
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

export const backup = anOwner.map((owner) =>
  act('backup', [owner], (world) => {
    world.owners[owner].backup()
  }),
)

export const restore = fc.tuple(anOwner, fc.nat({ max: 3 })).map(([owner, which]) =>
  act('restore', [owner, which], async (world) => {
    await world.owners[owner].restore(which)
    world.owners[owner].start()
  }),
)

/** A backup comes back while the coordinator says that nothing has happened yet in a run. */
export const restoreAndRepeat = fc.tuple(anOwner, fc.nat({ max: 3 }), aRun).map(([owner, which, back]) =>
  act('restoreAndRepeat', [owner, which, back], async (world) => {
    const run = world.runAt(back)
    await world.owners[owner].restore(which)
    world.owners[owner].start()
    if (run !== undefined) world.keeper.again(run, true)
  }),
)

export const killWorker = fc.boolean().map((noticed) =>
  act('killWorker', [noticed], (world) => {
    const worker = world.workers.at(-1)
    worker?.kill()
    if (worker !== undefined && noticed) world.keeper.workerLost(worker.run, worker.name)
  }),
)
