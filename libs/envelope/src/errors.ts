import { CodedError } from '#libs/canonical'

/**
 * What can go wrong with envelopes. Everything that depends on sealed content is `OPEN_FAILED` and says no more: which
 * byte, which check or which key it was would help whoever tries.
 */
export type EnvelopeErrorCode =
  /** not opened: wrong key, wrong context, altered, cut, extended or reordered bytes, wrong digest */
  | 'OPEN_FAILED'
  /** a public sealing key that nobody can seal to */
  | 'SEALING_KEY_MALFORMED'
  /** opened bytes whose padding is not the one that sealing makes */
  | 'PADDING_MALFORMED'
  /** the operating system refused to read or write a file, or the file changed while it was read */
  | 'FILE_FAILED'

/** Thrown by everything in `#libs/envelope` that reads foreign bytes or files. */
export class EnvelopeError extends CodedError<EnvelopeErrorCode> {}

/** The one failure of opening; it deliberately carries no cause. */
export function openFailed(): EnvelopeError {
  return new EnvelopeError('OPEN_FAILED', 'the envelope could not be opened')
}

/** The system's own failure as one of ours; what is one of ours already stays it. */
export function fileFailed(cause: unknown): EnvelopeError {
  if (cause instanceof EnvelopeError) return cause
  const reason = cause instanceof Error ? cause.message : 'unknown'
  return new EnvelopeError('FILE_FAILED', `a file could not be read or written: ${reason}`, { cause })
}
