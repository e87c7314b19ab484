/** Processes end at any step; disks come back from backups. */
import fc from 'fast-check'
import { backupsKept } from '../owner.js'
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

/** Everything that came of an Accept. */
const later = ['spend', 'key-release', 'start', 'receipt', 'output-keys'] as const

/**
 * An owner comes back from a backup, and is shown the log and the run as they were then; after some looks it is shown all. Without
 * what an agent does after a start, it would spend and release again.
 */
export const rewind = fc
  .tuple(anOwner, back, aRun, fc.integer({ min: 1, max: 4 }))
  .map(([label, looks, run, blind]) =>
    act('rewind', [label, looks, run, blind], async (world) => {
      const owner = world.owners[label]
      const id = world.runAt(run)
      const backup = await owner.restore(looks)
      if (backup === null || id === undefined) return
      const lies = world.keeper.shown.to(label)
      lies.size = backup.logSize
      for (const type of later) lies.withheld.add(type)
      world.keeper.claim(id, 'collectingSpends')
      for (let i = 0; i < blind; i++) await owner.look()
      for (const type of later) lies.withheld.delete(type)
      lies.size = Infinity
      world.keeper.claim(id, 'collectingReleases')
      for (const one of world.everyOwner) await one.look()
      for (let i = 0; i < 2; i++) await owner.look()
    }),
  )

export const killWorker = fc.boolean().map((noticed) =>
  act('killWorker', [noticed], (world) => {
    const worker = world.workers.at(-1)
    worker?.kill()
    if (worker !== undefined && noticed) world.keeper.workerLost(worker.run, worker.name)
  }),
)
