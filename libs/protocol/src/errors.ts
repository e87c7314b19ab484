import { CodedError } from '#libs/canonical'

export type ProtocolErrorCode =
  'REQUEST_TOKEN_INVALID' | 'REQUEST_TOKEN_STALE' | 'IDENTITY_INVALID' | 'IDENTITY_OLDER'

/** What is wrong with a message between a party, a worker and the coordinator. */
export class ProtocolError extends CodedError<ProtocolErrorCode> {}
