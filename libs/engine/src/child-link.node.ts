/** The parent's end: numbered requests, deadlines, and a child that is ended as soon as it misbehaves. */
import { EngineError, engineErrorCodes, type EngineErrorCode, type ErrorPlace } from './errors.js'
import { encodeFrame, FrameFault, FrameReader } from './frames.js'
import type { Operation } from './messages.js'
import { AnswerFault } from './reply-values.js'
import type { SandboxedChild } from './sandbox.node.js'

interface Waiting {
  readonly operation: Operation
  readonly resolve: (value: unknown) => void
  readonly reject: (error: EngineError) => void
  readonly timer: NodeJS.Timeout
  readonly onProgress: ((percent: number) => void) | undefined
}

/** How long an answer may take, how it is read, and who hears of progress. */
export interface Expectation<T> {
  readonly timeoutMilliseconds: number
  /** Reads the answer; throws {@link AnswerFault} where it is not what was asked for. */
  readonly read: (value: unknown) => T
  readonly onProgress?: ((percent: number) => void) | undefined
}

/** A link to one child. */
export class ChildLink {
  readonly #child: SandboxedChild
  readonly #reader: FrameReader
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #ended: EngineError | undefined
  /** Resolves when the child is gone. */
  readonly gone: Promise<void>

  constructor(child: SandboxedChild, maximumReplyBytes: number) {
    this.#child = child
    this.#reader = new FrameReader({
      maximumFrameBytes: maximumReplyBytes,
      maximumTotalBytes: 4 * maximumReplyBytes,
    })
    this.gone = new Promise((resolve) => {
      child.process.once('exit', (code, signal) => {
        this.end(
          'CHILD_DIED',
          `the engine's child ended by itself (${signal ?? `exit code ${code ?? 'unknown'}`})`,
        )
        resolve()
      })
    })
    child.process.stdio[3]?.on('data', (bytes: Buffer) => {
      this.#receive(bytes)
    })
    for (const stream of [child.process.stdin, child.process.stdio[3]])
      stream?.on('error', () => {
        this.end('CHILD_DIED', "the pipe to the engine's child broke")
      })
  }

  /** Sends a request and waits for its answer. */
  async request<T>(operation: Operation, expectation: Expectation<T>): Promise<T> {
    const value = await this.#send(operation, expectation.timeoutMilliseconds, expectation.onProgress)
    try {
      return expectation.read(value)
    } catch (cause) {
      if (cause instanceof EngineError) throw cause
      const what = cause instanceof AnswerFault ? cause.message : 'shape'
      throw this.end(
        'CHILD_DIED',
        `the engine's child gave an answer of the wrong shape (${what}); it was ended`,
      )
    }
  }

  /** Ends the child at once; everything that waits fails with the first reason given. */
  end(code: EngineErrorCode, message: string): EngineError {
    this.#ended ??= new EngineError(code, message)
    this.#child.process.kill('SIGKILL')
    this.#child.process.stdin?.destroy()
    for (const stream of this.#child.process.stdio) if (stream && 'destroy' in stream) stream.destroy()
    for (const [id, { timer, reject }] of this.#waiting) {
      clearTimeout(timer)
      this.#waiting.delete(id)
      reject(this.#ended)
    }
    return this.#ended
  }

  #send(
    operation: Operation,
    timeoutMilliseconds: number,
    onProgress?: (percent: number) => void,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended)
        return
      }
      const id = ++this.#lastId
      const timer = setTimeout(() => {
        this.end(
          'TIMED_OUT',
          `${operation.op} took more than ${timeoutMilliseconds} ms; the engine's child was ended`,
        )
      }, timeoutMilliseconds)
      this.#waiting.set(id, { operation, resolve, reject, timer, onProgress })
      this.#child.process.stdin?.write(encodeFrame({ ...operation, id }))
    })
  }

  #receive(bytes: Uint8Array): void {
    if (this.#ended !== undefined) return
    try {
      for (const reply of this.#reader.push(bytes)) this.#deliver(reply)
    } catch (cause) {
      const what = cause instanceof FrameFault || cause instanceof AnswerFault ? cause.message : 'junk'
      this.end('CHILD_DIED', `the engine's child sent ${what}; it was ended`)
    }
  }

  #deliver(reply: unknown): void {
    const fields =
      typeof reply === 'object' && reply !== null ? (reply as Readonly<Record<string, unknown>>) : {}
    const { id, percent } = fields
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined
    if (typeof id !== 'number' || waiting === undefined)
      throw new AnswerFault('an answer that nobody waits for')
    if (percent !== undefined) {
      if (typeof percent !== 'number' || !(percent >= 0 && percent <= 100))
        throw new AnswerFault('progress out of range')
      waiting.onProgress?.(percent)
      return
    }
    const failure = 'failure' in fields ? failureError(waiting.operation, fields['failure']) : undefined
    clearTimeout(waiting.timer)
    this.#waiting.delete(id)
    if (failure !== undefined) waiting.reject(failure)
    else waiting.resolve(fields['value'])
  }
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
function failureError(operation: Operation, failure: unknown): EngineError {
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
