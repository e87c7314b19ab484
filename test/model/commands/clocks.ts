/** Time passes, and clocks are wrong. */
import fc from 'fast-check'
import { act, anOwner } from './act.js'

/** Days; most often none, so that sequences come far. */
const days = fc.constantFrom(0, 0, -3, -1, 1, 3)

export const setClock = fc.tuple(anOwner, days).map(([owner, ahead]) =>
  act('setClock', [owner, ahead], (world) => {
    world.owners[owner].skewDays = ahead
  }),
)

/** Of the machine on which the next workers run; it may be any. */
export const setHostClock = fc.integer({ min: -(10 ** 13), max: 10 ** 13 }).map((milliseconds) =>
  act('setHostClock', [milliseconds], (world) => {
    world.hostClock = milliseconds
  }),
)

export const pass = fc
  .constantFrom(1, 5, 30, 65, 130, 600)
  .map((seconds) => act('pass', [seconds], (world) => world.pass(seconds)))
