/**
 * What the worker says about itself: one JSON line per step on standard error. The host reads it, so a line holds step names, digests
 * and codes only; the type admits nothing else, and no step that depends on opened data is timed or counted.
 */
import type { Digest } from '#libs/canonical'

/** Every step that may be named, in the order of execute-run.ts. */
export type Step =
  | 'registered'
  | 'assigned'
  | 'job-verified'
  | 'round'
  | 'offered'
  | 'released'
  | 'started'
  | 'receipt'
  | 'recorded'
  | 'output-keys'
  | 'ended'

/** Names of things that everybody who may see the log can see. */
export interface StepFacts {
  readonly run?: Digest
  readonly contract?: Digest
  readonly round?: number
  readonly statement?: Digest
  readonly code?: string
  readonly measurement?: string
}

export type Journal = (step: Step, facts?: StepFacts) => void

/** A journal that writes lines; every line of a simulated worker says so. */
export function lineJournal(write: (line: string) => void, simulated: boolean): Journal {
  return (step, facts = {}) => {
    write(`${JSON.stringify({ step, ...facts, ...(simulated ? { tee: 'SIMULATED TEE' } : {}) })}\n`)
  }
}
