import { AttestationError, type AttestationErrorCode, type AttestationStage } from './errors.js'

/** One comparison that a verdict rests on, for people who ask why. */
export interface Check {
  readonly stage: AttestationStage
  /** Wire name of the field or claim. */
  readonly check: string
  readonly expected: string
  readonly seen: string
  readonly ok: boolean
}

/** A check with what its failure means. */
export interface Demand extends Check {
  readonly code: AttestationErrorCode
}

/** Collects the checks of one verdict; the first that fails ends it, and the error carries them all. */
export class Checklist {
  readonly #checks: Check[] = []

  /** The checks made so far. */
  get checks(): readonly Check[] {
    return [...this.#checks]
  }

  /** @throws AttestationError with `demand.code` where the check is not ok. */
  demand({ code, ...check }: Demand): void {
    this.#checks.push(Object.freeze(check))
    if (check.ok) return
    throw new AttestationError(code, `${check.check} is ${check.seen}; expected ${check.expected}`, {
      stage: check.stage,
      field: check.check,
      checks: this.checks,
    })
  }
}
