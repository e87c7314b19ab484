import { CodedError } from '#libs/canonical'

/** Everything for which a model is refused; the list is closed, since a refusal of a sealed model is an output too. */
export const modelErrorCodes = [
  'MODEL_TOO_LARGE',
  'MODEL_MALFORMED',
  'FIELD_UNKNOWN',
  'EXTERNAL_DATA',
  'VERSION_UNSUPPORTED',
  'DOMAIN_UNKNOWN',
  'OPERATOR_NOT_ALLOWED',
  'ATTRIBUTE_NOT_ALLOWED',
  'SUBGRAPH',
  'FUNCTION',
  'TYPE_UNSUPPORTED',
  'SHAPE_UNBOUNDED',
  'TENSOR_INVALID',
  'NAME_INVALID',
  'LIMIT_EXCEEDED',
] as const

/** A code of the closed list. */
export type ModelErrorCode = (typeof modelErrorCodes)[number]

/** Where in the model, and what its owner can do about it. Names are the model's own. */
export interface ModelErrorDetails {
  /** For example `graph › node 3 (Loop) › attribute body`. */
  readonly place: string
  /** How to mend it, as a sentence. */
  readonly mend: string
}

/** Thrown by everything in `#libs/model`. Holds names of the model, never weights. */
export class ModelError extends CodedError<ModelErrorCode> {
  readonly problem: string
  readonly place: string
  readonly mend: string

  constructor(
    code: ModelErrorCode,
    problem: string,
    { place, mend }: ModelErrorDetails,
    options?: ErrorOptions,
  ) {
    super(code, `${place}: ${problem}; ${mend}`, options)
    this.problem = problem
    this.place = place
    this.mend = mend
  }
}
