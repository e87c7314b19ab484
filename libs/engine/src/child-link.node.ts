/** The parent's end: numbered requests, deadlines, and a child that is ended as soon as it misbehaves. */
import { encodeFrame, FrameFault, FrameReader } from './frames.js'
import { AnswerFault } from './reply-values.js'
import type { SandboxedChild } from './sandbox.node.js'

/** What a child is asked, and how its failures are told; one for each program that runs in a sandbox. */
export interface ChildLanguage<Operation, Failure extends Error> {
  /** What to call the child in messages: `${this.#language.who}`. */
  readonly who: string
  /** The failure of a child that ended, was too slow, or said what it may not. */
  fault(code: 'CHILD_DIED' | 'TIMED_OUT', message: string): Failure
  /** Whether something thrown while an answer was read is a failure already. */
  isFailure(thrown: unknown): thrown is Failure
  /** Reads a failure that the child reports; throws {@link AnswerFault} where it is not one of the language. */
  readFailure(operation: Operation, reported: unknown): Failure
}

interface Waiting<Operation, Failure> {
  readonly operation: Operation
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Failure) => void
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
export class ChildLink<Operation extends { readonly op: string }, Failure extends Error> {
  readonly #child: SandboxedChild
  readonly #reader: FrameReader
  readonly #language: ChildLanguage<Operation, Failure>
  readonly #waiting = new Map<number, Waiting<Operation, Failure>>()
  #lastId = 0
  #ended: Failure | undefined
  /** Resolves when the child is gone. */
  readonly gone: Promise<void>

  constructor(child: SandboxedChild, language: ChildLanguage<Operation, Failure>, maximumReplyBytes: number) {
    this.#child = child
    this.#language = language
    this.#reader = new FrameReader({
      maximumFrameBytes: maximumReplyBytes,
      maximumTotalBytes: 4 * maximumReplyBytes,
    })
    this.gone = new Promise((resolve) => {
      child.process.once('exit', (code, signal) => {
        this.end(
          'CHILD_DIED',
          `${this.#language.who} ended by itself (${signal ?? `exit code ${code ?? 'unknown'}`})`,
        )
        resolve()
      })
    })
    child.process.stdio[3]?.on('data', (bytes: Buffer) => {
      this.#receive(bytes)
    })
    for (const stream of [child.process.stdin, child.process.stdio[3]])
      stream?.on('error', () => {
        this.end('CHILD_DIED', `the pipe to ${this.#language.who} broke`)
      })
  }

  /** Sends a request and waits for its answer. */
  async request<T>(operation: Operation, expectation: Expectation<T>): Promise<T> {
    const value = await this.#send(operation, expectation.timeoutMilliseconds, expectation.onProgress)
    try {
      return expectation.read(value)
    } catch (cause) {
      if (this.#language.isFailure(cause)) throw cause
      const what = cause instanceof AnswerFault ? cause.message : 'shape'
      throw this.end(
        'CHILD_DIED',
        `${this.#language.who} gave an answer of the wrong shape (${what}); it was ended`,
      )
    }
  }

  /** Ends the child at once; everything that waits fails with the first reason given. */
  end(code: 'CHILD_DIED' | 'TIMED_OUT', message: string): Failure {
    this.#ended ??= this.#language.fault(code, message)
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
          `${operation.op} took more than ${timeoutMilliseconds} ms; ${this.#language.who} was ended`,
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
      this.end('CHILD_DIED', `${this.#language.who} sent ${what}; it was ended`)
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
    const failure =
      'failure' in fields ? this.#language.readFailure(waiting.operation, fields['failure']) : undefined
    clearTimeout(waiting.timer)
    this.#waiting.delete(id)
    if (failure !== undefined) waiting.reject(failure)
    else waiting.resolve(fields['value'])
  }
}
