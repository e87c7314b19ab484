import { CodedError } from '#libs/canonical'

/** What can be wrong with a computation, its parameters, its result or its controls. */
export type ComputationErrorCode =
  | 'COMPUTATION_UNSUPPORTED'
  | 'DATASET_UNKNOWN'
  | 'TRAINING_INVALID'
  | 'SCORING_INVALID'
  | 'PARAMETER_MISSING'
  | 'PARAMETER_UNKNOWN'
  | 'PARAMETER_INVALID'
  | 'RESULT_MALFORMED'
  | 'RESULT_TOO_LARGE'
  | 'CONTROL_MISSING'
  | 'CONTROL_UNKNOWN'
  | 'CONTROL_INVALID'
  | 'CONTROL_UNSUPPORTED'
  | 'UNIT_COUNTS_MISSING'
  | 'GROUP_TOO_SMALL'
  | 'ROW_OF_ANOTHER'

/** Thrown by everything in `#libs/computation`. Messages name parameters, columns, controls and limits, never a value. */
export class ComputationError extends CodedError<ComputationErrorCode> {}
