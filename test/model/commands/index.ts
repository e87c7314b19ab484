import fc from 'fast-check'
import type { Act } from './act.js'
import * as claims from './claims.js'
import * as clocks from './clocks.js'
import * as crashes from './crashes.js'
import * as log from './log.js'
import * as messages from './messages.js'
import * as runs from './runs.js'

const { withdraw, ...honest } = runs
const { rollBack, doubleEntry, ...splits } = log

/**
 * Everything that may happen. What brings runs forward stands in it several times, or few sequences would come to a release; what
 * ends everything for good, as data that is withdrawn or a log that split, is drawn seldom.
 */
export const commands: fc.Arbitrary<Act>[] = [
  ...Object.values(honest),
  fc.oneof({ weight: 3, arbitrary: honest.look }, { weight: 1, arbitrary: withdraw }),
  ...Object.values(messages),
  ...Object.values(claims),
  rollBack,
  doubleEntry,
  fc.oneof(...Object.values(splits)),
  ...Object.values(crashes),
  ...Object.values(clocks),
  ...Array<fc.Arbitrary<Act>>(6).fill(honest.turns),
  ...Array<fc.Arbitrary<Act>>(10).fill(honest.play),
  ...Array<fc.Arbitrary<Act>>(8).fill(honest.calm),
  ...Array<fc.Arbitrary<Act>>(3).fill(crashes.rewind),
]
