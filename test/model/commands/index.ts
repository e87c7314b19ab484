import type fc from 'fast-check'
import type { Act } from './act.js'
import * as claims from './claims.js'
import * as clocks from './clocks.js'
import * as crashes from './crashes.js'
import * as log from './log.js'
import * as messages from './messages.js'
import * as runs from './runs.js'

/** Everything that may happen. What brings runs forward stands in it several times, or few sequences would come to a release. */
export const commands: fc.Arbitrary<Act>[] = [
  ...Object.values(runs),
  ...Object.values(messages),
  ...Object.values(claims),
  ...Object.values(log),
  ...Object.values(crashes),
  ...Object.values(clocks),
  ...Array<fc.Arbitrary<Act>>(8).fill(runs.turns),
  ...Array<fc.Arbitrary<Act>>(5).fill(runs.play),
  ...Array<fc.Arbitrary<Act>>(3).fill(messages.showAll),
  ...Array<fc.Arbitrary<Act>>(2).fill(crashes.restart),
  ...Array<fc.Arbitrary<Act>>(2).fill(crashes.backup),
]
