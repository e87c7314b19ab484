import type { RuntimeErrorCode } from './errors.js'
import type { Operation } from './messages.js'

/** A failure inside the child, already reduced to what may leave it. */
export class ChildFailure extends Error {
  readonly code: RuntimeErrorCode

  constructor(code: RuntimeErrorCode) {
    super(code)
    this.code = code
  }
}

const otherwise = {
  ...{ open: 'STATE_INVALID', load: 'MODEL_NOT_LOADED', run: 'RUN_FAILED' },
} as const satisfies Record<Operation['op'], RuntimeErrorCode>

/** The code of whatever was thrown. Messages of onnxruntime quote names and values, so nothing of the text goes on. */
export function codeOf(thrown: unknown, op: Operation['op']): RuntimeErrorCode {
  if (thrown instanceof ChildFailure) return thrown.code
  const message = thrown instanceof Error ? thrown.message : ''
  if (thrown instanceof RangeError || /bad_alloc|allocate memory/i.test(message)) return 'OUT_OF_MEMORY'
  return otherwise[op]
}
