/**
 * An expected failure. `code` is part of the API and a closed union per library; `message` is for people and may change.
 * Messages carry digests, lengths, names and codes, never plaintext, keys or a party's values.
 */
export abstract class CodedError<Code extends string = string> extends Error {
  readonly code: Code

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** What can be wrong with bytes that claim to be canonical JSON or a statement. */
export type CanonicalErrorCode =
  | 'JSON_MALFORMED'
  | 'JSON_NOT_CANONICAL'
  | 'JSON_TOO_DEEP'
  | 'JSON_UNSUPPORTED_VALUE'
  | 'BYTES_MALFORMED'
  | 'KEY_MALFORMED'
  | 'STATEMENT_MALFORMED'
  | 'STATEMENT_HEADER_INVALID'
  | 'STATEMENT_SIGNATURE_INVALID'
  | 'STATEMENT_PAYLOAD_INVALID'

/** Thrown by everything in `#libs/canonical` that reads foreign bytes. */
export class CanonicalError extends CodedError<CanonicalErrorCode> {}
