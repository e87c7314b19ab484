import { CodedError } from '#libs/canonical'
import type { Problem } from './reading/problem.js'

/** What can be wrong with a contract, its signatures or its course. */
export type ContractErrorCode =
  | 'YAML_MALFORMED'
  | 'YAML_TOO_LARGE'
  | 'YAML_NOT_ALLOWED'
  | 'TERMS_INVALID'
  | 'TERMS_NOT_CANONICAL'
  | 'PAYLOAD_INVALID'
  | 'SIGNATURE_MISSING'
  | 'SIGNATURE_DUPLICATE'
  | 'SIGNATURE_UNEXPECTED'
  | 'SIGNATURE_KEY_UNKNOWN'
  | 'SIGNATURE_PAYLOAD_DIFFERS'
  | 'SIGNATURE_INVALID'
  | 'ACTIVATION_INVALID'
  | 'ACTIVATION_LATE'
  | 'AMENDMENT_INVALID'
  | 'LIFECYCLE_CONFLICT'

/** Thrown by everything in `#libs/contract` that reads foreign text. `problems` lists every mistake of a contract at once. */
export class ContractError extends CodedError<ContractErrorCode> {
  readonly problems: readonly Problem[]

  constructor(
    code: ContractErrorCode,
    message: string,
    options?: ErrorOptions & { readonly problems?: readonly Problem[] },
  ) {
    super(code, message, options)
    this.problems = options?.problems ?? []
  }
}
