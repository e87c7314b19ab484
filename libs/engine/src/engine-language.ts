/** How an engine's failures are told: a code of the closed list, and names that the request held. */
import type { ChildLanguage } from './child-link.node.js'
import { EngineError, engineErrorCodes, type EngineErrorCode, type ErrorPlace } from './errors.js'
import type { Operation } from './messages.js'
import { AnswerFault } from './reply-values.js'

/** The language of {@link Engine} and its child. */
export const engineLanguage: ChildLanguage<Operation, EngineError> = {
  who: "the engine's child",
  fault: (code, message) => new EngineError(code, message),
  isFailure: (thrown) => thrown instanceof EngineError,
  readFailure,
}

const said: Partial<Record<EngineErrorCode, string>> = {
  SYNTAX: 'the query cannot be parsed',
  NOT_A_SELECT: 'the text is not a SELECT',
  QUERY_TOO_LARGE: "the query's tree is too large",
  QUERY_REFUSED: 'the engine refuses this query: one SELECT over loaded tables is expected',
  QUERY_FAILED: 'the query failed',
  OUT_OF_MEMORY: 'the engine ran out of its memory',
  TIMED_OUT: 'the query took longer than allowed',
  RESULT_TOO_LARGE: 'the result is larger than allowed',
  RESULT_TYPE_UNSUPPORTED: 'a column of the result has a type that cannot leave',
  INPUT_INVALID: 'an input cannot be read, or holds a value that breaks its rule',
  SCHEMA_MISMATCH: "an input does not have the columns and types of the contract's schema",
  BOUNDS_VIOLATED: 'a value is out of the bounds of its column',
  VALUE_MISSING: 'a value is missing in a column that is not nullable',
  UNIT_MISSING: 'a row has no privacy unit',
  STATE_INVALID: 'the engine is not in a state for this: the order is load, lock, query',
  REQUEST_INVALID: 'the request is not one that the engine knows',
  LOCK_FAILED: 'the database could not be shut',
}

// Names are taken over only where the request held them: an answer must not carry anything else out.
function readFailure(operation: Operation, failure: unknown): EngineError {
  const fields =
    typeof failure === 'object' && failure !== null ? (failure as Readonly<Record<string, unknown>>) : {}
  const code = engineErrorCodes.find((candidate) => candidate === fields['code'])
  const sentence = code === undefined ? undefined : said[code]
  if (code === undefined || sentence === undefined) throw new AnswerFault('a failure without a known code')
  const place = placeOf(operation, fields)
  const words =
    operation.op === 'parse' && typeof fields['syntaxMessage'] === 'string'
      ? fields['syntaxMessage'].slice(0, 500)
      : ''
  const where = Object.entries(place).map(([name, value]) => `${name} ${value}`)
  return new EngineError(code, [sentence, ...where].join(', ') + (words === '' ? '' : `: ${words}`), place)
}

function placeOf(
  operation: Operation,
  { table, owner, column, position }: Readonly<Record<string, unknown>>,
): ErrorPlace {
  if (operation.op === 'parse') return Number.isSafeInteger(position) ? { position: position as number } : {}
  if (operation.op === 'load') {
    const found = operation.tables.find(({ name }) => name === table)
    const part = found?.parts.find((candidate) => candidate.owner === owner)
    const known = new Set([
      ...Object.keys(found?.columns ?? {}),
      ...(part?.segments ?? []).flatMap((segment) => segment.columns),
    ])
    return {
      ...(found === undefined ? {} : { table: found.name }),
      ...(part === undefined ? {} : { owner: part.owner }),
      ...(typeof column === 'string' && known.has(column) ? { column } : {}),
    }
  }
  const columns = operation.op === 'convert' || operation.op === 'profile' ? operation.columns : {}
  return typeof column === 'string' && Object.hasOwn(columns, column) ? { column } : {}
}
