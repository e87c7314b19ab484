import fc from 'fast-check'
import { owners } from '../cast.js'
import type { Viewer } from '../shown.js'
import type { World } from '../world.js'

/** The model is what must hold, not a second world: it is in invariants.ts, and is asked after every step. */
export type Model = Readonly<Record<string, never>>
export type Act = fc.AsyncCommand<Model, World>

/** One act with its arguments, as a sequence prints it. */
export function act(name: string, args: readonly unknown[], play: (world: World) => unknown): Act {
  return {
    check: () => true,
    run: async (_model, world) => {
      await Promise.resolve(play(world))
      await world.invariants.check()
    },
    toString: () => `${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`,
  }
}

export const anOwner = fc.constantFrom(...owners)
export const aViewer: fc.Arbitrary<Viewer> = fc.constantFrom('north', 'south', 'worker')
/** Which run is meant, counted from the newest. */
export const aRun = fc.nat({ max: 2 })
