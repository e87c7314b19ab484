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

/** Words for a flag. */
export const onOff = (flag: boolean): string => (flag ? 'on' : 'off')

/** Demands one claim while evidence is appraised; `POLICY` unless its failure has a code of its own. */
export type ClaimDemand = (
  check: string,
  expected: string,
  seen: string,
  ok: boolean,
  code?: AttestationErrorCode,
) => void

/** Collects the checks of one verdict; the first that fails ends it, and the error carries them all. */
export class Checklist {
  readonly #checks: Check[] = []

  /** The checks made so far. */
  get checks(): readonly Check[] {
    return [...this.#checks]
  }

  /** Records what was compared and held: its failure would have been thrown where it was compared, by the code that authenticates. */
  held(check: Omit<Check, 'ok'>): void {
    this.#checks.push(Object.freeze({ ...check, ok: true }))
  }

  /** Demands of one appraisal. */
  get ofClaims(): ClaimDemand {
    return (check, expected, seen, ok, code = 'POLICY') => {
      this.demand({ stage: 'appraise', check, expected, seen, ok, code })
    }
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
