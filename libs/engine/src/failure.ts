import type { EngineErrorCode, ErrorPlace } from './errors.js'

/** A failure inside the child, already reduced to what may leave it: a code and names. */
export class ChildFailure extends Error {
  readonly code: EngineErrorCode
  readonly place: ErrorPlace
  readonly syntaxMessage: string | undefined

  constructor(code: EngineErrorCode, place: ErrorPlace = {}, syntaxMessage?: string) {
    super(code)
    this.code = code
    this.place = place
    this.syntaxMessage = syntaxMessage
  }
}

/**
 * The code of whatever was thrown. The database's messages hold values of rows, so nothing of the text goes on; only its
 * own class of error, the words before the first colon, is looked at.
 */
export function failureOf(thrown: unknown, otherwise: EngineErrorCode): ChildFailure {
  if (thrown instanceof ChildFailure) return thrown
  const message = thrown instanceof Error ? thrown.message : ''
  if (message.startsWith('Out of Memory Error') || message.startsWith('std::bad_alloc'))
    return new ChildFailure('OUT_OF_MEMORY')
  if (thrown instanceof RangeError) return new ChildFailure('OUT_OF_MEMORY')
  if (message.startsWith('INTERRUPT Error')) return new ChildFailure('TIMED_OUT')
  return new ChildFailure(otherwise)
}
