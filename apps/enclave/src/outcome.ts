/** All that leaves about a failure after Start: one word of a closed list. Everything else that an error says stays inside. */
import { ComputationError } from '#libs/computation'
import { EngineError, type EngineErrorCode } from '#libs/engine'
import { EnvelopeError } from '#libs/envelope'
import { ModelError } from '#libs/model'
import type { Outcome } from '#libs/protocol'
import { RuntimeError, type RuntimeErrorCode } from '#libs/runtime'

/** A failure of a run that has begun. Its cause is kept for nobody: no log line shows it. */
export class RunFailure extends Error {
  constructor(
    readonly outcome: Exclude<Outcome, 'completed'>,
    options?: ErrorOptions,
  ) {
    super(outcome, options)
    this.name = 'RunFailure'
  }
}

/** The outcome that a failure is told as. */
export function outcomeOf(error: unknown): Exclude<Outcome, 'completed'> {
  if (error instanceof RunFailure) return error.outcome
  if (error instanceof EngineError) return engineOutcomes[error.code]
  if (error instanceof ModelError) return 'modelRefused'
  if (error instanceof RuntimeError) return runtimeOutcomes[error.code]
  if (error instanceof ComputationError)
    return error.code === 'RESULT_TOO_LARGE' ? 'resultTooLarge' : 'engineFailed'
  if (error instanceof EnvelopeError && error.code === 'OPEN_FAILED') return 'inputUnreadable'
  return 'engineFailed'
}

const engineOutcomes = {
  SYNTAX: 'queryFailed',
  NOT_A_SELECT: 'queryFailed',
  QUERY_TOO_LARGE: 'queryFailed',
  QUERY_REFUSED: 'queryFailed',
  QUERY_FAILED: 'queryFailed',
  OUT_OF_MEMORY: 'outOfMemory',
  TIMED_OUT: 'timedOut',
  RESULT_TOO_LARGE: 'resultTooLarge',
  RESULT_TYPE_UNSUPPORTED: 'queryFailed',
  INPUT_INVALID: 'inputUnreadable',
  SCHEMA_MISMATCH: 'inputMismatch',
  BOUNDS_VIOLATED: 'inputMismatch',
  VALUE_MISSING: 'inputMismatch',
  UNIT_MISSING: 'inputMismatch',
  STATE_INVALID: 'engineFailed',
  REQUEST_INVALID: 'engineFailed',
  LOCK_FAILED: 'engineFailed',
  SANDBOX_UNAVAILABLE: 'engineFailed',
  MEMORY_FILE_FAILED: 'outOfMemory',
  CHILD_DIED: 'engineFailed',
} as const satisfies Record<EngineErrorCode, Exclude<Outcome, 'completed'>>

const runtimeOutcomes = {
  MODEL_NOT_LOADED: 'modelRefused',
  RUN_FAILED: 'modelFailed',
  OUTPUT_INVALID: 'modelFailed',
  OUT_OF_MEMORY: 'outOfMemory',
  TIMED_OUT: 'timedOut',
  // The child runs nothing but the model.
  CHILD_DIED: 'modelFailed',
  STATE_INVALID: 'engineFailed',
  REQUEST_INVALID: 'engineFailed',
  RUNTIME_UNAVAILABLE: 'engineFailed',
} as const satisfies Record<RuntimeErrorCode, Exclude<Outcome, 'completed'>>
