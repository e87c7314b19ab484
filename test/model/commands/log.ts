/** What a coordinator does to its log: two histories, a shorter one, one with a gap, one with something slipped in. */
import fc from 'fast-check'
import type { HostileLog } from '../../adversary/stage/hostile-log.js'
import type { Viewer } from '../shown.js'
import type { World } from '../world.js'
import { act, aViewer } from './act.js'

const depth = fc.integer({ min: 1, max: 6 })
const slipped = { digest: 'ab'.repeat(32) }
const nobody = { secret: null, signer: 'nobody', run: null }

/** Another history, with something in it that the true one has not. */
export const fork = fc.tuple(aViewer, depth).map(([viewer, back]) =>
  act('fork', [viewer, back], (world) => {
    const log = world.keeper.log.fork(placed(world, back))
    log.append('denial', slipped, nobody)
    show(world, viewer, log)
  }),
)

/** Yesterday's database, shown to everybody, and gone on with. */
export const restoreDatabase = depth.map((back) =>
  act('restoreDatabase', [back], (world) => {
    const log = world.keeper.log.fork(placed(world, back))
    for (const viewer of ['north', 'south', 'worker'] as const) show(world, viewer, log)
  }),
)

/** Only the beginning of the log. */
export const rollBack = fc.tuple(aViewer, depth).map(([viewer, back]) =>
  act('rollBack', [viewer, back], (world) => {
    world.keeper.shown.to(viewer).size = placed(world, back)
  }),
)

export const hideEntry = fc.tuple(aViewer, depth).map(([viewer, back]) =>
  act('hideEntry', [viewer, back], (world) => {
    show(world, viewer, world.keeper.log.without(placed(world, back)))
  }),
)

export const backDate = fc.tuple(aViewer, depth).map(([viewer, back]) =>
  act('backDate', [viewer, back], (world) => {
    show(world, viewer, world.keeper.log.backdated(placed(world, back), 'denial', slipped, nobody))
  }),
)

/** For everybody: the log says something twice. That is clumsy, and no lie. */
export const doubleEntry = depth.map((back) =>
  act('doubleEntry', [back], (world) => {
    world.keeper.log.double(placed(world, back))
  }),
)

function placed(world: World, back: number): number {
  return world.keeper.log.size() - back
}

function show(world: World, viewer: Viewer, log: HostileLog): void {
  world.keeper.shown.fork(viewer, log)
}
