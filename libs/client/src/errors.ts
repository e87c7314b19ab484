import { CodedError } from '#libs/canonical'
import type { Problem } from '#libs/protocol'

export type ClientErrorCode =
  'URL_INSECURE' | 'COORDINATOR_UNREACHABLE' | 'COORDINATOR_REFUSED' | 'ANSWER_INVALID' | 'TRANSFER_MISMATCH'

/** What went wrong between an agent or a worker and the coordinator. `problem` is the coordinator's own explanation. */
export class ClientError extends CodedError<ClientErrorCode> {
  readonly problem: Problem | null

  constructor(
    code: ClientErrorCode,
    message: string,
    options?: ErrorOptions & { readonly problem?: Problem },
  ) {
    super(code, message, options)
    this.problem = options?.problem ?? null
  }
}
