import { CodedError } from '#libs/canonical'

/** Everything that the runtime says about a failure; the list is closed, since a failure is an output too. */
export const runtimeErrorCodes = [
  'MODEL_NOT_LOADED',
  'RUN_FAILED',
  'OUTPUT_INVALID',
  'OUT_OF_MEMORY',
  'TIMED_OUT',
  'STATE_INVALID',
  'REQUEST_INVALID',
  'RUNTIME_UNAVAILABLE',
  'CHILD_DIED',
] as const

/** A code of the closed list. */
export type RuntimeErrorCode = (typeof runtimeErrorCodes)[number]

/** Thrown by everything in `#libs/runtime`. The runtime's own messages are never in it: they may hold values. */
export class RuntimeError extends CodedError<RuntimeErrorCode> {}
