/** How the runtime's failures are told: a code of the closed list and a sentence of ours. */
import { AnswerFault, type ChildLanguage } from '#libs/engine'
import { RuntimeError, runtimeErrorCodes, type RuntimeErrorCode } from './errors.js'
import type { Operation } from './messages.js'

const said: Partial<Record<RuntimeErrorCode, string>> = {
  MODEL_NOT_LOADED:
    'the runtime does not take this model: its shapes, types or operators do not fit together',
  RUN_FAILED: 'the model failed on its input',
  OUTPUT_INVALID: 'an output does not have the type and size that the model declares',
  OUT_OF_MEMORY: 'the model ran out of its memory',
  STATE_INVALID: 'the runtime is not in a state for this',
  REQUEST_INVALID: 'an input is shorter than its rows',
}

/** The language of {@link ModelRuntime} and its child. */
export const runtimeLanguage: ChildLanguage<Operation, RuntimeError> = {
  who: "the runtime's child",
  fault: (code, message) => new RuntimeError(code, message),
  isFailure: (thrown) => thrown instanceof RuntimeError,
  readFailure: (_operation, reported) => {
    const seen =
      typeof reported === 'object' && reported !== null && 'code' in reported ? reported.code : undefined
    const code = runtimeErrorCodes.find((candidate) => candidate === seen)
    const sentence = code === undefined ? undefined : said[code]
    if (code === undefined || sentence === undefined) throw new AnswerFault('a failure without a known code')
    return new RuntimeError(code, sentence)
  },
}
