import { ModelError } from './errors.js'
import { modelLimits } from './limits.js'

/**
 * How much of a file may still be read. Fields and numbers take a byte or two in the file and many in memory, so that the file's size
 * does not bound what reading it takes; each message has limits of its own, and this one holds for all of them together.
 */
export class Allowance {
  #fields = 0
  #numbers = 0

  /** @throws ModelError `LIMIT_EXCEEDED`. */
  spendField(place: string): void {
    if (++this.#fields > modelLimits.fields) throw exceeded(place, `${modelLimits.fields} fields`)
  }

  /** @throws ModelError `LIMIT_EXCEEDED`. */
  spendNumber(place: string): void {
    if (++this.#numbers > modelLimits.numbers) throw exceeded(place, `${modelLimits.numbers} whole numbers`)
  }
}

function exceeded(place: string, what: string): ModelError {
  return new ModelError('LIMIT_EXCEEDED', `up to here the model has more than ${what}`, {
    place,
    mend: 'make the model smaller, or keep its weights as raw data',
  })
}
